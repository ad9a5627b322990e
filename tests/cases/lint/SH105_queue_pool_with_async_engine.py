from sqlalchemy import create_engine, pool
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, QueuePool

URI = "mysql+asyncmy://app:secret@db.example/shop"

blocking = create_async_engine(URI, pool_pre_ping=True, poolclass=QueuePool)  # expect: SH105
by_module = create_async_engine(URI, poolclass=pool.QueuePool, pool_pre_ping=True)  # expect: SH105

default = create_async_engine(URI, pool_pre_ping=True)
adapted = create_async_engine(URI, pool_pre_ping=True, poolclass=AsyncAdaptedQueuePool)
unpooled = create_async_engine(URI, poolclass=NullPool)
ordinary = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True, poolclass=QueuePool)
other = create_async_engine("postgresql+asyncpg://app@db.example/shop", poolclass=QueuePool)
