import time

import backoff
import pymysql
from sqlalchemy import create_engine, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import sessionmaker
from tenacity import retry, retry_if_exception, retry_if_exception_type, stop_after_attempt

import stillhere
from shop.models import Stock

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
Session = sessionmaker(engine)
log = print


def sell(number):
    for attempt in range(3):
        try:
            with Session.begin() as session:
                session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
            break
        except OperationalError as error:  # expect: SH402
            log(f"attempt {attempt}: {error}")
            time.sleep(1)


def sell_by_driver(number):
    while True:
        connection = pymysql.connect(host="db.example", database="shop")
        cursor = connection.cursor()
        try:
            cursor.execute("UPDATE stock SET count = count - 1 WHERE id = %s", (number,))
            return cursor.rowcount
        except (pymysql.err.OperationalError, pymysql.err.InterfaceError):  # expect: SH402
            time.sleep(1)


@retry(retry=retry_if_exception_type(OperationalError), stop=stop_after_attempt(3))  # expect: SH402
def sell_by_tenacity(number):
    with Session.begin() as session:
        session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))


@backoff.on_exception(backoff.expo, (DBAPIError, OSError), max_tries=3)  # expect: SH402
def sell_by_backoff(number):
    with Session.begin() as session:
        session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))


# The number decides.
def sell_carefully(number):
    for attempt in range(3):
        try:
            with Session.begin() as session:
                session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
            break
        except OperationalError as error:
            if error.orig.args[0] not in {1205, 1213} or attempt == 2:
                raise


def sell_with_stillhere(number):
    for attempt in stillhere.attempts(within=10):
        with attempt, Session.begin() as session:
            session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))


def sell_if_retryable(number):
    for _ in range(3):
        try:
            with Session.begin() as session:
                return session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
        except OperationalError as error:
            if not stillhere.is_retryable(error):
                raise
    return None


@retry(retry=retry_if_exception(stillhere.is_retryable), stop=stop_after_attempt(3))
def sell_by_condition(number):
    with Session.begin() as session:
        session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))


# Waiting for a server to start.
def wait():
    for _ in range(30):
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return
        except OperationalError:
            time.sleep(1)


# A loop over work, in which a failure is skipped.
def sell_all(numbers):
    for number in numbers:
        try:
            with Session.begin() as session:
                session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
        except OperationalError:
            log(f"not sold: {number}")


def unique_name(names):
    for name in names:
        try:
            with Session.begin() as session:
                session.execute(text("INSERT INTO names VALUES (:n)"), {"n": name})
            return name
        except IntegrityError:
            continue
    return None
