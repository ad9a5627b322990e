"""The largest statement that a server accepts is sent; one byte more is refused before anything is sent."""

from __future__ import annotations

import contextlib

import pytest

import stillhere

LIMIT = 1024 * 1024


@pytest.fixture
def limited(room):
    """The server with a small ``max_allowed_packet`` for new connections."""
    before = room.server.set_global({"max_allowed_packet": LIMIT})
    yield room
    room.server.set_global(before)


def statement(size):
    head, tail = b"SELECT LENGTH('", b"')"
    return head + b"x" * (size - len(head) - len(tail)) + tail


def accepted_by_server(room, size):
    """Asked with the driver alone, past all guards."""
    connection = room.dbapi.connect(**room.arguments())
    try:
        connection.query(statement(size))
        if room.driver == "mysqlclient":
            connection.store_result()
    except room.dbapi.Error:
        return False
    finally:
        with contextlib.suppress(room.dbapi.Error):
            connection.close()
    return True


def test_the_guard_stands_exactly_at_the_servers_own_bound(limited, run):
    room = limited
    largest = next(size for size in range(LIMIT + 2, LIMIT - 10, -1) if accepted_by_server(room, size))
    connection = room.connect(autocommit=True)
    before = connection.thread_id()
    assert run(connection, statement(largest)) == ((largest - 17,),)
    with pytest.raises(stillhere.PacketTooLarge, match=f"{largest + 1} bytes exceeds .* {LIMIT} bytes") as caught:
        run(connection, statement(largest + 1))
    assert isinstance(caught.value, room.dbapi.OperationalError)
    assert run(connection, "SELECT CONNECTION_ID()") == ((before,),)


def test_a_statement_too_large_costs_a_transaction_nothing(limited, rows, run):
    connection = limited.connect()
    run(connection, "UPDATE t SET v = 0")
    with pytest.raises(stillhere.PacketTooLarge):
        run(connection, statement(2 * LIMIT))
    with pytest.raises(stillhere.PacketTooLarge):
        run(connection, "UPDATE t SET v = LENGTH(%s)", ("x" * LIMIT,))
    connection.commit()
    assert limited.ask("SELECT SUM(v) FROM t") == [(0,)]


def test_the_limit_of_a_new_physical_connection_counts(limited, run):
    connection = limited.connect(autocommit=True)
    limited.server.set_global({"max_allowed_packet": 4 * LIMIT})
    with pytest.raises(stillhere.PacketTooLarge):
        run(connection, statement(2 * LIMIT))
    limited.lose_idle()
    assert run(connection, "SELECT 1") == ((1,),)
    assert run(connection, statement(2 * LIMIT)) == ((2 * LIMIT - 17,),)
