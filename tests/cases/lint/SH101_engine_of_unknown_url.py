import os
import time

import environ
from decouple import config
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session, sessionmaker

env = environ.Env()

# Nothing here says that it is another database.
from_environment = create_engine(os.environ["DATABASE_URL"])  # expect: SH101
with_default = create_engine(os.environ.get("DATABASE_URL", "mysql://app@db.example/shop"))  # expect: SH101
by_decouple = create_engine(config("DATABASE_URL"), pool_size=5)  # expect: SH101
asynchronous = create_async_engine(env.str("DATABASE_URL"))  # expect: SH101
either = create_engine(os.getenv("DATABASE_URL") or "mysql://app@db.example/shop")  # expect: SH101

alive = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
recycled = create_engine(os.environ["DATABASE_URL"], pool_recycle=int(os.environ.get("POOL_RECYCLE", "280")))
decided = create_engine(os.environ["DATABASE_URL"], **(env.dict("ENGINE_OPTIONS")))


def connect(url, **options):
    return create_engine(url, **options)


def kept():
    engine = create_engine(os.environ["DATABASE_URL"])  # expect: SH101
    return sessionmaker(engine)


# Used up where it is made.
def migrate(metadata):
    engine = create_engine(os.environ["DATABASE_URL"])
    metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(text("DELETE FROM sessions"))


def count():
    return create_engine(os.environ["DATABASE_URL"]).connect().scalar(text("SELECT COUNT(*) FROM orders"))


def serve():
    engine = create_engine(os.environ["DATABASE_URL"])  # expect: SH101
    while True:
        with Session(engine) as session:
            session.execute(text("DELETE FROM sessions"))
        time.sleep(3600)


def local_url():
    return "sqlite:///%s" % os.environ["FILE"]


local = create_engine(local_url())
