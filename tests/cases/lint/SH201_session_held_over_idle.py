import queue
import time

import pymysql
import redis
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import scoped_session, sessionmaker

from shop.models import Job

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
Session = sessionmaker(engine)
jobs = queue.Queue()
PAUSE = 5 * 60


def poll():
    session = Session()
    while True:
        for job in session.scalars(select(Job).where(Job.due)):
            job.run()
        time.sleep(PAUSE)  # expect: SH201


def poll_connection():
    with engine.connect() as connection:
        while True:
            connection.execute(text("SELECT id FROM jobs"))
            time.sleep(600)  # expect: SH201


def work(stop):
    session = Session()
    while not stop.is_set():
        number = jobs.get()  # expect: SH201
        session.get(Job, number).run()


def work_from_redis():
    client = redis.Redis()
    connection = pymysql.connect(host="db.example", user="app", database="shop")
    cursor = connection.cursor()
    while True:
        _, number = client.blpop("jobs")  # expect: SH201
        cursor.execute("UPDATE jobs SET done = 1 WHERE id = %s", (number,))
        connection.commit()


# Ended in each turn.
def poll_and_commit():
    session = Session()
    while True:
        for job in session.scalars(select(Job).where(Job.due)):
            job.run()
        session.commit()
        time.sleep(PAUSE)


def poll_anew():
    while True:
        with Session.begin() as session:
            for job in session.scalars(select(Job).where(Job.due)):
                job.run()
        time.sleep(PAUSE)


def poll_scoped():
    registry = scoped_session(Session)
    while True:
        for job in registry.scalars(select(Job)):
            job.run()
        registry.remove()
        time.sleep(PAUSE)


# Short pauses keep nothing idle for long.
def poll_quickly():
    session = Session()
    while True:
        session.scalars(select(Job)).all()
        time.sleep(1)


def work_with_timeout(stop):
    session = Session()
    while not stop.is_set():
        number = jobs.get(timeout=5)
        session.get(Job, number).run()


def work_and_ping():
    client = redis.Redis()
    connection = pymysql.connect(host="db.example", user="app", database="shop")
    while True:
        _, number = client.blpop("jobs")
        connection.ping()
        connection.cursor().execute("UPDATE jobs SET done = 1 WHERE id = %s", (number,))


# Not a session's business.
def wait_only():
    session = Session()
    session.close()
    while True:
        time.sleep(PAUSE)


def look_up(settings):
    cache = {}
    while True:
        cache.get("name")
        time.sleep(settings.pause)
