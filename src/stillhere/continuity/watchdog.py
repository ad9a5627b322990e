"""Finds statements whose reply will never come, by asking the server over another connection.

Keepalive and ``TCP_USER_TIMEOUT`` end the wait for a silent peer on a direct connection. Behind anything
that terminates TCP (a proxy, a load balancer) the next hop answers them whatever becomes of the server.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from stillhere.continuity.forks import known
from stillhere.continuity.states import GONE
from stillhere.drivers.base import as_text, shut_down

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillhere.continuity.endpoint import Endpoint
    from stillhere.continuity.facts import Facts
    from stillhere.continuity.link import Link

__all__ = ["Look", "Watch", "ensure_running", "judge"]

_logger = logging.getLogger("stillhere")
_TICK = 0.25
# Asleep twice, so far apart, with nothing to read: the reply is not on its way.
_BETWEEN_LOOKS = 0.5


class Look:
    """What the server was seen doing for a connection; plain constants for `judge`."""

    WORKING = "working"
    ASLEEP = "asleep"
    GONE = "gone"
    UNREACHABLE = "unreachable"


def judge(before: str, now: str, *, readable: bool, silent_for: float, detect_within: float) -> str:
    """Why a statement is to be given up; empty to go on waiting.

    Args:
        before: what was seen last time; empty for the first look.
        now: what is seen now.
        readable: whether something of a reply has arrived.
        silent_for: seconds since it was sent.
        detect_within: the policy's.
    """
    if readable:
        return ""
    if now == Look.GONE:
        return GONE
    if now == Look.ASLEEP and before == Look.ASLEEP:
        return "the server has finished with it and its reply did not arrive"
    if now == Look.UNREACHABLE and before == Look.UNREACHABLE and silent_for > 2 * detect_within:
        return "the server can't be reached over another connection either"
    return ""


class _Overdue(NamedTuple):
    """A statement that has been in flight for longer than its policy's ``detect_within``."""

    link: Link
    sent_at: float
    limit: float


class Watch:
    """One process's watchdog thread."""

    def __init__(self, tick: float = _TICK) -> None:
        self._tick = tick
        self._seen: dict[int, tuple[float, str, float]] = {}
        self._thread = threading.Thread(target=self._run, name="stillhere-watchdog", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether its thread is alive; it isn't in the child of a fork."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while True:
            time.sleep(self._tick)
            try:
                self.look_around()
            except Exception:
                _logger.exception("stillhere.watchdog_failed")

    def look_around(self) -> None:
        """One round over all connections; asks only about those that have waited too long, once for each server."""
        now = time.monotonic()
        overdue: dict[int, list[_Overdue]] = {}
        for _, link in known():
            limit = link.endpoint.policy.detect_within
            sent_at = link.sent_at
            if limit and sent_at and now - sent_at > limit:
                overdue.setdefault(id(link.endpoint), []).append(_Overdue(link, sent_at, limit))
        waiting = {id(item.link) for items in overdue.values() for item in items}
        self._seen = {key: seen for key, seen in self._seen.items() if key in waiting}
        for items in overdue.values():
            due = [item for item in items if self._is_due(item)]
            if due:
                self._look_at(due)

    def _is_due(self, item: _Overdue) -> bool:
        sent_at, before, looked_at = self._seen.get(id(item.link), (0.0, "", 0.0))
        if sent_at != item.sent_at or not looked_at:
            return True
        # While the server works on it, ask ever less often: a report may take an hour.
        pause = (looked_at - sent_at) / 4 if before == Look.WORKING else 0.0
        return time.monotonic() - looked_at >= max(_BETWEEN_LOOKS, pause)

    def _look_at(self, items: list[_Overdue]) -> None:
        answers = _ask(items[0].link.endpoint, [item.link.facts for item in items], items[0].link.chain)
        for item, now in zip(items, answers, strict=True):
            sent_at, before, _ = self._seen.get(id(item.link), (0.0, "", 0.0))
            self._seen[id(item.link)] = (item.sent_at, now, time.monotonic())
            why = judge(
                before if sent_at == item.sent_at else "",
                now,
                readable=item.link.readable(),
                silent_for=time.monotonic() - item.sent_at,
                detect_within=item.limit,
            )
            if why:
                _condemn(item.link, item.sent_at, why)


def _condemn(link: Link, sent_at: float, why: str) -> None:
    """Shut the socket down under the statement, so that its thread meets a loss; unless it has returned."""
    with link.watching:
        if link.sent_at == sent_at:
            link.condemned = why
            shut_down(link.descriptor)


def _ask(endpoint: Endpoint, threads: list[Facts], chain: Callable[[], Any]) -> list[str]:
    """What the server is doing for each of these connections, over another one, opened and closed for the question."""
    driver = endpoint.driver
    try:
        side = endpoint.open_aside(chain)
    except driver.dbapi.Error as error:
        return [Look.UNREACHABLE if endpoint.unreachable(error) else Look.WORKING] * len(threads)
    ids = b", ".join(b"%d" % facts.thread_id for facts in threads)
    try:
        rows = driver.fetch(
            side, b"SELECT ID, COMMAND, USER, HOST FROM information_schema.PROCESSLIST WHERE ID IN (" + ids + b")"
        )
    except driver.dbapi.Error:
        return [Look.UNREACHABLE] * len(threads)
    finally:
        driver.close(side)
    doing = {(int(number), as_text(user), as_text(host)): as_text(command) for number, command, user, host in rows}
    return [_answer(facts, doing) for facts in threads]


def _answer(facts: Facts, doing: dict[tuple[int, str, str], str]) -> str:
    if not facts.user:
        return Look.WORKING  # can't be told apart from another's thread: never a guess
    command = doing.get((facts.thread_id, facts.user, facts.host))
    if command is None:
        return Look.GONE
    return Look.ASLEEP if command == "Sleep" else Look.WORKING


_watch: tuple[int, Watch] | None = None
_starting = threading.Lock()


def _reset_after_fork() -> None:
    """In the child: no watchdog runs, and the parent's lock may be held by a thread that doesn't exist here."""
    global _watch, _starting
    _watch, _starting = None, threading.Lock()


def ensure_running() -> None:
    """Start the process's watchdog if it isn't running; again in the child of a fork."""
    global _watch  # noqa: PLW0603 - one watchdog for the process
    if _watch is not None and _watch[0] == os.getpid() and _watch[1].running:
        return
    with _starting:
        if _watch is None or _watch[0] != os.getpid() or not _watch[1].running:
            _watch = (os.getpid(), Watch())
            _watch[1].start()


os.register_at_fork(after_in_child=_reset_after_fork)
