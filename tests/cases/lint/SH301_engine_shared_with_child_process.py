import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import NullPool

from shop.models import Base

URI = "mysql+pymysql://app:secret@db.example/shop"
engine = create_engine(URI, pool_pre_ping=True)
unpooled = create_engine(URI, poolclass=NullPool)
protected = create_engine(URI + "?plugin=stillhere")
Session = sessionmaker(engine)


def mark(number):
    with engine.begin() as connection:
        connection.execute(text("UPDATE jobs SET done = 1 WHERE id = :id"), {"id": number})


def mark_by_session(number):
    with Session.begin() as session:
        session.execute(text("UPDATE jobs SET done = 1 WHERE id = :id"), {"id": number})


def mark_unpooled(number):
    with unpooled.begin() as connection:
        connection.execute(text("UPDATE jobs SET done = 1 WHERE id = :id"), {"id": number})


def mark_protected(number):
    with protected.begin() as connection:
        connection.execute(text("UPDATE jobs SET done = 1 WHERE id = :id"), {"id": number})


def mark_alone(number):
    engine.dispose(close=False)
    mark(number)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def mark_with_own(number):
    own = create_engine(URI, pool_pre_ping=True)
    with own.begin() as connection:
        connection.execute(text("UPDATE jobs SET done = 1 WHERE id = :id"), {"id": number})


def numbers():
    with engine.connect() as connection:
        return connection.execute(text("SELECT id FROM jobs")).scalars().all()


def by_pool():
    found = numbers()
    with multiprocessing.Pool() as pool:
        pool.map(mark, found)  # expect: SH301


def by_process():
    Base.metadata.create_all(engine)
    child = multiprocessing.Process(target=mark, args=(1,))  # expect: SH301
    child.start()


def by_executor():
    with Session() as session:
        found = session.execute(text("SELECT id FROM jobs")).scalars().all()
    with ProcessPoolExecutor() as executor:
        for number in found:
            executor.submit(mark_by_session, number)  # expect: SH301


# The child begins anew, or has nothing to share.
def by_disposing_child():
    found = numbers()
    with multiprocessing.Pool() as pool:
        pool.map(mark_alone, found)


def by_initializer():
    found = numbers()
    with multiprocessing.Pool(initializer=lambda: engine.dispose(close=False)) as pool:
        pool.map(mark, found)


def by_own():
    found = numbers()
    with multiprocessing.Pool() as pool:
        pool.map(mark_with_own, found)


def by_unpooled():
    found = numbers()
    with multiprocessing.Pool() as pool:
        pool.map(mark_unpooled, found)


def by_protected():
    found = protected.connect().execute(text("SELECT id FROM jobs")).scalars().all()
    with multiprocessing.Pool() as pool:
        pool.map(mark_protected, found)


def by_unused():
    with multiprocessing.Pool() as pool:
        pool.map(mark, range(10))


def by_threads():
    found = numbers()
    with ThreadPoolExecutor() as executor:
        executor.map(mark, found)


def by_other_function():
    found = numbers()
    with multiprocessing.Pool() as pool:
        return pool.map(os.path.basename, found)
