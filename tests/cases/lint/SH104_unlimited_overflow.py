from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

URI = "mysql+pymysql://app:secret@db.example/shop"
LIMITS = {
    "pool_size": 20,
    "max_overflow": -1,  # expect: SH104
}

unlimited = create_engine(URI, pool_pre_ping=True, max_overflow=-1)  # expect: SH104
also = create_engine(URI, pool_pre_ping=True, pool_size=0)  # expect: SH104
named = create_async_engine("mysql+asyncmy://app@db.example/shop", pool_pre_ping=True, **LIMITS)

limited = create_engine(URI, pool_pre_ping=True, pool_size=20, max_overflow=10)
none = create_engine(URI, pool_pre_ping=True, max_overflow=0)
protected = create_engine(URI + "?plugin=stillhere", pool_size=5)
other = create_engine("postgresql://app@db.example/shop", max_overflow=-1)
files = create_engine("sqlite:///a.db", pool_size=0)


def overflow(text, max_overflow=-1):
    return text[:max_overflow]


short = overflow("text", max_overflow=-1)
