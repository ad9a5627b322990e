import contextlib

from sqlalchemy import create_engine, select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import scoped_session, sessionmaker

from shop.models import Order

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
Session = sessionmaker(engine)
Registry = scoped_session(Session)
AsyncSession = async_sessionmaker(create_async_engine("mysql+asyncmy://app@db.example/shop", pool_pre_ping=True))


def get_session():
    session = Session()  # expect: SH204
    yield session
    session.close()


def orders():
    session = Session()  # expect: SH204
    found = session.scalars(select(Order)).all()
    session.close()
    return found


def orders_by_connection():
    connection = engine.connect()  # expect: SH204
    rows = connection.execute(text("SELECT id FROM orders")).all()
    connection.close()
    return rows


async def get_async_session():
    session = AsyncSession()  # expect: SH204
    yield session
    await session.close()


def partly_handled(number):
    session = Session()  # expect: SH204
    try:
        order = session.get(Order, number)
    except ValueError:
        session.close()
        raise
    session.close()
    return order


# Closed whatever happens.
def get_session_safely():
    session = Session()
    try:
        yield session
    finally:
        session.close()


def get_session_as_context():
    with Session() as session:
        yield session


def handled(number):
    session = Session()
    try:
        order = session.get(Order, number)
    except Exception:
        session.close()
        raise
    session.close()
    return order


def entered():
    connection = engine.connect()
    with connection:
        rows = connection.execute(text("SELECT id FROM orders")).all()
    connection.close()
    return rows


def stacked():
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(Session())
        return session.scalars(select(Order)).all()


# Somebody else's to close, or nothing in between.
def new_session():
    session = Session()
    session.info["origin"] = "worker"
    return session


def scoped():
    session = Registry()
    found = session.scalars(select(Order)).all()
    session.close()
    return found


def probe():
    connection = engine.connect()
    connection.close()


def main():
    session = Session()
    session.execute(text("DELETE FROM sessions"))
    session.close()


def read(path):
    file = open(path)
    text = file.read()
    file.close()
    return text
