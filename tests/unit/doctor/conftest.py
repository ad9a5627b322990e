"""Cases made of a healthy server's own defaults and what a test changes in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stillhere.doctor.case import Case, Settings
from stillhere.doctor.engines import EngineFacts
from stillhere.doctor.idling import End, IdleLimit
from stillhere.errorlog.entry import Entry, Kind
from stillhere.errorlog.summary import AbortGroup, Aborts, Ending, Life, Noise, Summary
from stillhere.events import Incident
from stillhere.server.versions import parse_version
from stillhere.survey.account_use import AccountUse
from stillhere.survey.digests import Digest
from stillhere.survey.error_counts import ErrorCount
from stillhere.survey.host_cache import HostEntry
from stillhere.survey.own_account import OwnAccount
from stillhere.survey.replication import GroupMember, Replica
from stillhere.survey.snapshot import OpenTransaction, Session, Snapshot

DEFAULTS = Path(__file__).parents[2] / "cases/doctor/defaults"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

# What a test needn't say of each record.
BLANKS: dict[type, dict[str, Any]] = {
    Session: {
        "id": 7, "user": "app", "host": "10.0.0.9", "port": 5, "database": "shop", "command": "Sleep", "seconds": 1.0,
        "state": "", "statement": "",
    },
    OpenTransaction: {
        "thread_id": 7, "seconds": 1.0, "state": "RUNNING", "rows_modified": 0, "rows_locked": 0, "statement": "",
    },
    HostEntry: {
        "ip": "10.0.0.9", "host": "", "connect_errors": 0, "blocked_attempts": 0, "name_errors": 0,
        "handshake_errors": 0, "denied": 0,
    },
    AccountUse: {"user": "app", "host": "10.0.0.9", "current": 1, "total": 1},
    Digest: {"text": "SELECT * FROM t", "schema": "shop", "count": 1, "longest": 0.1, "mean": 0.1, "failed": 0},
    ErrorCount: {"code": 1, "raised": 1, "first": NOW, "last": NOW},
    Replica: {"channel": "", "source": "db1:3306", "receiving": True, "applying": True, "lag": 0.0, "error": ""},
    GroupMember: {"id": "a", "address": "db1:3306", "state": "ONLINE", "role": "PRIMARY"},
    OwnAccount: {
        "name": "app@%", "queries_per_hour": 0, "connections_per_hour": 0, "connections": 0, "password_days": 0,
        "password_set": None,
    },
    Incident: {
        "at": NOW, "server": "db.example:3306", "cause": "idle_timeout", "certainty": 0.95, "sentence": "idle 612 s",
        "done": "Replaced; nothing lost",
    },
    EngineFacts: {"name": "shop.db:engine", "database": "shop"},
}  # fmt: skip


def defaults(flavour: str) -> dict[str, Any]:
    return json.loads((DEFAULTS / f"{flavour}.json").read_text(encoding="utf-8"))


def record(kind: type, values: Mapping[str, Any]) -> Any:
    blanks = BLANKS[kind]
    if values.get("pool") in ("NullPool", "StaticPool"):
        blanks = blanks | {"size": None, "overflow": None, "timeout": None}
    return kind(**blanks | dict(values))


def records(kind: type, found: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    """Those of a kind; one that says ``times`` stands for so many, each with an id of its own."""
    made = []
    for values in found.get(key, ()):
        plain = {name: value for name, value in values.items() if name != "times"}
        ids = [{"id": 100 + place} for place in range(values["times"])] if "times" in values else [{}]
        made += [record(kind, plain | own) for own in ids]
    return tuple(made)


def build_log(changes: Mapping[str, Any]) -> Summary:
    """A log that says what the changes say."""
    groups = [AbortGroup(**one | {"kind": Kind[one["kind"]]}) for one in changes.get("groups", ())]
    return Summary(
        first=changes.get("first"),
        last=changes.get("last"),
        lives=tuple(Life(**one | {"ending": Ending[one["ending"]]}) for one in changes.get("lives", ())),
        counts={Kind[kind]: count for kind, count in changes.get("counts", {}).items()},
        aborts=Aborts(total=sum(one.count for one in groups), groups=tuple(groups)),
        noise=tuple(Noise(**one) for one in changes.get("noise", ())),
        entries=tuple(Entry(**one | {"kind": Kind[one["kind"]]}) for one in changes.get("entries", ())),
    )


def build_case(changes: Mapping[str, Any], flavour: str = "mysql") -> Case:
    """A healthy server of that flavour, but for the changes."""
    base = defaults(flavour)
    variables = base["variables"] | changes.get("variables", {})
    session = {"wait_timeout": variables["wait_timeout"]} | base["session"] | changes.get("session", {})
    snapshot = Snapshot(
        address="db.example:3306",
        version=parse_version(changes.get("version", base["version"])),
        version_text=base["version"],
        taken_at=NOW,
        variables=variables,
        session_variables=session,
        status=base["status"] | changes.get("status", {}),
        sessions=records(Session, changes, "sessions"),
        transactions=records(OpenTransaction, changes, "transactions"),
    )
    idle = dict(changes["idle"]) if "idle" in changes else None
    if idle is not None and "how" in idle:
        idle["how"] = End[idle["how"]]
    return Case(
        snapshot=snapshot,
        login_seconds=changes.get("login_seconds", 0.01),
        hosts=records(HostEntry, changes, "hosts"),
        accounts=records(AccountUse, changes, "accounts"),
        digests=records(Digest, changes, "digests"),
        errors=records(ErrorCount, changes, "errors"),
        replicas=records(Replica, changes, "replicas"),
        members=records(GroupMember, changes, "members"),
        account=record(OwnAccount, changes["account"]) if "account" in changes else None,
        engines=records(EngineFacts, changes, "engines"),
        idle=IdleLimit(**idle) if idle is not None else None,
        incidents=records(Incident, changes, "incidents"),
        log=build_log(changes["log"]) if "log" in changes else None,
        settings=Settings(**changes.get("settings", {})),
        gaps=changes.get("gaps", {}),
    )


@pytest.fixture(scope="session")
def build():
    """Makes a case from changes to a healthy server."""
    return build_case
