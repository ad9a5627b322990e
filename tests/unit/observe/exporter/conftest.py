"""What a simulated server answers to an exporter."""

from __future__ import annotations

import pytest

from stillhere.testing.wire_server import Answer

PAIRS = ("Variable_name", "Value")
_HOST_COLUMNS = (
    "ip", "host", "sum_connect_errors", "count_host_blocked_errors", "name_errors", "count_handshake_errors",
    "count_authentication_errors",
)  # fmt: skip
ANSWERS = {
    "SELECT VERSION()": Answer(("version", "now", "id"), [("8.4.0", "2026-05-05 01:02:03.000000", "7")]),
    "SHOW GLOBAL VARIABLES": Answer(
        PAIRS,
        [
            ("wait_timeout", "600"),
            ("max_connections", "151"),
            ("max_connect_errors", "10"),
            ("max_allowed_packet", "67108864"),
            ("performance_schema", "ON"),
            ("super_read_only", "OFF"),
            ("read_only", "ON"),
        ],
    ),
    "SHOW GLOBAL STATUS": Answer(
        PAIRS, [("Uptime", "3600"), ("Aborted_clients", "12"), ("Connection_errors_accept", "3"), ("Com_kill", "2")]
    ),
    "SHOW FULL PROCESSLIST": Answer(
        ("Id", "User", "Host", "db", "Command", "Time", "State", "Info"),
        [
            ("7", "monitor", "10.0.0.2:1", None, "Query", "0", "", "SHOW FULL PROCESSLIST"),
            ("8", "app", "10.0.0.3:1", "shop", "Sleep", "700", "", None),
            ("9", "app", "10.0.0.3:2", "shop", "Sleep", "5", "", None),
            ("10", "job", "10.0.0.4:2", "shop", "Query", "5", "init", "SELECT 1"),
            ("11", "system user", "", None, "Daemon", "3600", "", None),
        ],
    ),
    "SELECT trx_mysql_thread_id": Answer(
        ("id", "seconds", "state", "modified", "locked", "statement"),
        [("8", "650.5", "RUNNING", "1", "1", None), ("10", "4.5", "LOCK WAIT", "0", "1", "SELECT 1")],
    ),
    "SELECT ip, host": Answer(
        _HOST_COLUMNS, [("10.0.0.9", None, "6", "0", "0", "6", "0"), ("10.0.0.8", None, "1", "0", "0", "1", "0")]
    ),
}


@pytest.fixture
def answers():
    """A copy that a test may change."""
    return dict(ANSWERS)
