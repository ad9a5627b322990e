import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

URI = "mysql+asyncmy://app:secret@db.example/shop"


async def clean():
    engine = create_async_engine(URI, pool_pre_ping=True)  # expect: SH306
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM sessions"))


async def clean_by_session():
    engine = create_async_engine(URI, pool_pre_ping=True)  # expect: SH306
    maker = async_sessionmaker(engine, expire_on_commit=False)
    async with maker.begin() as session:
        await session.execute(text("DELETE FROM sessions"))


async def clean_and_dispose():
    engine = create_async_engine(URI, pool_pre_ping=True)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM sessions"))
    await engine.dispose()


async def clean_unpooled():
    engine = create_async_engine(URI, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM sessions"))


async def make():
    engine = create_async_engine(URI, pool_pre_ping=True)
    return engine


async def lifespan(app):
    engine = create_async_engine(URI, pool_pre_ping=True)
    app.state.engine = engine
    yield


async def clean_by_helper():
    engine = create_async_engine(URI, pool_pre_ping=True)
    await run(engine)


async def run(engine):
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM sessions"))
    await engine.dispose()


async def clean_elsewhere():
    engine = create_async_engine("postgresql+asyncpg://app@db.example/shop")
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM sessions"))


if __name__ == "__main__":
    asyncio.run(clean())
