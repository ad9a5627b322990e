"""Where and how to cut a connection: around one command that the wire recognises."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from stillhere.lab.wire.commands import Command

_log = logging.getLogger(__name__)


class When(Enum):
    """The moment of a cut, seen from the command that it waits for."""

    BEFORE = "the command isn't forwarded"
    HALF = "half of the command's bytes are forwarded"
    AFTER_FORWARD = "the command is forwarded, and nothing awaited"
    AFTER_EXECUTED = "the server has replied, and the reply is dropped"
    AFTER_REPLY = "the whole reply is passed on"


class By(Enum):
    """What a client sees of a cut."""

    RST = "connection reset by peer"
    FIN = "end of file"


@dataclass(frozen=True)
class Cut:
    """An order to cut connections.

    Attributes:
        match: the words that a statement begins with, in any case and behind any comments, such as
            ``"COMMIT"``; or a function that picks commands. The function runs in the wire's thread: it
            must be quick.
        when: the moment.
        by: what the client sees.
        times: how many connections to cut; ``None`` for as many as match.
        every: cut at each so manieth match only; 1 for each.
        ghost: leave the server's side open and silent, as when the network loses one direction; it is
            reset by `Wire.heal`. Else the server gets an RST.
    """

    match: str | Callable[[Command], bool]
    when: When
    by: By = By.RST
    times: int | None = 1
    every: int = 1
    ghost: bool = False


class ArmedCut:
    """A cut that waits for its commands. Made by `Wire.cut`.

    Attributes:
        cut: the order.
        hits: connections that were cut by it.
    """

    def __init__(self, cut: Cut) -> None:
        self.cut = cut
        self.hits = 0
        self._matches = 0
        self._chosen = 0
        self._armed = True
        self._hit = threading.Event()

    @property
    def armed(self) -> bool:
        """Whether it may choose a connection yet."""
        return self._armed

    def disarm(self) -> None:
        """Choose no further connection."""
        self._armed = False

    def wait(self, seconds: float) -> bool:
        """Wait until it has cut a connection; false when the time is over."""
        return self._hit.wait(seconds)

    def chooses(self, command: Command) -> bool:
        """Whether to cut at this command. Asked once for each command."""
        if not self._armed or not self._matching(command):
            return False
        self._matches += 1
        if self._matches % self.cut.every:
            return False
        self._chosen += 1
        if self._chosen == self.cut.times:
            self._armed = False
        return True

    def struck(self) -> None:
        """Count a connection that was cut."""
        self.hits += 1
        self._hit.set()

    def _matching(self, command: Command) -> bool:
        match = self.cut.match
        if isinstance(match, str):
            return command.begins(match)
        try:
            return match(command)
        except Exception:  # noqa: BLE001 - a caller's function, run in the wire's thread
            self._armed = False
            _log.exception("a cut is disarmed: its match failed on a %s", command.kind)
            return False
