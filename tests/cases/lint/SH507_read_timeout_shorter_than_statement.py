import pymysql
from sqlalchemy import create_engine

URI = "mysql+pymysql://app:secret@db.example/shop"


def limited():
    return pymysql.connect(
        host="db.example",
        read_timeout=5,  # expect: SH507
        init_command="SET SESSION max_execution_time=30000",
    )


locking = create_engine(
    URI,
    pool_pre_ping=True,
    connect_args={
        "read_timeout": 30,  # expect: SH507
        "init_command": "SET SESSION innodb_lock_wait_timeout=50",
    },
)
in_url = create_engine(  # expect: SH507
    URI + "?read_timeout=10&init_command=SET max_statement_time=20",
    pool_pre_ping=True,
)


def patient():
    return pymysql.connect(host="db.example", read_timeout=35, init_command="SET SESSION max_execution_time=30000")


def without():
    return pymysql.connect(host="db.example", init_command="SET SESSION max_execution_time=30000")


def zone():
    return pymysql.connect(host="db.example", read_timeout=5, init_command="SET time_zone='+00:00'")
