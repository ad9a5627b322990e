import subprocess
import time

import httpx
import requests
from django.db import transaction
from sqlalchemy import create_engine, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, sessionmaker

from shop.models import Order

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
lite = create_engine("sqlite://")
Maker = sessionmaker(engine)
PAYMENTS = "https://payments.example/"


def pay(number):
    with Maker.begin() as session:
        order = session.get(Order, number)
        receipt = requests.post(PAYMENTS, json=order.as_json(), timeout=30)  # expect: SH206
        order.receipt = receipt.json()["id"]


def pay_by_connection(number):
    with engine.begin() as connection:
        connection.execute(text("UPDATE orders SET paid = 1 WHERE id = :id"), {"id": number})
        subprocess.run(["notify", str(number)], check=True)  # expect: SH206


def pay_in_block(session: Session, number):
    with session.begin():
        session.get(Order, number).paid = True
        time.sleep(5)  # expect: SH206


def pay_along(session: Session, number):
    order = session.get(Order, number)
    receipt = requests.post(PAYMENTS, json=order.as_json(), timeout=30)  # expect: SH206
    order.receipt = receipt.json()["id"]
    session.commit()


def pay_all(session: Session):
    for order in session.scalars(select(Order)):
        order.receipt = requests.post(PAYMENTS, json=order.as_json(), timeout=30).text  # expect: SH206
    session.commit()


async def pay_later(session: AsyncSession, client: httpx.AsyncClient, number):
    order = await session.get(Order, number)
    receipt = await client.post(PAYMENTS, json=order.as_json())  # expect: SH206
    order.receipt = receipt.text
    await session.commit()


def pay_in_django(number):
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=number)
        order.receipt = requests.post(PAYMENTS, timeout=30).text  # expect: SH206
        order.save()


# Before, after, or between two transactions.
def pay_before(number):
    receipt = requests.post(PAYMENTS, json={"id": number}, timeout=30)
    with Maker.begin() as session:
        session.get(Order, number).receipt = receipt.text


def pay_after(session: Session, number):
    order = session.get(Order, number)
    session.commit()
    requests.post(PAYMENTS, json={"id": number}, timeout=30)
    order.paid = True
    session.commit()


def pay_at_the_end(session: Session, number):
    order = session.get(Order, number)
    return requests.post(PAYMENTS, json=order.as_json(), timeout=30)


def pay_in_two(number):
    with Maker() as session:
        order = session.get(Order, number).as_json()
    receipt = requests.post(PAYMENTS, json=order, timeout=30)
    with Maker.begin() as session:
        session.get(Order, number).receipt = receipt.text


def pay_one_way_or_the_other(session: Session, number, *, remote):
    if remote:
        requests.post(PAYMENTS, json={"id": number}, timeout=30)
    else:
        session.get(Order, number).paid = True
    session.commit()


def pay_sometimes(session: Session, number, *, known):
    if known:
        session.get(Order, number).known = True
    requests.post(PAYMENTS, json={"id": number}, timeout=30)
    session.commit()


def pause(session: Session, number):
    order = session.get(Order, number)
    time.sleep(0.05)
    order.paid = True
    session.commit()


def pay_elsewhere(number):
    with Session(lite) as session, session.begin():
        session.add(Order(id=number))
        requests.post(PAYMENTS, timeout=30)


def later(session: Session, number):
    with session.begin():
        session.get(Order, number).paid = True

        def notify():
            requests.post(PAYMENTS, json={"id": number}, timeout=30)

    return notify


def not_a_session(cache: dict, number):
    order = cache.get(number)
    requests.post(PAYMENTS, json=order, timeout=30)
    cache.get(number)
