"""Units of work on real servers: deadlocks between threads, lock waits, lost transactions, the how-to's own code."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
import sqlalchemy.exc
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

import stillhere

PAGE = Path(__file__).parents[2] / "docs/how-to/retry-a-unit-of-work.md"
SCHEMA = "units"
DRIVERS = ("pymysql", "mysqldb")
MOVE = text("UPDATE account SET cents = cents + :cents WHERE id = :id")


@pytest.fixture(params=DRIVERS)
def driver(request):
    return request.param


@pytest.fixture
def url(server, driver):
    """A schema with two accounts, and some that aren't transactional."""
    server.execute(f"DROP DATABASE IF EXISTS {SCHEMA}")
    server.execute(f"CREATE DATABASE {SCHEMA}")
    server.execute(f"CREATE TABLE {SCHEMA}.account (id INT PRIMARY KEY, cents INT NOT NULL) ENGINE=InnoDB")
    server.execute(f"INSERT INTO {SCHEMA}.account VALUES (1, 1000), (2, 1000)")
    return server.url(user="root", database=SCHEMA, driver=driver)


@pytest.fixture(params=["?plugin=stillhere", ""], ids=["stillhere", "bare"])
def engine(request, url):
    made = create_engine(url + request.param)
    yield made
    made.dispose()


def cents(server) -> list[int]:
    return [row[0] for row in server.execute(f"SELECT cents FROM {SCHEMA}.account ORDER BY id")]


def test_two_threads_that_deadlock_both_succeed_and_the_sum_is_right(server, engine):
    meeting = threading.Barrier(2)
    tries: list[int] = []
    failures: list[BaseException] = []

    @stillhere.retry(sessions=sessionmaker(engine), budget=None)
    def transfer(session, source: int, target: int, amount: int, first: list[int]) -> None:
        tries.append(source)
        session.execute(MOVE, {"cents": -amount, "id": source})
        if not first:
            first.append(1)
            meeting.wait(10)
        session.execute(MOVE, {"cents": amount, "id": target})

    def run(*arguments: int) -> None:
        try:
            transfer(*arguments, [])
        except BaseException as error:  # noqa: BLE001 - told by the assertion
            failures.append(error)

    threads = [threading.Thread(target=run, args=arguments) for arguments in ((1, 2, 300), (2, 1, 100))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(tries) == 3
    assert cents(server) == [800, 1200]


def test_a_lock_wait_is_run_again_from_the_beginning(server, engine):
    holder = server.admin()
    holder.begin()
    holder.cursor().execute(f"SELECT * FROM {SCHEMA}.account WHERE id = 2 FOR UPDATE")
    tries = 0

    @stillhere.retry(sessions=sessionmaker(engine), budget=None)
    def transfer(session) -> None:
        nonlocal tries
        tries += 1
        session.execute(text("SET SESSION innodb_lock_wait_timeout = 1"))
        session.execute(MOVE, {"cents": -5, "id": 1})
        try:
            session.execute(MOVE, {"cents": 5, "id": 2})
        finally:
            holder.rollback()

    transfer()
    holder.close()
    assert tries == 2
    assert cents(server) == [995, 1005]


def kill(server, session) -> None:
    """What a cut connection looks like to the application."""
    server.execute(f"KILL {session.scalar(text('SELECT CONNECTION_ID()'))}")


@pytest.mark.parametrize("engine", ["?plugin=stillhere"], indirect=True, ids=["stillhere"])
def test_a_transaction_that_can_not_be_replayed_is_run_again_when_it_was_lost(server, engine):
    tries = 0

    @stillhere.retry(sessions=sessionmaker(engine), budget=None)
    def transfer(session) -> None:
        nonlocal tries
        tries += 1
        session.execute(text("SELECT GET_LOCK('transfer', 1)"))
        session.execute(MOVE, {"cents": -5, "id": 1})
        if tries == 1:
            kill(server, session)
        session.execute(MOVE, {"cents": 5, "id": 2})

    transfer()
    assert tries == 2
    assert cents(server) == [995, 1005]


@pytest.mark.parametrize(("obey_kill_after", "known"), [(5.0, True), (0.0, False)])
def test_a_lost_transaction_tells_whether_it_may_be_run_again(server, url, driver, obey_kill_after, known):
    engine = create_engine(f"{url}?plugin=stillhere&stillhere.obey_kill_after={obey_kill_after}")
    connection = engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("SELECT GET_LOCK('transfer', 1), CONNECTION_ID()")
    server.execute(f"KILL {cursor.fetchone()[1]}")
    for expected in (connection.driver_connection.OperationalError, stillhere.TransactionLost):
        with pytest.raises(expected) as caught:
            cursor.execute("UPDATE account SET cents = 0")
        assert stillhere.is_retryable(caught.value) is known
    connection.rollback()
    connection.close()
    engine.dispose()


@pytest.mark.parametrize("engine", [""], indirect=True, ids=["bare"])
def test_without_stillhere_a_lost_connection_is_not_run_again(server, engine):
    tries = 0

    @stillhere.retry(sessions=sessionmaker(engine), budget=None)
    def transfer(session) -> None:
        nonlocal tries
        tries += 1
        session.execute(MOVE, {"cents": -5, "id": 1})
        kill(server, session)
        session.execute(MOVE, {"cents": 5, "id": 2})

    with pytest.raises(sqlalchemy.exc.DBAPIError):
        transfer()
    assert tries == 1
    assert cents(server) == [1000, 1000]


@pytest.mark.parametrize("driver", ["pymysql"], indirect=True)
def test_the_code_of_the_how_to_runs(server, url):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        code = re.sub(r'"mysql\+pymysql://[^"]*"', repr(url + "?plugin=stillhere"), block)
        if "sqlalchemy.ext.asyncio" in code:
            compile(code, PAGE.name, "exec")  # its driver isn't among the ones tested with
        else:
            exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102 - the page's own
    assert cents(server) == [500, 1500]
    assert names["balance"](2) == 1500
    names["rebuild"]()
    names["engine"].dispose()
