"""A script that is run to its end: nothing in it grows old."""

import sys

import pymysql
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from shop.models import Order

engine = create_engine("mysql+pymysql://app:secret@db.example/shop")
connection = pymysql.connect(host="db.example", database="shop")
session = Session(engine)


def report():
    for order in session.scalars(select(Order)):
        print(order)


def clean():
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM sessions"))


if __name__ == "__main__":
    clean() if "--clean" in sys.argv else report()
    connection.close()
