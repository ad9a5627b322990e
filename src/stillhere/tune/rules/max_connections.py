"""``max_connections``: how many sessions at once.

Raised only where clients were refused and the sessions there were are at work: where most of them are idle, pools or
leaks hold them and would hold more; where the server fails to make threads, more are no help.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from stillhere.findings import Evidence
from stillhere.tune.change import Answer, Gap, change, note, size
from stillhere.tune.measured import Measured, age, plural, session_memory

__all__ = ["judge"]

_NAME = "max_connections"
_IDLE_SHARE = 0.8  # of the sessions; then it is pools or leaks that fill the server
_FULL_SHARE = 0.5  # of the limit; with fewer sessions than that now, the crowd has gone and can't be judged
_STEP = 50
_DESCRIPTORS = 10  # that a server keeps for itself beside one a session and two an open table


def judge(measured: Measured) -> Iterator[Answer]:
    """Whether more sessions should be let in."""
    limit = measured.value(_NAME)
    refused = measured.snapshot.count("connection_errors_max_connections") or 0
    peak = measured.snapshot.count("max_used_connections") or 0
    # With fewer sessions at the peak, the limit was another one when clients were refused. MariaDB counts only those
    # whom it refuses before they log in; whom it refuses afterwards raises the peak over the limit.
    if limit is None or peak < limit or not (refused or peak > limit):
        return
    reason = _not_more(measured, limit, refused)
    if reason is not None:
        yield reason
        return
    value = -(-int(limit * 1.25) // _STEP) * _STEP
    memory = session_memory(measured.snapshot)
    total = _fixed(measured) + value * memory.busy
    if measured.needs.memory is not None and total > measured.needs.memory:
        yield note(
            measured,
            _NAME,
            message=f"{_said(refused, limit)}, and {size(measured.needs.memory)} hold no more",
            why=f"{value} busy sessions and the shared buffers would take {size(total)}.",
            evidence=_evidence(measured, refused),
            remedy="Fewer or smaller pools; or more memory.",
        )
        return
    yield change(
        measured,
        _NAME,
        value,
        message=f"{_who(refused)} met error 1040: all {limit} sessions were taken",
        why="How many would have come is not counted; a quarter more is tried.",
        evidence=_evidence(measured, refused),
        cost=(
            f"{size((value - limit) * memory.idle)} more with idle sessions, {size((value - limit) * memory.busy)} more"
            f" with busy ones ({size(memory.idle)} and {size(memory.busy)} each)."
        ),
        advice="First sum up the pools: processes times (pool_size + max_overflow).",
    )


def _evidence(measured: Measured, refused: int) -> tuple[Evidence, ...]:
    status = measured.snapshot
    found = []
    if refused:
        text = f"{plural(refused, 'login')} refused for want of a session, in {age(status.count('uptime') or 0)}"
        found.append(Evidence(text, "SHOW GLOBAL STATUS, Connection_errors_max_connections"))
    peak = status.count("max_used_connections")
    if peak is not None:
        when = status.status.get("max_used_connections_time", "")
        found.append(
            Evidence(f"at most {plural(peak, 'session')} at once{', at ' + when if when else ''}", "SHOW GLOBAL STATUS")
        )
    return tuple(found)


def _not_more(measured: Measured, limit: int, refused: int) -> Answer | None:
    evidence = _evidence(measured, refused)
    failed = measured.snapshot.count("connection_errors_internal")
    if failed:
        return note(
            measured,
            _NAME,
            message=f"{_said(refused, limit)}, and the server failed {failed} times to make a thread",
            why="It is at a limit of its machine: more sessions are no help.",
            evidence=(*evidence, Evidence(f"{failed} internal errors at connect", "Connection_errors_internal")),
            remedy="Look at the limits of threads and memory of its service (LimitNPROC, TasksMax, cgroup) first.",
        )
    if measured.snapshot.sessions is None or "sessions" in measured.gaps:
        return Gap(
            name=_NAME,
            reason=f"{plural(refused, 'client')} refused; {measured.gaps.get('sessions', 'sessions unknown')}",
        )
    crowd = [session for session in measured.snapshot.sessions if session.command != "Daemon"]
    idle = [session for session in crowd if session.idle]
    if len(crowd) >= limit * _FULL_SHARE and len(idle) >= len(crowd) * _IDLE_SHARE:
        return _held(measured, limit, refused, evidence)
    return _descriptors(measured, limit, refused, evidence)


def _held(measured: Measured, limit: int, refused: int, evidence: tuple[Evidence, ...]) -> Answer:
    idle = [session for session in measured.snapshot.sessions or () if session.idle]
    holders = Counter(f"{session.user}@{session.host}" for session in idle).most_common(5)
    longest = max(session.seconds for session in idle)
    return note(
        measured,
        _NAME,
        message=f"{_said(refused, limit)}, while {len(idle)} sessions do nothing",
        why="Pools, or leaks, hold them; they would take more as well.",
        evidence=(
            *evidence,
            Evidence(f"{len(idle)} idle sessions, the longest for {longest:.0f} s", "SHOW PROCESSLIST"),
            *(Evidence(f"{who} holds {number} idle", "SHOW PROCESSLIST") for who, number in holders),
        ),
        remedy="Sum up processes times (pool_size + max_overflow) of each holder; look for sessions left open.",
    )


def _descriptors(measured: Measured, limit: int, refused: int, evidence: tuple[Evidence, ...]) -> Answer | None:
    files, tables = measured.value("open_files_limit"), measured.value("table_open_cache")
    wanted = int(limit * 1.25) + 2 * (tables or 0) + _DESCRIPTORS
    if files and wanted > files:
        return note(
            measured,
            _NAME,
            message=f"{_said(refused, limit)}, and open_files_limit = {files} holds no more",
            why=f"A quarter more sessions and the table cache want {wanted} descriptors.",
            evidence=(*evidence, Evidence(f"table_open_cache is {tables}", "SHOW GLOBAL VARIABLES")),
            remedy="Raise the service's LimitNOFILE and open_files_limit first.",
        )
    return None


def _said(refused: int, limit: int) -> str:
    return f"{_who(refused)} refused at {_NAME} = {limit}"


def _who(refused: int) -> str:
    return plural(refused, "client") if refused else "clients (how many is not counted)"


def _fixed(measured: Measured) -> int:
    names = ("innodb_buffer_pool_size", "key_buffer_size", "innodb_log_buffer_size", "aria_pagecache_buffer_size")
    return sum(measured.value(name) or 0 for name in names)
