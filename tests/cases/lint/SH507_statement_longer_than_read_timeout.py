import pymysql
from sqlalchemy import create_engine, text

engine = create_engine(
    "mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True, connect_args={"read_timeout": 10}
)


def lock():
    with engine.begin() as connection:
        connection.execute(text("SELECT GET_LOCK('nightly', 60)"))  # expect: SH507


def report():
    with engine.connect() as connection:
        return connection.execute(text("SELECT /*+ MAX_EXECUTION_TIME(30000) */ 1 FROM sales")).all()  # expect: SH507


def lock_briefly():
    with engine.begin() as connection:
        connection.execute(text("SELECT GET_LOCK('nightly', 3)"))


def report_briefly():
    with engine.connect() as connection:
        return connection.execute(text("SELECT /*+ MAX_EXECUTION_TIME(5000) */ 1 FROM sales")).all()


def other():
    return pymysql.connect(host="db.example", connect_timeout=3)
