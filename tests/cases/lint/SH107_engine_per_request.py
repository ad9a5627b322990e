import functools
import time

from celery import shared_task
from fastapi import Depends, FastAPI
from flask import Flask, g
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

URI = "mysql+pymysql://app:secret@db.example/shop"
app = Flask(__name__)
api = FastAPI()
_engine = None


@app.route("/orders")
def orders():
    engine = create_engine(URI, pool_pre_ping=True)  # expect: SH107
    with engine.connect() as connection:
        return connection.execute(text("SELECT id FROM orders")).scalars().all()


@shared_task
def count():
    with create_engine(URI, pool_pre_ping=True).connect() as connection:  # expect: SH107
        return connection.scalar(text("SELECT COUNT(*) FROM orders"))


def get_session():
    engine = create_engine(URI, pool_pre_ping=True)  # expect: SH107
    with Session(engine) as session:
        yield session


@api.get("/orders")
def api_orders(session: Session = Depends(get_session)):
    return session.scalar(text("SELECT COUNT(*) FROM orders"))


def open_database():
    return create_engine(URI, pool_pre_ping=True)  # expect: SH107


@app.get("/items")
def items():
    return open_database().connect().scalar(text("SELECT COUNT(*) FROM items"))


def many():
    for number in range(10):
        engine = create_engine(URI, pool_pre_ping=True)  # expect: SH107
        engine.connect().execute(text("SELECT :n"), {"n": number})


# Once for a process.
engine = create_engine(URI, pool_pre_ping=True)


@functools.lru_cache
def cached_engine():
    return create_engine(URI, pool_pre_ping=True)


@app.get("/cached")
def cached():
    return cached_engine().connect().scalar(text("SELECT 1"))


def global_engine():
    global _engine
    if _engine is None:
        _engine = create_engine(URI, pool_pre_ping=True)
    return _engine


@app.get("/global")
def by_global():
    return global_engine().connect().scalar(text("SELECT 1"))


def create_app():
    application = Flask(__name__)
    application.engine = create_engine(URI, pool_pre_ping=True)
    return application


class Store:
    def __init__(self, url):
        self.engine = create_engine(url, pool_pre_ping=True)


# Ended in the same call, or without a pool.
@shared_task
def disposed():
    engine = create_engine(URI, pool_pre_ping=True)
    try:
        return engine.connect().scalar(text("SELECT 1"))
    finally:
        engine.dispose()


@shared_task
def unpooled():
    return create_engine(URI, poolclass=NullPool).connect().scalar(text("SELECT 1"))


@app.get("/lite")
def lite():
    return create_engine("sqlite://").connect().scalar(text("SELECT 1"))


@app.get("/kept")
def kept():
    g.engine = create_engine(URI, pool_pre_ping=True)
    return "kept"


def wait_for_server():
    for _ in range(30):
        try:
            started = create_engine(URI, pool_pre_ping=True)
            started.connect().close()
            return started
        except OperationalError:
            time.sleep(1)
    return None


def shards(urls):
    return [create_engine(url, pool_pre_ping=True) for url in urls]


def each_shard(urls):
    found = {}
    for name, url in urls.items():
        found[name] = create_engine(url, pool_pre_ping=True)
    return found
