"""Looking at real servers: politely, within the granted time, and with whatever rights the account has."""

from __future__ import annotations

import time

import pytest

from stillhere.errors import ConfigurationError
from stillhere.survey.login import address_of, login, target
from stillhere.survey.take import NotAllowed, take

DRIVERS = ("mysqldb", "pymysql")


def url(server, driver="pymysql", account="root"):
    return target(f"mysql+{driver}://{account}@127.0.0.1:{server.port}/?plugin=stillhere&stillhere.ride_through=3")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_look_shows_the_server_and_raises_no_abort_counter(server, driver):
    where = url(server, driver)
    looks = []
    for _ in range(3):
        with login(where) as ask:
            looks.append(take(ask, address_of(where)))
    snapshot = looks[-1]
    assert snapshot.address == f"127.0.0.1:{server.port}"
    assert snapshot.number("wait_timeout") == 28800
    assert snapshot.count("uptime") is not None
    assert snapshot.sessions is not None
    assert snapshot.transactions is not None
    assert snapshot.gaps == {}
    for counter in ("aborted_clients", "aborted_connects"):
        assert snapshot.count(counter) == looks[0].count(counter)


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_open_transaction_is_seen_with_its_age(server, database, driver):
    where = url(server, driver)
    with login(where) as holder, login(where) as ask:
        holder(f"CREATE TABLE {database}.t (id INT PRIMARY KEY) ENGINE=InnoDB")
        holder("START TRANSACTION")
        holder(f"INSERT INTO {database}.t VALUES (1)")
        own = holder("SELECT CONNECTION_ID() AS id")[0]["id"]
        time.sleep(0.2)  # INNODB_TRX is a copy that is renewed after a tenth of a second without a look
        found = [one for one in take(ask, "server").transactions if one.thread_id == own]
    assert [one.rows_modified for one in found] == [1]


def test_without_process_the_gaps_say_what_is_needed(server):
    server.execute("CREATE USER 'plain'@'127.0.0.1'")
    try:
        with login(url(server, account="plain")) as ask:
            snapshot = take(ask, "server")
            with pytest.raises(NotAllowed, match="needs"):
                ask("FLUSH PRIVILEGES")
    finally:
        server.execute("DROP USER 'plain'@'127.0.0.1'")
    assert "PROCESS" in snapshot.gaps["transactions"]
    assert "own only" in snapshot.gaps["sessions"]
    assert snapshot.number("wait_timeout") == 28800


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_frozen_server_costs_no_more_than_was_granted(server, driver):
    where = url(server, driver)
    dbapi = where.get_dialect().import_dbapi()
    server.freeze()
    started = time.monotonic()
    try:
        with pytest.raises(dbapi.OperationalError), login(where, timeout=1.0):
            pass
    finally:
        server.thaw()
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("text", ["", "nonsense", "postgresql://localhost/x", "mysql+pymysql://u:hunter22@host:port/x"])
def test_a_url_that_is_none_is_one_clear_error_without_its_password(text):
    with pytest.raises(ConfigurationError) as caught:
        target(text)
    assert "hunter22" not in str(caught.value)
