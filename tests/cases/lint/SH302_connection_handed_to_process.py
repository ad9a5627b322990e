import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pymysql
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

URI = "mysql+pymysql://app:secret@db.example/shop"
engine = create_engine(URI, pool_pre_ping=True)
protected = create_engine(URI + "?plugin=stillhere")
lite = create_engine("sqlite:///a.db")
Session = sessionmaker(engine)


def export(target, year):
    with create_engine(target, pool_pre_ping=True).connect() as connection:
        return connection.execute(text("SELECT :y"), {"y": year}).all()


def by_session():
    with Session() as session:
        child = multiprocessing.Process(target=export, args=(session, 2024))  # expect: SH302
        child.start()


def by_keyword():
    connection = pymysql.connect(host="db.example", database="shop")
    multiprocessing.Process(target=export, kwargs={"target": connection, "year": 2024}).start()  # expect: SH302


def by_engine():
    with ProcessPoolExecutor() as executor:
        executor.submit(export, engine, 2024)  # expect: SH302


def by_pool(years):
    connection = engine.connect()
    with multiprocessing.Pool() as pool:
        pool.apply_async(export, (connection, years))  # expect: SH302


def by_url():
    multiprocessing.Process(target=export, args=(URI, 2024)).start()


def by_protected_engine():
    multiprocessing.Process(target=export, args=(protected, 2024)).start()


def by_file():
    multiprocessing.Process(target=export, args=(lite, 2024)).start()


def by_numbers(session_id):
    with ProcessPoolExecutor() as executor:
        executor.submit(export, URI, session_id)
