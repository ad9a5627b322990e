import pymysql
from pymysql.cursors import DictCursor, SSCursor
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from shop.models import Order

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
lite = create_engine("sqlite://")


def totals(session: Session):
    for order in session.query(Order).yield_per(500):
        order.total = 1
        session.commit()  # expect: SH501


def totals_by_option(session: Session):
    for order in session.scalars(select(Order).execution_options(yield_per=500)):
        session.execute(text("UPDATE orders SET total = 1 WHERE id = :id"), {"id": order.id})  # expect: SH501


def totals_by_stream():
    with engine.connect() as connection:
        rows = connection.execution_options(stream_results=True).execute(text("SELECT id FROM orders"))
        for row in rows:
            connection.execute(text("UPDATE orders SET total = 1 WHERE id = :id"), {"id": row.id})  # expect: SH501


def by_driver():
    connection = pymysql.connect(database="shop")
    stream = connection.cursor(SSCursor)
    other = connection.cursor()
    stream.execute("SELECT id FROM orders")
    for (number,) in stream:
        other.execute("UPDATE orders SET total = 1 WHERE id = %s", (number,))  # expect: SH501


def by_driver_of_class():
    connection = pymysql.connect(database="shop", cursorclass=SSCursor)
    with connection.cursor() as stream:
        stream.execute("SELECT id FROM orders")
        while row := stream.fetchone():
            stream.execute("UPDATE orders SET total = 1 WHERE id = %s", row)  # expect: SH501


# On another connection, after the rows, or with rows that are here already.
def by_two_connections():
    reader, writer = pymysql.connect(database="shop"), pymysql.connect(database="shop")
    stream = reader.cursor(SSCursor)
    cursor = writer.cursor()
    stream.execute("SELECT id FROM orders")
    for (number,) in stream:
        cursor.execute("UPDATE orders SET total = 1 WHERE id = %s", (number,))


def buffered():
    connection = pymysql.connect(database="shop", cursorclass=DictCursor)
    rows, cursor = connection.cursor(), connection.cursor()
    rows.execute("SELECT id FROM orders")
    for row in rows:
        cursor.execute("UPDATE orders SET total = 1 WHERE id = %s", (row["id"],))


def buffered_by_session(session: Session):
    for order in session.scalars(select(Order)):
        session.execute(text("UPDATE orders SET total = 1 WHERE id = :id"), {"id": order.id})
    session.commit()


def first_only(session: Session):
    for order in session.query(Order).yield_per(500):
        if order.total is None:
            session.execute(text("UPDATE orders SET total = 1 WHERE id = :id"), {"id": order.id})
            break


def after(session: Session):
    count = 0
    for _order in session.query(Order).yield_per(500):
        count += 1
    session.execute(text("UPDATE counts SET orders = :n"), {"n": count})


def files():
    with lite.connect() as connection:
        for row in connection.execution_options(stream_results=True).execute(text("SELECT 1")):
            connection.execute(text("SELECT :n"), {"n": row[0]})
