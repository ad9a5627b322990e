"""From what was seen to what the page shows, as plain JSON. Pure; nothing in it is a secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stillhere.findings import Finding
from stillhere.survey.snapshot import OpenTransaction, Session, Snapshot

__all__ = ["Seen", "server_view"]

_SHOWN_SESSIONS = 200
_SHOWN_GROUPS = 12
_SHOWN_TRANSACTIONS = 20
_LONG = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a watcher knows of one server.

    Attributes:
        address: as text, without credentials.
        snapshot: the last look that worked; ``None`` before the first.
        before: the look before that one, for rates.
        trouble: why the last look failed; empty where it worked.
        since: seconds since the server's state, up or down, last changed.
        age: seconds since `snapshot`.
        findings: of the doctor.
        not_checked: what the doctor could not look at.
    """

    address: str
    snapshot: Snapshot | None = None
    before: Snapshot | None = None
    trouble: str = ""
    since: float = 0.0
    age: float = 0.0
    findings: tuple[Finding, ...] = ()
    not_checked: tuple[str, ...] = field(default=())


def server_view(seen: Seen) -> dict[str, Any]:
    """One server, as the page draws it."""
    view: dict[str, Any] = {
        "address": seen.address,
        "state": "connecting" if seen.snapshot is None and not seen.trouble else "down" if seen.trouble else "up",
        "trouble": seen.trouble,
        "since": round(seen.since, 1),
        "age": round(seen.age, 1),
        "findings": [_finding(one) for one in seen.findings],
        "not_checked": list(seen.not_checked),
    }
    if seen.snapshot is not None:
        view |= _numbers(seen.snapshot, seen.before)
    return view


def _numbers(now: Snapshot, before: Snapshot | None) -> dict[str, Any]:
    clients = [one for one in now.sessions or () if one.command not in {"Daemon", "Binlog Dump"}]
    idle = [one for one in clients if one.idle]
    return {
        "version": str(now.version),
        "uptime": now.count("uptime"),
        "connections": now.count("threads_connected"),
        "running": now.count("threads_running"),
        "limit": now.number("max_connections"),
        "most": now.count("max_used_connections"),
        "wait_timeout": now.number("wait_timeout"),
        "read_only": bool(now.switched_on("super_read_only") or now.switched_on("read_only")),
        "rates": {name: _rate(now, before, name) for name in ("aborted_clients", "aborted_connects", "com_kill")},
        "totals": {name: now.count(name) for name in ("aborted_clients", "aborted_connects", "com_kill")},
        "states": _counted("idle" if one.idle else one.command.lower() or "connect" for one in clients),
        "users": _counted(one.user for one in clients),
        "hosts": _counted(one.host for one in clients),
        "idle": sorted((round(one.seconds) for one in idle), reverse=True)[:_SHOWN_SESSIONS],
        "idle_count": len(idle),
        "transactions": _transactions(now.transactions, clients),
        "gaps": dict(now.gaps),
    }


def _rate(now: Snapshot, before: Snapshot | None, name: str) -> float | None:
    """A minute's growth; ``None`` where it isn't known, or the server was started again in between."""
    first, last = (before.count(name) if before is not None else None), now.count(name)
    if before is None or first is None or last is None or last < first:
        return None
    seconds = (now.taken_at - before.taken_at).total_seconds()
    return round((last - first) / seconds * 60, 2) if seconds > 0 else None


def _counted(values: Iterable[str]) -> list[list[Any]]:
    counted = Counter(values).most_common()
    shown: list[list[Any]] = [[value, count] for value, count in counted[:_SHOWN_GROUPS]]
    rest = sum(count for _, count in counted[_SHOWN_GROUPS:])
    return [*shown, ["other", rest]] if rest else shown


def _transactions(
    transactions: Sequence[OpenTransaction] | None, clients: Sequence[Session]
) -> list[dict[str, Any]] | None:
    if transactions is None:
        return None
    by_id = {one.id: one for one in clients}
    long = sorted((one for one in transactions if one.seconds >= _LONG), key=lambda one: -one.seconds)
    return [_transaction(one, by_id.get(one.thread_id)) for one in long[:_SHOWN_TRANSACTIONS]]


def _transaction(one: OpenTransaction, holder: Session | None) -> dict[str, Any]:
    return {
        "id": one.thread_id,
        "seconds": round(one.seconds, 1),
        "state": one.state,
        "rows": one.rows_modified,
        "locks": one.rows_locked,
        "user": holder.user if holder else "",
        "host": holder.host if holder else "",
        "port": holder.port if holder else 0,
        "idle": holder.idle if holder else None,
        "statement": one.statement or (holder.statement if holder else ""),
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "severity": str(one.severity),
        "message": one.message,
        "why": one.why,
        "remedy": one.remedy.text if one.remedy else "",
        "commands": list(one.remedy.commands) if one.remedy else [],
    }
