import os

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool, SingletonThreadPool, StaticPool

URI = "mysql+pymysql://app:secret@db.example/shop"

static = create_engine(URI, poolclass=StaticPool)  # expect: SH109
single = create_engine(URI, poolclass=SingletonThreadPool, pool_pre_ping=True)  # expect: SH109

tests = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
unknown = create_engine(os.environ["TEST_DATABASE_URL"], poolclass=StaticPool)
unpooled = create_engine(URI, poolclass=NullPool)
default = create_engine(URI, pool_pre_ping=True)
