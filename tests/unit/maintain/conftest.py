"""Servers' tables on paper: what the kinds of maintenance see, without a server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stillhere.maintain.inventory import Inventory, Thresholds
from stillhere.maintain.kinds import KINDS
from stillhere.maintain.plan import plan
from stillhere.server.versions import parse_version
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.tables import Column, Index, Table

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = ("shop", "orders")
MIB = 1024**2


def table(key=KEY, engine="InnoDB", **more):
    values = {"transactional": engine == "InnoDB", "rows": 5000, "data": MIB, "index": MIB, "free": 0}
    return Table(key=key, engine=engine, **values | more)


def index(name, *columns, key=KEY, unique=False, kind="BTREE", **more):
    parts = tuple(one if isinstance(one, Column) else Column(name=one) for one in columns)
    return Index(table=key, name=name, unique=unique or name == "PRIMARY", kind=kind, columns=parts, **more)


PRIMARY = index("PRIMARY", "id")


@pytest.fixture
def inventory():
    """Makes a server with one healthy table, and what the test changes."""

    def make(*, version="9.7.0", variables=None, uptime=60 * 86400, thresholds=None, **more):
        values = {
            "tables": (table(),),
            "indexes": (PRIMARY,),
            "files": {KEY: 2 * MIB},
            "statistics": {},
            "uses": {},
        }
        return Inventory(
            snapshot=Snapshot(
                address="db.example:3306",
                version=parse_version(version),
                version_text=version,
                taken_at=NOW,
                variables=variables or {},
                status={"uptime": str(uptime)},
            ),
            thresholds=thresholds or Thresholds(),
            **values | more,
        )

    return make


@pytest.fixture
def planned():
    """All kinds over an inventory."""
    return lambda found: plan(found, KINDS)
