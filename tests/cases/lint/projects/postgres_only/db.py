import os

import psycopg
import requests
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"], max_overflow=-1)
Maker = sessionmaker(engine)
session = Maker()
DRIVER = psycopg.__name__


def pay(session: Session, order):
    with session.begin():
        requests.post("https://payments.example/", json=order, timeout=30)


def store(session: Session, order):
    for _ in range(3):
        try:
            session.add(order)
            session.commit()
            break
        except OperationalError:
            continue
