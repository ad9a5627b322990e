"""Each guard of continuity, switched off: what the check must see then. For tests only."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from stillhere.continuity import cursor, endings, endpoint, recovery, replay, statement
from stillhere.continuity.link import Link
from stillhere.continuity.statement import Kind
from stillhere.continuity.states import LinkState
from stillhere.continuity.verdict import Verdict
from stillhere.continuity.witness import Settlement, Witness
from stillhere.lab.check.chaos import Mix
from stillhere.lab.check.checker import Wrong


@dataclass(frozen=True)
class Guard:
    """One guard.

    Attributes:
        name: of the test.
        off: switches it off, by pytest's ``monkeypatch``.
        shows: violations of which at least one must be seen.
        also: switches something on that makes it matter, with the guard on as well.
        arm: the arm that has the guard.
        mix: under which it shows soon.
    """

    name: str
    off: Callable[..., None]
    shows: frozenset[Wrong]
    also: Callable[..., None] = lambda _monkeypatch: None
    arm: str = "stillhere"
    mix: Mix = field(default_factory=lambda: Mix(commands=15, kills=0, outage_every=0))


def _digest(monkeypatch):
    monkeypatch.setattr(replay, "difference", lambda *_: "")


def _verdict(monkeypatch):
    monkeypatch.setattr(recovery, "verdict", lambda *_args, **_more: Verdict.NOT_SENT)


def _whitelist(monkeypatch):
    judge = statement.judge

    def lenient(*args):
        found = judge(*args)
        if found.kind is not Kind.OTHER:
            return found
        harmless = {"replayable": True, "may_commit": False, "reason": "", "pin": "", "calls": frozenset()}
        return dataclasses.replace(found, kind=Kind.WRITE, **harmless)

    monkeypatch.setattr(statement, "judge", lenient)


def _lost(monkeypatch):
    prepare = Link.prepare

    def forget_and_prepare(self, connection, statement):
        if self.state is LinkState.LOST:
            endings._forget(self)
        prepare(self, connection, statement)

    monkeypatch.setattr(Link, "prepare", forget_and_prepare)


def _fence(monkeypatch):
    monkeypatch.setattr(endpoint, "fence", lambda *_args, **_more: True)


def _witness(monkeypatch):
    monkeypatch.setattr(Witness, "settle", lambda *_args, **_more: Settlement.NEVER)


def _kind(monkeypatch):
    monkeypatch.setattr(Witness, "_kind", lambda *_: "W")


def _lose_replies_of_tombstones(monkeypatch):
    """The resolver's own insert takes effect, and its reply is lost, every other time."""
    insert = Witness._insert

    def insert_and_lose(self, driver, connection, token, kind):
        insert(self, driver, connection, token, kind)
        if kind == b"T" and random.getrandbits(1):
            driver.discard(connection)
            raise driver.dbapi.OperationalError(2013, "Lost connection, says the test")

    monkeypatch.setattr(Witness, "_insert", insert_and_lose)


GUARDS = (
    Guard("digest", _digest, frozenset({Wrong.BROKEN, Wrong.IMPOSSIBLE})),
    Guard("verdict", _verdict, frozenset({Wrong.DOUBLED})),
    Guard("whitelist", _whitelist, frozenset({Wrong.DOUBLED})),
    Guard("transaction lost", _lost, frozenset({Wrong.HALF})),
    Guard("witness", _witness, frozenset({Wrong.DOUBLED, Wrong.DENIED}), arm="witness"),
    Guard("witness kind", _kind, frozenset({Wrong.LOST}), also=_lose_replies_of_tombstones, arm="witness"),
)

FENCE = Guard(
    "fence",
    _fence,
    frozenset({Wrong.LOCK, Wrong.STALL}),
    mix=Mix(commands=20, ghosts=0.5, kills=0, outage_every=0),
)


def forget_classes():
    """What statements were classified as, under other rules."""
    for cache in (statement.TEXTS, statement._TEMPLATES, cursor._TEMPLATES):
        cache.clear()
    cursor._batch_of.cache_clear()
