import MySQLdb
from fastapi import Depends
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from shop.models import Order

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
Maker = sessionmaker(engine)


def get_session():
    with Maker() as session:
        yield session


def orders(session=Maker()):  # expect: SH208
    return session.scalars(select(Order)).all()


def orders_by_keyword(*, session=Session(engine)):  # expect: SH208
    return session.scalars(select(Order)).all()


def rows(connection=MySQLdb.connect(db="shop")):  # expect: SH208
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM orders")
    return cursor.fetchall()


def by_dependency(session: Session = Depends(get_session)):
    return session.scalars(select(Order)).all()


def by_factory(factory=Maker):
    with factory() as session:
        return session.scalars(select(Order)).all()


def by_nothing(session=None):
    return (session or Maker()).scalars(select(Order)).all()


def by_engine(target=engine, names=tuple("ab"), limit=int(3)):
    return target, names, limit
