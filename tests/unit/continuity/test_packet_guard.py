"""The packet guard: the largest statement that a server accepts, and what is said of a larger one."""

from __future__ import annotations

from stillhere.continuity.packets import largest_statement, too_large
from stillhere.errors import PacketTooLarge


def test_a_packet_as_long_as_the_limit_is_refused_so_two_bytes_less_of_sql_fit():
    assert largest_statement(1024) == 1022


def test_the_error_has_both_numbers_and_the_next_step():
    error = too_large(2000, 1024)
    assert isinstance(error, PacketTooLarge)
    for part in ("2000 bytes", "1024 bytes", "nothing was sent", "SET GLOBAL max_allowed_packet"):
        assert part in str(error)


def test_a_statement_of_just_the_limit_is_sent_and_one_byte_more_is_not(rig, server, run):
    server.max_allowed_packet = 100
    connection = rig.connect(autocommit=True)
    fits = "SELECT '" + "x" * (98 - len("SELECT ''")) + "'"
    run(connection, fits)
    for call in (lambda: run(connection, fits + " "), lambda: connection.query(fits + " ")):
        try:
            call()
        except PacketTooLarge as error:
            assert "99 bytes" in str(error)  # noqa: PT017 - both ways in one test
        else:
            raise AssertionError("it was sent")
    assert server.sent(b"xxx") == 1


def test_where_the_limit_is_unknown_nothing_is_held_back(rig, server, run):
    server.max_allowed_packet = 0
    connection = rig.connect(autocommit=True)
    run(connection, "SELECT '" + "x" * 4096 + "'")
