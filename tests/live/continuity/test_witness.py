"""The witness: an ambiguous COMMIT is settled, and applied exactly once."""

from __future__ import annotations

import pytest

import stillhere
from stillhere import Policy, events
from stillhere.continuity.witness_table import TABLE, creation
from stillhere.lab.wire import When

POLICY = Policy(witness=True, detect_within=1)


@pytest.fixture
def witness(room, table):
    """The witness table stands beside ``t``."""
    for sql in creation(room.database):
        room.ask(sql)
    return TABLE


def witnesses(room, kind="W"):
    return room.ask(f"SELECT COUNT(*) FROM {TABLE} WHERE kind = '{kind}'")[0][0]


def insert_and_commit(connection, run, value=1):
    run(connection, "INSERT INTO t (v) VALUES (%s)", (value,))
    connection.commit()


@pytest.mark.parametrize("way", ["method", "statement"])
def test_a_commit_that_was_executed_and_whose_reply_was_lost_is_settled_as_success(room, witness, run, way):
    connection = room.connect(POLICY)
    run(connection, "INSERT INTO t (v) VALUES (1)")
    cut = room.cut("COMMIT")
    connection.commit() if way == "method" else run(connection, "COMMIT")
    assert cut.hits == 1
    assert room.actions == ["SETTLE"]
    assert room.count() == 1
    insert_and_commit(connection, run, 2)
    assert room.count() == witnesses(room) == 2


def test_a_commit_that_was_not_forwarded_is_settled_as_never_and_done_once(room, witness, run):
    connection = room.connect(POLICY)
    run(connection, "INSERT INTO t (v) VALUES (1)")
    room.cut("COMMIT", When.BEFORE)
    connection.commit()
    assert room.actions == ["SETTLE"]
    assert room.count() == 1
    assert (witnesses(room), witnesses(room, "T")) == (1, 1)


def test_a_commit_in_a_black_hole_is_settled_as_never_and_done_once(room, witness, run):
    """Neither a reset nor an end of file: found by the watchdog, while the server still holds the transaction."""
    connection = room.connect(POLICY)
    run(connection, "INSERT INTO t (v) VALUES (1)")
    room.wire.black_hole()
    connection.commit()
    assert room.actions == ["REPLAY_AND_COMMIT"]
    assert room.count() == 1


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER_EXECUTED])
@pytest.mark.parametrize("resolver", ["BEFORE", "AFTER_EXECUTED"])
def test_a_resolver_that_is_cut_itself_asks_again(room, witness, run, when, resolver):
    connection = room.connect(POLICY)
    run(connection, "INSERT INTO t (v) VALUES (1)")
    room.cut("COMMIT", when)
    # The resolver's own insert is the next one into the table.
    seen = []

    def second(command):
        if TABLE.upper() in command.bare and command.bare.startswith("INSERT"):
            seen.append(command)
        return len(seen) == 2

    cut = room.cut(second, When[resolver])
    connection.commit()
    assert cut.hits == 1
    assert room.count() == 1
    assert witnesses(room) == 1


def test_a_commit_after_the_witness_was_lost_is_replayed(room, witness, run):
    connection = room.connect(POLICY)
    run(connection, "INSERT INTO t (v) VALUES (1)")
    cut = room.cut(lambda command: TABLE.upper() in command.bare)
    connection.commit()
    assert cut.hits == 1
    assert room.count() == witnesses(room) == 1


def test_a_missing_table_is_a_configuration_error_at_the_first_connect(room, table):
    with pytest.raises(stillhere.ConfigurationError, match="stillhere witness create"):
        room.connect(POLICY)


def test_missing_rights_are_a_configuration_error_at_the_first_connect(room, witness):
    room.ask("CREATE USER 'few'@'%' IDENTIFIED BY 'few'")
    try:
        room.ask(f"GRANT SELECT, INSERT ON {room.database}.t TO 'few'@'%'")
        with pytest.raises(stillhere.ConfigurationError, match="SELECT and INSERT"):
            room.connect(POLICY, user="few", password="few")
        room.ask(f"GRANT SELECT, INSERT ON {room.database}.{TABLE} TO 'few'@'%'")
        room.connect(POLICY, user="few", password="few")
    finally:
        room.ask("DROP USER 'few'@'%'")


def test_no_default_database_is_a_configuration_error(room):
    arguments = room.arguments()
    del arguments["database"]
    with pytest.raises(stillhere.ConfigurationError, match="default database"):
        stillhere.connect(room.dbapi, stillhere=POLICY, **arguments)


def test_a_missing_table_reaches_an_engine(room, table):
    pytest.importorskip("sqlalchemy")
    engine = room.engine(options="&stillhere.witness=on")
    with pytest.raises(stillhere.ConfigurationError):
        engine.connect()


def test_a_writing_transaction_costs_one_round_trip_more_and_a_reading_one_none(room, witness, run):
    def round_trips(connection, sql):
        run(connection, "SELECT 1")
        connection.commit()
        room.wire.reset_counters()
        run(connection, sql)
        connection.commit()
        return room.wire.round_trips

    plain, witnessed = room.connect(), room.connect(POLICY)
    for sql, more in (("INSERT INTO t (v) VALUES (1)", 1), ("SELECT v FROM t", 0), ("SELECT v FROM t FOR UPDATE", 0)):
        assert round_trips(witnessed, sql) == round_trips(plain, sql) + more
    assert witnesses(room) == 1


def test_a_read_only_transaction_leaves_no_witness(room, witness, run):
    connection = room.connect(POLICY, autocommit=True)
    run(connection, "START TRANSACTION READ ONLY")
    run(connection, "SELECT v FROM t")
    with pytest.raises(room.dbapi.Error, match="1792"):
        run(connection, "INSERT INTO t (v) VALUES (1)")
    connection.commit()
    assert witnesses(room) == 0


def test_a_rollback_leaves_no_witness(room, witness, run):
    connection = room.connect(POLICY)
    run(connection, "INSERT INTO t (v) VALUES (1)")
    connection.rollback()
    assert witnesses(room) == 0


def test_transactions_without_unique_checks_do_not_wait_for_each_other(room, witness, run):
    """With unique_checks=0 an insert into an empty table locks all of it; the sentinel keeps it from being empty."""
    one, other = room.connect(POLICY), room.connect(POLICY)
    for connection in (one, other):
        run(connection, "SET unique_checks = 0")
        run(connection, "SET innodb_lock_wait_timeout = 2")
    run(one, "INSERT INTO t (v) VALUES (1)")
    link = one._stillhere
    link.endpoint.witness.leave(link.driver, one)  # as its COMMIT does; and then it lingers
    insert_and_commit(other, run, 2)
    assert room.count() == 1
    one.rollback()


def test_the_token_of_a_late_original_meets_the_tombstone(room, witness, run):
    """The COMMIT is still on its way while the question is asked: the answer closes the door behind it."""
    connection = room.connect(POLICY)
    run(connection, "INSERT INTO t (v) VALUES (1)")
    room.cut("COMMIT", When.BEFORE, ghost=True)
    connection.commit()
    assert room.count() == 1
    assert (witnesses(room), witnesses(room, "T")) == (1, 1)


def test_another_server_that_has_the_witness_proves_the_commit_and_one_without_proves_nothing(
    room, witness, run, mariadb, mysql
):
    """As after a failover: presence proves it anywhere, absence proves nothing elsewhere."""
    other = mysql if room.mariadb else mariadb
    other.start()
    other.execute(f"CREATE DATABASE {room.database}")
    try:
        for sql in creation(room.database):
            other.execute(sql)
        before = room.wire.target
        for copied in (True, False):
            connection = room.connect(POLICY)
            run(connection, "INSERT INTO t (v) VALUES (1)")

            def divert(command, copied=copied, link=connection._stillhere):
                if command.bare != "COMMIT":
                    return False
                room.wire.target = (other.host, other.port)
                if copied:
                    value = link.token.value.hex()
                    other.execute(f"INSERT INTO {room.database}.{TABLE} VALUES (0x{value}, 'W', UTC_TIMESTAMP(6))")
                return True

            room.cut(divert)
            try:
                if copied:
                    connection.commit()
                else:
                    with pytest.raises(stillhere.CommitOutcomeUnknown, match="may or may not"):
                        connection.commit()
                    assert "witness could not settle" in room.recorded(events.Refusal)[-1].reason
            finally:
                room.wire.target = before
            connection.close()
    finally:
        other.execute(f"DROP DATABASE {room.database}")
