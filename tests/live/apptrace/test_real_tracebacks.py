"""What a real driver and SQLAlchemy write when a real server cuts a connection is read into what really happened."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from stillhere.apptrace import PoolFacts, Position, parse

DRIVERS = {"pymysql": "PyMySQL", "mysqlclient": "mysqlclient"}


class Base(DeclarativeBase):
    """The tables of these tests."""


class Club(Base):
    """A row to write."""

    __tablename__ = "club"
    id: Mapped[int] = mapped_column(primary_key=True)
    founded: Mapped[int]


@pytest.fixture(params=DRIVERS)
def driver(request):
    return request.param


@pytest.fixture
def engine(server, database, driver):
    made = create_engine(server.url(database=database, driver=driver), pool_size=1, max_overflow=0, pool_timeout=0.1)
    Base.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def kill(server):
    """End a connection as an administrator does, and wait until the server has let go of it."""

    def killed(connection):
        thread = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
        server.execute(f"KILL {thread}")
        while server.execute("SELECT 1 FROM information_schema.processlist WHERE id = %s", (thread,)):
            pass

    return killed


def report_of(error):
    (report,) = parse("".join(traceback.format_exception(error)))
    return report


def agrees(report, error, driver):
    """Number, class and driver are those of the exception itself."""
    assert report.errno == error.orig.args[0]
    assert report.codes == (error.orig.args[0],)
    assert report.exception.rpartition(".")[2] == type(error.orig).__name__
    assert report.driver == DRIVERS[driver]
    assert report.frame is not None
    assert report.frame.path == __file__


def test_a_statement_on_a_killed_connection(engine, kill, driver):
    with engine.connect() as connection:
        kill(connection)
        with pytest.raises(DBAPIError) as caught:
            connection.execute(text("SELECT :one + 1"), {"one": 1})
    report = report_of(caught.value)
    agrees(report, caught.value, driver)
    assert report.position is Position.STATEMENT
    assert report.statement.startswith("SELECT ")
    assert report.frame.code.startswith("connection.execute(text(")


def test_a_flush_on_a_killed_connection(engine, kill, driver):
    with Session(engine) as session:
        kill(session.connection())
        session.add_all([Club(id=1, founded=1900), Club(id=2, founded=1901)])
        with pytest.raises(DBAPIError) as caught:
            session.flush()
    report = report_of(caught.value)
    agrees(report, caught.value, driver)
    assert report.position is Position.FLUSH
    assert report.in_transaction is True
    assert report.executemany
    assert report.statement.startswith("INSERT INTO club (id, founded) VALUES")


def test_a_commit_on_a_killed_connection(engine, kill, driver):
    with Session(engine) as session:
        session.add(Club(id=3, founded=1902))
        session.flush()
        kill(session.connection())
        with pytest.raises(DBAPIError) as caught:
            session.commit()
    report = report_of(caught.value)
    agrees(report, caught.value, driver)
    assert report.position is Position.COMMIT
    assert report.in_transaction is True
    assert report.statement == ""


def test_an_exhausted_pool(engine):
    with engine.connect(), pytest.raises(PoolTimeoutError) as caught:
        engine.connect()
    report = report_of(caught.value)
    assert report.position is Position.POOL
    assert report.pool == PoolFacts(size=1, overflow=0, timeout=0.1)
    assert report.errno is None


def test_a_server_that_is_not_there(server, engine, driver):
    engine.dispose()
    server.stop()
    try:
        with pytest.raises(DBAPIError) as caught:
            engine.connect()
    finally:
        server.start()
    report = report_of(caught.value)
    agrees(report, caught.value, driver)
    assert report.position is Position.CONNECT
    assert report.os_error is not None
