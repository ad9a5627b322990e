import threading
from concurrent.futures import ThreadPoolExecutor

import MySQLdb
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

from shop.models import Order

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
Session = sessionmaker(engine)


def export(source, number):
    return source, number


def in_loop(numbers):
    with Session() as session:
        for number in numbers:
            threading.Thread(target=export, args=(session, number)).start()  # expect: SH303


def in_pool(numbers):
    connection = MySQLdb.connect(db="shop")
    with ThreadPoolExecutor() as executor:
        return [executor.submit(export, connection, number) for number in numbers]  # expect: SH303


def meanwhile():
    session = Session()
    worker = threading.Thread(target=export, args=(session, 1))  # expect: SH303
    worker.start()
    return session.scalars(select(Order)).all()


def twice():
    session = Session()
    first = threading.Thread(target=export, args=(session, 1))  # expect: SH303
    second = threading.Thread(target=export, args=(session, 2))
    first.start()
    second.start()


# Each has its own, or it is handed over for good.
def own(numbers):
    for number in numbers:
        threading.Thread(target=export, args=(Session, number)).start()


def made_in_loop(numbers):
    for number in numbers:
        session = Session()
        threading.Thread(target=export, args=(session, number)).start()


def for_good():
    session = Session()
    threading.Thread(target=export, args=(session, 1)).start()


def waited_for():
    session = Session()
    worker = threading.Thread(target=export, args=(session, 1))
    worker.start()
    worker.join()
    return session.scalars(select(Order)).all()


def engines_are_shared(numbers):
    for number in numbers:
        threading.Thread(target=export, args=(engine, number)).start()
