"""One loss as it was met: what is at hand without asking anybody, gathered on the thread that met it."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from stillhere.causes.observations import LastWords
from stillhere.continuity.facts import UNKNOWN_FACTS, Facts
from stillhere.continuity.verdict import Phase, Verdict

if TYPE_CHECKING:
    from stillhere.continuity.link import Link
    from stillhere.events import Loss

__all__ = ["Sighting", "decode_farewell", "of_connect", "of_interruption", "of_loss", "of_packet", "of_pool"]

_HEADER = 4
_ERR = 0xFF
_STATE = 6  # "#" and the SQLSTATE
_MAX_CHAIN = 10
_MAX_MESSAGE = 300


@dataclass(slots=True, kw_only=True, eq=False)
class Sighting:
    """What was seen of one loss, and what came of it. Times are of the monotonic clock unless said otherwise.

    Attributes:
        server: address as text, without credentials.
        driver: the driver's package.
        phase: of the loss.
        verdict: of the loss.
        lost: what was learned of the lost connection; of the server's latest where none could be made.
        at: when, by the client's clock, aware.
        found_at: when.
        alive_at: when the connection was last known to be good.
        opened_at: when it was opened; 0 where none was.
        idle: seconds without use.
        duration: seconds from sending to the loss; None where nothing was sent.
        statement: the verb.
        size: bytes of the statement; None where there is none.
        in_transaction: whether a transaction was open.
        transaction_age: seconds since it began; None without one.
        codes: the numbers in the chain of exceptions, the innermost first.
        os_error: errno of the operating system's error below; None where none is known.
        hangup: ``"FIN"`` or ``"RST"``, where the socket still showed it.
        exception: class of the driver's exception.
        message: its words, as they are: masked by whoever shows them.
        timed_out: whether the client itself stopped waiting.
        interrupted: class of what interrupted the call.
        read_timeout: the client's own limit in seconds; 0 for none, None where unknown.
        buffered: whether the cursor reads its whole result at once.
        condemned: why the watchdog gave the connection up; empty where it didn't.
        last_words: what the server said unasked.
        proactive: it lived, and was replaced because it came near its idle limit.
        opened_by: process and thread that opened it.
        used_by: process and thread that met the loss.
        after: what was learned of the connection that took its place; None for none.
        done: what came of it.
        error: class of what the application got; empty where it noticed nothing.
        seconds: how long its call took from the loss to its end.
    """

    server: str
    driver: str
    phase: Phase
    verdict: Verdict
    lost: Facts = UNKNOWN_FACTS
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    found_at: float = field(default_factory=time.monotonic)
    alive_at: float = 0.0
    opened_at: float = 0.0
    idle: float = 0.0
    duration: float | None = None
    statement: str = ""
    size: int | None = None
    in_transaction: bool = False
    transaction_age: float | None = None
    codes: tuple[int, ...] = ()
    os_error: int | None = None
    hangup: str = ""
    exception: str = ""
    message: str = ""
    timed_out: bool | None = None
    interrupted: str = ""
    read_timeout: float | None = None
    buffered: bool | None = None
    condemned: str = ""
    last_words: LastWords | None = None
    proactive: bool = False
    opened_by: tuple[int, int] | None = None
    used_by: tuple[int, int] = field(default_factory=lambda: (os.getpid(), threading.get_ident()))
    after: Facts | None = None
    done: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def heard(self) -> tuple[int, ...]:
        """The numbers that it met, the server's last words among them."""
        return (*self.codes, self.last_words.code) if self.last_words is not None else self.codes

    @property
    def age(self) -> float:
        """Seconds since the connection was opened; 0 where there was none."""
        return self.found_at - self.opened_at if self.opened_at else 0.0


def of_loss(
    link: Link,
    loss: Loss,
    error: BaseException | None,
    *,
    sent_at: float = 0.0,
    size: int | None = None,
    timed_out: bool | None = None,
    read_timeout: float | None = None,
) -> Sighting:
    """What can be seen of a loss while its physical connection is still there.

    Args:
        link: the logical connection's.
        loss: as it is told to listeners.
        error: what the driver raised; None where the socket was found dead by looking.
        sent_at: when the call was sent; 0 when it was not.
        size: bytes of the statement.
        timed_out: whether the client itself stopped waiting.
        read_timeout: the client's own limit in seconds; 0 for none.
    """
    began = link.ledger.journal.began if link.ledger.journal else 0.0
    seen = _sighting(link, Phase[loss.phase], Verdict[loss.verdict], error)
    seen.idle = loss.idle
    seen.duration = seen.found_at - sent_at if sent_at else None
    # A statement is sent only where a look found nothing, or so soon after the one before that none is needed.
    seen.alive_at = sent_at or link.last_used
    seen.statement, seen.size = loss.statement, size or None
    seen.in_transaction = loss.in_transaction
    seen.transaction_age = seen.found_at - began if began else None
    seen.timed_out, seen.read_timeout = timed_out, read_timeout
    return seen


def of_pool(link: Link) -> Sighting:
    """A connection that was found dead, or near its idle limit, on its way out of a pool."""
    seen = _sighting(link, Phase.IDLE, Verdict.NOT_SENT, None)
    seen.alive_at = link.last_used
    seen.idle = seen.found_at - link.last_used
    return seen


def of_interruption(link: Link, phase: Phase, error: BaseException, *, buffered: bool | None = None) -> Sighting:
    """A call that ended in the middle of its reply."""
    seen = _sighting(link, phase, Verdict.MAYBE_EXECUTED, error)
    seen.alive_at = link.sent_at or link.last_used
    seen.in_transaction = bool(link.ledger.journal)
    seen.buffered = buffered
    if not isinstance(error, link.driver.dbapi.Error):
        seen.interrupted = type(error).__name__
    return seen


def of_packet(link: Link, statement: str, size: int) -> Sighting:
    """A statement that was not sent, because the server would have cut the connection for its size."""
    seen = _sighting(link, Phase.SEND, Verdict.NOT_SENT, None)
    seen.alive_at = seen.found_at
    seen.statement, seen.size = statement, size
    seen.in_transaction = bool(link.ledger.journal)
    return seen


def of_connect(server: str, driver: Any, latest: Facts, began: float, error: BaseException) -> Sighting:
    """A connection that could not be made at once.

    Args:
        server: address as text.
        driver: the driver.
        latest: what was learned of the server last.
        began: when it was wanted.
        error: the last that was met.
    """
    codes, os_error = chain_of(driver, error)
    waited = time.monotonic() - began
    return Sighting(
        server=server,
        driver=driver.package,
        phase=Phase.CONNECT,
        verdict=Verdict.NOT_SENT,
        lost=latest,
        at=datetime.now(UTC) - timedelta(seconds=waited),
        found_at=began,
        alive_at=began,
        duration=waited,
        codes=codes,
        os_error=os_error,
        exception=type(error).__name__,
        message=_message(error),
    )


def chain_of(driver: Any, error: BaseException | None) -> tuple[tuple[int, ...], int | None]:
    """The database's numbers in a chain of exceptions, the innermost first, and the operating system's.

    An error of the database's that was merely being handled when this one was raised is another loss's.
    """
    dbapi_error = driver.dbapi.Error
    codes: list[int] = []
    os_error: int | None = None
    for _ in range(_MAX_CHAIN):
        if error is None:
            break
        if isinstance(error, dbapi_error):
            codes.insert(0, driver.errno(error))
        elif isinstance(error, OSError) and error.errno is not None:
            os_error = error.errno
        handled = error.__context__
        error = error.__cause__ or (None if isinstance(handled, dbapi_error) else handled)
    return tuple(dict.fromkeys(codes)), os_error


def decode_farewell(words: bytes) -> LastWords | None:
    """An ERR packet that stands alone; None for anything else, such as a record of TLS.

    Length (3 bytes, little-endian) and sequence number, then 0xFF, the number (2 bytes), and ``#`` with five
    characters of SQLSTATE before the text ("ERR_Packet", MySQL source documentation).
    """
    length = int.from_bytes(words[:3], "little")
    if len(words) != _HEADER + length or length <= 3 or words[_HEADER] != _ERR:  # noqa: PLR2004 - 0xFF and the number
        return None
    code = int.from_bytes(words[_HEADER + 1 : _HEADER + 3], "little")
    text = words[_HEADER + 3 :]
    if text[:1] == b"#":
        text = text[_STATE:]
    return LastWords(code=code, message=text.decode("utf-8", "replace"))


def _sighting(link: Link, phase: Phase, verdict: Verdict, error: BaseException | None) -> Sighting:
    seen = Sighting(
        server=link.endpoint.name,
        driver=link.driver.package,
        phase=phase,
        verdict=verdict,
        lost=link.facts,
        opened_at=link.opened_at,
        opened_by=link.opened_by,
        condemned=link.condemned,
    )
    if error is None:
        words, seen.os_error, seen.hangup = link.ending()
        seen.last_words = decode_farewell(words)
    else:
        seen.codes, seen.os_error = chain_of(link.driver, error)
        seen.exception, seen.message = type(error).__name__, _message(error)
    return seen


def _message(error: BaseException) -> str:
    return str(error.args[-1] if error.args else "")[:_MAX_MESSAGE]
