import time

import MySQLdb
import MySQLdb.cursors
import requests
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from shop.models import Customer

engine = create_engine("mysql+mysqldb://app:secret@db.example/shop", pool_pre_ping=True)
CRM = "https://crm.example/"


def push():
    connection = MySQLdb.connect(db="shop", cursorclass=MySQLdb.cursors.SSCursor)
    cursor = connection.cursor()
    cursor.execute("SELECT id, address FROM customers")
    for number, address in cursor:
        requests.post(CRM, json={"id": number, "address": address}, timeout=30)  # expect: SH502


def push_by_yield(session: Session):
    for customer in session.scalars(select(Customer).execution_options(yield_per=100)):
        time.sleep(2)  # expect: SH502
        print(customer)


def push_by_stream():
    with engine.connect() as connection:
        rows = connection.execution_options(stream_results=True).execute(text("SELECT id FROM customers"))
        for row in rows:
            requests.post(CRM, json={"id": row.id}, timeout=30)  # expect: SH502


def push_by_page(last=0):
    connection = MySQLdb.connect(db="shop")
    cursor = connection.cursor()
    cursor.execute("SELECT id, address FROM customers WHERE id > %s ORDER BY id LIMIT 500", (last,))
    for number, address in cursor.fetchall():
        requests.post(CRM, json={"id": number, "address": address}, timeout=30)


def buffered():
    connection = MySQLdb.connect(db="shop")
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM customers")
    for (number,) in cursor:
        requests.post(CRM, json={"id": number}, timeout=30)


def quick(session: Session):
    for customer in session.query(Customer).yield_per(100):
        print(customer)
        time.sleep(0.01)
