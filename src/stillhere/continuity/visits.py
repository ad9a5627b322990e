"""One wish to connect, and the trouble that it met on its way through the gate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from stillhere.continuity import explaining
from stillhere.continuity.gatekeeping import GateState

if TYPE_CHECKING:
    from stillhere.continuity.endpoint import Endpoint
    from stillhere.continuity.facts import Facts
    from stillhere.continuity.gate import GateWait

__all__ = ["Visit", "note_wait"]

# The client library's own numbers for a server that nothing was heard of.
_NOBODY_THERE = frozenset({2002, 2003})


class _Here(threading.local):
    """The visit that this thread is on."""

    visit: Visit | None = None


_here = _Here()


class Visit:
    """A context in which a thread goes through the gate; trouble makes it an incident at its end.

    Args:
        endpoint: whose gate.
        chain: the user's connect chain.
        latest: what was learned of the server last.
    """

    def __init__(self, endpoint: Endpoint, chain: Callable[[], Any], latest: Facts) -> None:
        self._endpoint = endpoint
        self._chain = chain
        self._latest = latest
        self._began = time.monotonic()
        self._facts: Facts | None = None
        self._trouble: BaseException | None = None
        self._outer: Visit | None = None

    def noting(self, waitable: Callable[[Exception], bool]) -> Callable[[Exception], bool]:
        """The question whether waiting may mend an attempt's error; the error is noted on the way."""

        def asked(error: Exception) -> bool:
            may = waitable(error)
            if isinstance(error, self._endpoint.driver.dbapi.Error):
                self.note(error)
                unreachable = self._endpoint.driver.errno(error) in _NOBODY_THERE
                self._endpoint.dossier.note_failure(time.monotonic(), unreachable=unreachable)
            return may

        return asked

    def note(self, error: BaseException | None) -> None:
        """An attempt failed, this visitor's own or the one that it waits for."""
        if error is not None:
            self._trouble = error

    def served(self, facts: Facts) -> None:
        """A connection was opened in the end."""
        self._facts = facts

    def __enter__(self) -> Self:
        self._outer, _here.visit = _here.visit, self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _here.visit = self._outer
        if self._trouble is not None and (error is None or isinstance(error, Exception)):
            explaining.not_connected(
                self._endpoint, self._chain, self._latest, self._began, self._trouble, self._facts, error
            )


def note_wait(wait: GateWait) -> None:
    """The gate's hook: this thread begins to wait; for its turn, or for a server that is away."""
    if _here.visit is not None and wait.state is not GateState.UP:
        _here.visit.note(wait.last_error)
