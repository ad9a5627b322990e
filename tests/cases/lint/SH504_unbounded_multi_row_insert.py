from itertools import batched

import mysql.connector
import pymysql
from sqlalchemy import insert, text
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.orm import Session

from shop.models import Reading


def store(session: Session, readings):
    session.execute(insert(Reading).values([{"at": at, "value": value} for at, value in readings]))  # expect: SH504


def upsert(session: Session, readings):
    rows = [{"at": at, "value": value} for at, value in readings]
    statement = mysql_insert(Reading).values(rows)  # expect: SH504
    session.execute(statement.on_duplicate_key_update(value=statement.inserted.value))


def store_collected(session: Session, readings):
    rows = []
    for at, value in readings:
        rows.append({"at": at, "value": value})
    session.execute(insert(Reading).values(rows))  # expect: SH504


def store_by_text(readings):
    cursor = pymysql.connect(database="shop").cursor()
    rows = "INSERT INTO readings VALUES " + ",".join(f"({at}, {value})" for at, value in readings)
    cursor.execute(rows)  # expect: SH504


def store_by_connector(readings):
    cursor = mysql.connector.connect(database="shop").cursor()
    rows = [(at, value) for at, value in readings]
    cursor.executemany("INSERT INTO readings VALUES (%s, %s)", rows)  # expect: SH504


def store_frame(frame, engine):
    frame.to_sql("readings", engine, method="multi", if_exists="append")  # expect: SH504


# Cut to size by the driver or by hand.
def store_many(session: Session, readings):
    session.execute(insert(Reading), [{"at": at, "value": value} for at, value in readings])


def store_by_driver(readings):
    cursor = pymysql.connect(database="shop").cursor()
    rows = [(at, value) for at, value in readings]
    cursor.executemany("INSERT INTO readings VALUES (%s, %s)", rows)


def store_in_chunks(session: Session, readings):
    for chunk in batched(readings, 500):
        session.execute(insert(Reading).values([{"at": at, "value": value} for at, value in chunk]))


def store_in_ranges(session: Session, readings):
    for start in range(0, len(readings), 500):
        session.execute(insert(Reading).values([{"at": at} for at, _ in readings[start : start + 500]]))


def store_frame_in_chunks(frame, engine):
    frame.to_sql("readings", engine, method="multi", chunksize=500)
    frame.to_sql("readings", engine)


def store_one(session: Session, at, value):
    session.execute(insert(Reading).values(at=at, value=value))
    session.execute(insert(Reading).values({"at": at, "value": value}))
    session.execute(insert(Reading).values([{"at": at}, {"at": value}]))


def store_columns(session: Session, columns, row):
    session.execute(text("INSERT INTO readings VALUES (" + ", ".join(f":{name}" for name in columns) + ")"), row)


def find(settings, frame):
    return settings.values([name for name in frame])


def store_names(table, row):
    cursor = pymysql.connect(database="shop").cursor()
    names, marks = ", ".join(quote(name) for name in row), ", ".join(["%s"] * len(row))
    cursor.execute(f"INSERT INTO {table} ({', '.join(quote(name) for name in row)}) VALUES ({marks})", names)


def quote(name):
    return f"`{name}`"
