"""The thread that finds out why connections were lost: one for the process, over connections of its own.

Nobody waits for it. It asks each server at most once a second, keeps at most a thousand losses in mind, and is quiet
about whatever keeps it from asking.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillhere.continuity import asking, telling
from stillhere.continuity.asking import Question
from stillhere.continuity.dossier import Answers, Dossier, dossier_of
from stillhere.continuity.forks import known
from stillhere.continuity.gatekeeping import GateState

if TYPE_CHECKING:
    from stillhere.causes.incidents import Store
    from stillhere.continuity.endpoint import Endpoint
    from stillhere.continuity.sighting import Sighting
    from stillhere.events import Incident

__all__ = ["INQUIRY", "Inquiry", "load_rules"]

_logger = logging.getLogger("stillhere")
MAX_WAITING = 1000
# Counters are first read so long after the first connection: a script that ends sooner costs its server nothing.
FIRST_LOOK = 0.1
# A KILL is told from a network's reset by a counter; in a longer time it may have struck anybody.
BETWEEN_LOOKS = 300.0
# A server is given so long to notice that a client is gone, before its threads are looked at.
SETTLED = 0.3
BETWEEN_ROUNDS = 1.0
# A server that is away is waited for so long: what ended it is seen only when it is back.
PATIENCE = 15.0
_AT_EXIT = 0.1


@dataclass(slots=True)
class _Desk:
    """What is to be asked of one address.

    Attributes:
        dossier: what is known of it.
        endpoint: who can reach it; engines are not kept alive for it.
        chain: how.
        waiting: the losses whose cause is being looked for.
        next_look: when counters are read next.
        next_round: when it may be asked about losses next.
        failures: how often reading the counters has failed in a row.
    """

    dossier: Dossier
    endpoint: weakref.ref[Endpoint]
    chain: Callable[[], Any]
    waiting: deque[tuple[Sighting, Endpoint]]
    next_look: float
    next_round: float = 0.0
    failures: int = 0


class Inquiry:
    """Losses in, incidents out.

    Attributes:
        dropped: how many losses came when too many waited.
        not_stored: how many incidents the store did not take.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self.not_stored = 0
        self._store: Store | None = None
        self._said: set[str] = set()
        self._forget()

    def _forget(self) -> None:
        self._desks: dict[str, _Desk] = {}
        # Guards the desks and what waits on them.
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()  # held for a round: at exit the last one is made by another thread

    def forked(self) -> None:
        """In the child: what waits is the parent's to tell, and no thread runs."""
        self._forget()

    def drop(self) -> None:
        """Forget what waits, and whom to ask."""
        with self._lock:
            self._desks.clear()

    def expect(self, endpoint: Endpoint, chain: Callable[[], Any]) -> None:
        """A connection was opened: read the counters some time soon, so that there is something to compare with."""
        desk = self._desks.get(endpoint.name)
        if desk is None or desk.endpoint() is not endpoint:
            with self._lock:
                self._desk(endpoint, chain)
            self._ensure_running()
            self._wake.set()

    def submit(self, seen: Sighting, endpoint: Endpoint, chain: Callable[[], Any]) -> bool:
        """Look for the cause of a loss; whether there was room for it."""
        with self._lock:
            desk = self._desk(endpoint, chain)
            accepted = sum(len(one.waiting) for one in self._desks.values()) < MAX_WAITING
            if accepted:
                desk.waiting.append((seen, endpoint))
            else:
                self.dropped += 1
        self._ensure_running()
        self._wake.set()
        return accepted

    def _desk(self, endpoint: Endpoint, chain: Callable[[], Any]) -> _Desk:
        """With the lock held: the address's desk, with its newest engine."""
        desk = self._desks.get(endpoint.name)
        if desk is None:
            desk = _Desk(
                dossier_of(endpoint.name), weakref.ref(endpoint), chain, deque(), time.monotonic() + FIRST_LOOK
            )
            self._desks[endpoint.name] = desk
        desk.endpoint, desk.chain = weakref.ref(endpoint), chain
        return desk

    def _ensure_running(self) -> None:
        thread = self._thread
        if thread is not None and thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="stillhere-inquiry", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # the interpreter is going down; what waits is told at exit
                    self._thread = None

    def _run(self) -> None:
        load_rules()
        while True:
            self._wake.wait(self._pause())
            self._wake.clear()
            try:
                self.look_around()
            except Exception:
                _logger.exception("stillhere.inquiry_failed")
                time.sleep(BETWEEN_ROUNDS)

    def _pause(self) -> float:
        """Seconds until something is due."""
        now = time.monotonic()
        with self._lock:
            due = [desk.next_look for desk in self._desks.values()]
            due += [
                max(desk.next_round, desk.waiting[0][0].found_at + SETTLED)
                for desk in self._desks.values()
                if desk.waiting
            ]
        return max(0.01, min(due) - now) if due else BETWEEN_LOOKS

    def look_around(self) -> None:
        """Everything that is due now; one thread at a time, since two would tell of the same loss."""
        with self._turn:
            self._look_around()

    def _look_around(self) -> None:
        with self._lock:
            desks = list(self._desks.values())
        told: list[Incident] = []
        for desk in desks:
            now = time.monotonic()
            if desk.waiting and now >= max(desk.next_round, desk.waiting[0][0].found_at + SETTLED):
                told += self._round(desk, now)
            elif now >= desk.next_look:
                self._first_look(desk, now)
        self._keep(told)

    def _first_look(self, desk: _Desk, now: float) -> None:
        """Read the counters, where a connection is open that may be lost later."""
        endpoint = desk.endpoint()
        if endpoint is None or not any(link.endpoint is endpoint for _, link in known()):
            with self._lock:
                if not desk.waiting:
                    self._desks.pop(desk.dossier.name, None)
            return
        desk.failures += 1
        desk.next_look = now + min(BETWEEN_LOOKS, 2.0**desk.failures)
        if _is_up(endpoint):
            self._ask(desk, endpoint, Question())

    def _round(self, desk: _Desk, now: float) -> list[Incident]:
        """Ask about the losses that wait, and tell of those that can be told."""
        desk.next_round = now + BETWEEN_ROUNDS
        with self._lock:
            due = [one for one in desk.waiting if now >= one[0].found_at + SETTLED]
        answers = None
        endpoint = due[-1][1]
        if _is_up(endpoint):
            answers = self._ask(
                desk,
                endpoint,
                Question(
                    threads=tuple({seen.lost.thread_id for seen, _ in due}),
                    since=min(seen.at.timestamp() - (seen.found_at - seen.alive_at) for seen, _ in due),
                ),
            )
        told = [one for one in due if answers is not None or now - one[0].found_at > PATIENCE]
        with self._lock:
            for one in told:
                desk.waiting.remove(one)
        return [telling.tell(seen, whose, answers) for seen, whose in told]

    def _ask(self, desk: _Desk, endpoint: Endpoint, question: Question) -> Answers | None:
        try:
            answers = asking.ask(endpoint, desk.chain, desk.dossier, question)
        except Exception as error:  # noqa: BLE001 - the user's own chain may raise anything; nobody waits for it
            _logger.debug("stillhere.not_asked server=%s: %s", endpoint.name, type(error).__name__)
            return None
        desk.failures, desk.next_look = 0, time.monotonic() + BETWEEN_LOOKS
        return answers

    def _keep(self, told: Sequence[Incident], patience: float | None = None) -> None:
        if not told:
            return
        refused = self._add(told, patience)
        if refused:
            self.not_stored += len(told)
            if refused not in self._said:
                self._said.add(refused)
                _logger.info("stillhere.incidents_not_stored: %s", refused)

    def _add(self, told: Sequence[Incident], patience: float | None) -> str:
        try:
            from stillhere.causes.incidents import Store, store_path  # noqa: PLC0415 - SQLite is for this thread alone
        except ImportError as error:
            return str(error)
        path = store_path()
        if path is None:
            return "this account has no home directory, and STILLHERE_STATE is not set"
        if self._store is None or self._store.path != path:
            self._store = Store(path)
        if patience is not None:
            self._store.patience = patience
        return self._store.add(told)

    def finish(self) -> None:
        """At exit: tell what waits, without asking anybody. Takes a few milliseconds."""
        if not self._turn.acquire(timeout=_AT_EXIT):
            return
        try:
            with self._lock:
                left = [one for desk in self._desks.values() for one in desk.waiting]
                self._desks.clear()
            self._keep([telling.tell(seen, whose, None) for seen, whose in left], _AT_EXIT)
        finally:
            self._turn.release()


def load_rules() -> None:
    """Import the rules: where nobody has by the time that they are needed, a call that meets a loss waits for it."""
    importlib.import_module("stillhere.causes.rules")


def _is_up(endpoint: Endpoint) -> bool:
    """Whether nobody found the server away: while it is, those who need it try, and nobody else."""
    return endpoint.gate.stats().state is GateState.UP


INQUIRY = Inquiry()
"""The process's."""

atexit.register(INQUIRY.finish)
os.register_at_fork(after_in_child=INQUIRY.forked)
