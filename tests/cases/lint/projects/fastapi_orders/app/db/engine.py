from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from app.config import settings
from app.db.options import POOL, RECYCLED

engine = create_async_engine(settings.database_url, **POOL)  # expect: SH101
replica = create_async_engine(settings.database_url, pool_recycle=settings.pool_recycle)  # expect: SH102
reports = create_async_engine(settings.database_url, **RECYCLED)  # expect: SH102
Session = async_sessionmaker(engine, expire_on_commit=False)
