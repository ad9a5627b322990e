"""Servers on paper: what the rules see, without a server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stillhere.server.versions import parse_version
from stillhere.survey.origins import Origin, SettingFacts
from stillhere.survey.snapshot import Session, Snapshot
from stillhere.tune.measured import Cut, Measured, Seen

MYSQL = "9.7.0"
MARIADB = "10.11.11-MariaDB"
DEFAULTS = {
    "wait_timeout": "28800",
    "interactive_timeout": "28800",
    "max_allowed_packet": "67108864",
    "max_connections": "151",
    "max_connect_errors": "100",
    "connect_timeout": "10",
    "net_read_timeout": "30",
    "net_write_timeout": "60",
    "skip_name_resolve": "OFF",
    "thread_stack": "1048576",
    "net_buffer_length": "16384",
    "read_buffer_size": "131072",
    "read_rnd_buffer_size": "262144",
    "sort_buffer_size": "262144",
    "join_buffer_size": "262144",
    "log_bin": "OFF",
    "open_files_limit": "1048576",
    "table_open_cache": "4000",
    "innodb_buffer_pool_size": "134217728",
}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def session(number, user="app", *, idle=True, seconds=1.0):
    return Session(
        id=number,
        user=user,
        host="10.0.0.7",
        port=40000 + number,
        database="shop",
        command="Sleep" if idle else "Query",
        seconds=seconds,
        state="",
        statement="" if idle else "SELECT 1",
    )


@pytest.fixture
def server():
    """Makes a healthy server of either family, counted by MySQL, with what the test changes."""

    def make(version=MYSQL, *, variables=None, status=None, sessions=(), cuts=None, facts=None, gaps=None, **more):
        mariadb = "MariaDB" in version
        values = DEFAULTS | ({"idle_transaction_timeout": "0", "max_allowed_packet": "16777216"} if mariadb else {})
        values |= variables or {}
        counted = {} if mariadb else {kind: (Seen(number=0, source="counted"),) for kind in Cut}
        found = {
            name: SettingFacts(origin=Origin.DEFAULT, low=1, high=(1 << 30), switch=value in {"ON", "OFF"})
            for name, value in values.items()
        }
        return Measured(
            snapshot=Snapshot(
                address="db.example:3306",
                version=parse_version(version),
                version_text=version,
                taken_at=NOW,
                variables=values,
                status={"uptime": "7200", "max_used_connections": "20"} | (status or {}),
                sessions=tuple(sessions),
            ),
            facts=found | (facts or {}),
            cuts=counted | (cuts or {}),
            hosts=more.pop("hosts", ()),
            named=more.pop("named", ()),
            gaps=gaps or ({"cuts": "keeps no count of errors"} if mariadb else {}),
            **more,
        )

    return make


@pytest.fixture
def cut():
    """Makes a count of cuts of one kind."""

    def make(kind, number=7, **more):
        return {kind: (Seen(number=number, source="the server's own count", **more),)}

    return make
