"""Units of work on real servers: deadlocks between threads, lock waits, lost transactions, the how-to's own code."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
import sqlalchemy.exc
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import sessionmaker

import stillhere

PAGE = Path(__file__).parents[2] / "docs/how-to/retry-a-unit-of-work.md"
DRIVERS = ("pymysql", "mysqlclient")
PLUGIN = {"plugin": "stillhere"}
MOVE = text("UPDATE account SET cents = cents + :cents WHERE id = :id")


@pytest.fixture(params=DRIVERS)
def driver(request):
    return request.param


@pytest.fixture
def url(server, database, driver):
    """A schema with two accounts."""
    server.execute(f"CREATE TABLE {database}.account (id INT PRIMARY KEY, cents INT NOT NULL) ENGINE=InnoDB")
    server.execute(f"INSERT INTO {database}.account VALUES (1, 1000), (2, 1000)")
    return make_url(server.url(database=database, driver=driver))


@pytest.fixture(params=[PLUGIN, {}], ids=["stillhere", "bare"])
def engine(request, url):
    made = create_engine(url.update_query_dict(request.param))
    yield made
    made.dispose()


@pytest.fixture
def cents(server, database):
    """Reads what is on the two accounts."""
    return lambda: [row[0] for row in server.execute(f"SELECT cents FROM {database}.account ORDER BY id")]


def test_two_threads_that_deadlock_both_succeed_and_the_sum_is_right(engine, cents):
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
    assert cents() == [800, 1200]


def test_a_lock_wait_is_run_again_from_the_beginning(server, database, engine, cents):
    holder = server.admin()
    holder.begin()
    holder.cursor().execute(f"SELECT * FROM {database}.account WHERE id = 2 FOR UPDATE")
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
    assert cents() == [995, 1005]


def kill(server, session) -> None:
    """What a cut connection looks like to the application."""
    server.execute(f"KILL {session.scalar(text('SELECT CONNECTION_ID()'))}")


@pytest.mark.parametrize("engine", [PLUGIN], indirect=True, ids=["stillhere"])
def test_a_transaction_that_can_not_be_replayed_is_run_again_when_it_was_lost(server, engine, cents):
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
    assert cents() == [995, 1005]


@pytest.mark.parametrize(("obey_kill_after", "known"), [(5.0, True), (0.0, False)])
def test_a_lost_transaction_tells_whether_it_may_be_run_again(server, url, driver, obey_kill_after, known):
    engine = create_engine(url.update_query_dict({**PLUGIN, "stillhere.obey_kill_after": str(obey_kill_after)}))
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


@pytest.mark.parametrize("engine", [{}], indirect=True, ids=["bare"])
def test_without_stillhere_a_lost_connection_is_not_run_again(server, engine, cents):
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
    assert cents() == [1000, 1000]


@pytest.mark.parametrize("driver", ["pymysql"], indirect=True)
def test_the_code_of_the_how_to_runs(url, cents):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    target = url.update_query_dict(PLUGIN).render_as_string(hide_password=False)
    for block in blocks:
        code = re.sub(r'"mysql\+pymysql://[^"]*"', repr(target), block)
        if "sqlalchemy.ext.asyncio" in code:
            compile(code, PAGE.name, "exec")  # its driver isn't among the ones tested with
        else:
            exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102 - the page's own
    assert cents() == [500, 1500]
    assert names["balance"](2) == 1500
    names["rebuild"]()
    names["engine"].dispose()
