"""``wait_timeout``: how long a session may be idle before the server closes it.

Raised only where sessions were cut at it and it is shorter than the pause that the user named, or, where he named none,
than a minute. Everywhere else an idle cut is mended by the client: whatever the server allows, the shortest hop on the
way still cuts, and a long limit keeps dead clients' threads and locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stillhere.findings import Evidence
from stillhere.tune.change import Answer, Gap, change, note, size
from stillhere.tune.measured import Cut, Measured, plural, session_memory

__all__ = ["ENOUGH", "FLOOR", "judge", "judge_idle_limit"]

FLOOR = 60
"""Seconds. A pool is often left alone for a minute; nothing that was measured says for how long exactly."""
ENOUGH = 600
"""Seconds: what is proposed where the user names no pause. Ten times the floor, far below a hop's or a day's limit."""
_MARGIN = 1.5  # over the pause that the user named
_LONGEST = 28800  # the servers' own default; a longer silence is a client's to keep alive


def judge(measured: Measured) -> Iterator[Answer]:
    """Whether the limit cuts what it should not."""
    yield from judge_idle_limit(measured, "wait_timeout")


def judge_idle_limit(measured: Measured, name: str) -> Iterator[Answer]:
    """The same for either of the two limits."""
    limit = measured.value(name)
    if limit is None:
        return
    need = measured.needs.idle
    told_more = need is not None and need >= limit and name == "wait_timeout"
    if Cut.IDLE not in measured.cuts and not told_more:
        reason = measured.gaps.get("cuts", "nobody counted idle cuts")
        yield Gap(name=name, reason=f"{reason}; give its error log with --log, or watch it with --watch 60s")
        return
    if not told_more and not (measured.happened(Cut.IDLE, name) and _ours(measured, name, limit)):
        return
    floor = FLOOR if need is None else need
    if limit > floor or (limit == floor and not told_more):
        if name == "wait_timeout":
            yield _client_side(measured, name, limit)
        return
    if need is not None and need * _MARGIN > _LONGEST:
        yield _client_side(measured, name, limit)
        return
    value = ENOUGH if need is None else max(FLOOR, int(-(-need * _MARGIN // 1)))
    yield change(
        measured,
        name,
        value,
        message=f"{name} cuts sessions that an application still holds: it is {limit} s",
        why="A pool that hands out such a connection passes the cut on as 2006, 2013 or 4031.",
        evidence=(*measured.evidence(Cut.IDLE, name), *_assumed(need), *_holders(measured)),
        cost=_cost(measured),
        advice="Recycle pooled connections below it, or let stillhere replace them.",
    )


def _ours(measured: Measured, name: str, limit: int) -> bool:
    """Whether the cuts can be this limit's: where their idle time was seen, by it; else the shorter limit's."""
    at = [idle for seen in measured.happened(Cut.IDLE, name) for idle in seen.at]
    if at and not any(seen.number and not seen.at for seen in measured.happened(Cut.IDLE, name)):
        return any(abs(idle - limit) <= 2 for idle in at)  # noqa: PLR2004 - whole seconds, looked at twice in each
    other = measured.value("interactive_timeout" if name == "wait_timeout" else "wait_timeout")
    return other is None or limit <= other


def _assumed(need: float | None) -> Iterable[Evidence]:
    if need is None:
        return (Evidence(f"the application's longest pause was not told (--idle); {FLOOR} s is assumed", "assumption"),)
    return (Evidence(f"the application pauses for up to {need:g} s", "--idle"),)


def _holders(measured: Measured) -> Iterable[Evidence]:
    sessions = measured.snapshot.sessions or ()
    idle = sum(session.idle for session in sessions)
    return (
        (Evidence(f"{plural(len(sessions), 'session')} now, {idle} of them idle", "SHOW PROCESSLIST"),)
        if sessions
        else ()
    )


def _cost(measured: Measured) -> str:
    memory = session_memory(measured.snapshot)
    peak = measured.snapshot.count("max_used_connections") or 0
    return (
        f"Idle sessions stay longer: {size(memory.idle)} each ({size(memory.idle * peak)} at the peak so far,"
        f" {plural(peak, 'session')}), and what a vanished client had locked stays locked for as long."
    )


def _client_side(measured: Measured, name: str, limit: int) -> Answer:
    need = measured.needs.idle
    told = "" if need is None else f", and the longest pause named is {need:g} s"
    return note(
        measured,
        name,
        message=f"idle sessions are cut at {name} = {limit} s{told}: mend the client, not the server",
        why="A longer limit keeps dead clients' threads and locks, and the shortest hop on the way still cuts.",
        evidence=(*measured.evidence(Cut.IDLE, name), measured.setting(name)),
        remedy=f"Give the pool a recycle time well below {limit} s, or add plugin=stillhere to the application's URL.",
    )
