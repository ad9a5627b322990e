import pymysql
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

GIB = 1024**3
ARGUMENTS = {
    "connect_timeout": 5,
    "max_allowed_packet": 256 * 1024 * 1024,  # expect: SH506
}

connection = pymysql.connect(database="shop", max_allowed_packet=GIB) if GIB else None  # expect: SH506
engine = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True, connect_args=ARGUMENTS)
raised = create_engine(
    "mysql+pymysql://app@db.example/shop",
    pool_pre_ping=True,
    connect_args={"init_command": "SET SESSION max_allowed_packet=67108864"},  # expect: SH506
)


def raise_limit(session: Session):
    session.execute(text("SET max_allowed_packet = 1073741824"))  # expect: SH506


# Below the limit, on the server, or somebody else's.
small = create_engine(
    "mysql+pymysql://app@db.example/shop", pool_pre_ping=True, connect_args={"max_allowed_packet": 16 * 1024**2}
)
zone = create_engine(
    "mysql+pymysql://app@db.example/shop",
    pool_pre_ping=True,
    connect_args={"init_command": "SET time_zone = '+00:00'"},
)


def raise_limit_of_server(session: Session):
    session.execute(text("SET GLOBAL max_allowed_packet = 268435456"))


def show_limit(session: Session):
    return session.scalar(text("SELECT @@max_allowed_packet"))


def other(client):
    return client.connect(max_allowed_packet=GIB)
