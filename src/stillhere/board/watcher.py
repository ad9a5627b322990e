"""One thread for each server: it looks every few seconds over a connection that it keeps, and comes back by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from stillhere.board.view import Seen
from stillhere.findings import Finding
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, take

__all__ = ["Examine", "Watcher"]

Opening = Callable[[], AbstractContextManager[Ask]]
Examine = Callable[[], tuple[tuple[Finding, ...], tuple[str, ...]]]
"""Looks at the server over a connection of its own; gives findings, and what could not be checked."""

_EXAMINE_EVERY = 60.0
_LONGEST_PAUSE = 10.0
_RATE_OVER = 30.0


class Watcher:
    """Looks at one server until `stop`.

    Args:
        address: as text, without credentials.
        opening: logs in.
        interval: seconds between two looks.
        examine: finds what is wrong, once a minute; nothing is examined without it.
        explain: words for an exception, without credentials.
    """

    def __init__(
        self,
        address: str,
        opening: Opening,
        *,
        interval: float,
        explain: Callable[[BaseException], str],
        examine: Examine | None = None,
    ) -> None:
        self._opening = opening
        self._interval = interval
        self._explain = explain
        self._examine = examine
        self._ended = threading.Event()
        self._history: list[tuple[float, Snapshot]] = []
        self._seen = Seen(address=address)
        self._looked_at = self._turned_at = time.monotonic()
        self._examined_at = -_EXAMINE_EVERY
        self._examining = threading.Event()
        self._found: tuple[tuple[Finding, ...], tuple[str, ...]] = ((), ())
        self._thread = threading.Thread(target=self._run, name=f"watch {address}", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more. A look that is under way ends when its driver lets go; it is not waited for."""
        self._ended.set()

    def seen(self) -> Seen:
        """What is known now; never waits."""
        now = time.monotonic()
        findings, not_checked = self._found
        return replace(
            self._seen,
            since=now - self._turned_at,
            age=now - self._looked_at,
            findings=findings,
            not_checked=not_checked,
        )

    def _run(self) -> None:
        pause = self._interval
        while not self._ended.is_set():
            try:
                with self._opening() as ask:
                    while not self._ended.is_set():
                        self._look(ask)
                        pause = self._interval
                        self._ended.wait(self._interval)
            except Exception as error:  # noqa: BLE001 - the driver's, whichever it is: the server is down, and that is shown
                self._lost(error)
                self._ended.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _look(self, ask: Ask) -> None:
        snapshot = take(ask, self._seen.address)
        now = time.monotonic()
        if self._seen.trouble or self._seen.snapshot is None:
            self._turned_at = now
            self._examined_at = now - _EXAMINE_EVERY
        self._history = [(at, one) for at, one in self._history if now - at <= _RATE_OVER][-60:]
        before = self._history[0][1] if self._history else None
        self._history.append((now, snapshot))
        self._looked_at = now
        self._seen = replace(self._seen, snapshot=snapshot, before=before, trouble="")
        if self._examine is not None and now - self._examined_at >= _EXAMINE_EVERY and not self._examining.is_set():
            self._examined_at = now
            self._examining.set()
            threading.Thread(target=self._run_examination, args=(self._examine,), daemon=True).start()

    def _run_examination(self, examine: Examine) -> None:
        try:
            self._found = examine()
        finally:
            self._examining.clear()

    def _lost(self, error: BaseException) -> None:
        if not self._seen.trouble:
            self._turned_at = time.monotonic()
        self._history = []
        self._seen = replace(self._seen, trouble=self._explain(error))
