import asyncio

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from shop.models import Item, Order

engine = create_async_engine("mysql+asyncmy://app@db.example/shop", pool_pre_ping=True)
Session = async_sessionmaker(engine)


async def find(session: AsyncSession, kind):
    return (await session.scalars(select(kind))).all()


async def both(session: AsyncSession):
    return await asyncio.gather(find(session, Order), find(session, Item))  # expect: SH304


async def direct():
    async with Session() as session:
        return await asyncio.gather(  # expect: SH304
            session.execute(text("SELECT 1")),
            session.execute(text("SELECT 2")),
        )


async def each(session: AsyncSession, kinds):
    return await asyncio.gather(*[find(session, kind) for kind in kinds])  # expect: SH304


async def listed(session: AsyncSession):
    tasks = [find(session, Order), asyncio.sleep(1)]
    return await asyncio.gather(*tasks)


async def own():
    async with Session() as one, Session() as other:
        return await asyncio.gather(find(one, Order), find(other, Item))


async def own_each(kinds):
    async def task(kind):
        async with Session() as session:
            return await find(session, kind)

    return await asyncio.gather(*(task(kind) for kind in kinds))


async def one_by_one(session: AsyncSession, client):
    orders = await find(session, Order)
    return await asyncio.gather(find(session, Item), client.get("/")), orders
