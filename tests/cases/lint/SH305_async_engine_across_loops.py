import asyncio

from celery import Celery
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from shop.models import Order

URI = "mysql+asyncmy://app:secret@db.example/shop"
engine = create_async_engine(URI, pool_pre_ping=True)
unpooled = create_async_engine(URI, poolclass=NullPool)
Session = async_sessionmaker(engine)
celery = Celery("shop")
app = Flask(__name__)


async def count():
    async with engine.connect() as connection:
        return await connection.scalar(text("SELECT COUNT(*) FROM orders"))


async def find():
    async with Session() as session:
        return (await session.scalars(select(Order))).all()


async def count_unpooled():
    async with unpooled.connect() as connection:
        return await connection.scalar(text("SELECT COUNT(*) FROM orders"))


async def count_and_dispose():
    try:
        return await count()
    finally:
        await engine.dispose()


async def count_with_own():
    own = create_async_engine(URI, pool_pre_ping=True)
    async with AsyncSession(own) as session:
        found = await session.scalar(text("SELECT COUNT(*) FROM orders"))
    await own.dispose()
    return found


async def wait():
    await asyncio.sleep(1)


@celery.task
def report():
    return asyncio.run(count())  # expect: SH305


@app.get("/orders")
def orders():
    return [order.id for order in asyncio.run(find())]  # expect: SH305


def watch():
    while True:
        asyncio.run(count())  # expect: SH305


@celery.task
def report_unpooled():
    return asyncio.run(count_unpooled())


@celery.task
def report_and_dispose():
    return asyncio.run(count_and_dispose())


@celery.task
def report_with_own():
    return asyncio.run(count_with_own())


@celery.task
def pause():
    asyncio.run(wait())


def main():
    asyncio.run(count())
