"""Everything that is known about one loss, whoever tells of it.

A live loss, a pasted traceback and an error log fill different fields of the same record; the rules read only the
record. ``None``, an empty text and an empty tuple mean "not known", never "no": a rule that takes the absence of a
fact for a fact is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stillhere.apptrace.report import PoolFacts, Report
from stillhere.errorlog.entry import Entry
from stillhere.errorlog.summary import Life
from stillhere.server.versions import Flavour
from stillhere.survey.snapshot import Snapshot

__all__ = [
    "ClientFacts",
    "LastWords",
    "LossFacts",
    "Observations",
    "PoolSettings",
    "ProcessFacts",
    "ServerFacts",
    "SessionFacts",
    "StatementFacts",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords:
    """An error packet that the server sent unasked before it closed the connection (4031, 1927, 1053)."""

    code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFacts:
    """What the client saw.

    Attributes:
        driver: the driver's package, such as ``"PyMySQL"``.
        exception: class name of the driver's exception.
        codes: every database error number in the chain, the innermost first.
        os_error: errno of the operating system's error below it (32 broken pipe, 104 reset, 110 timed out,
            111 refused).
        timed_out: whether the client itself stopped waiting.
        interrupted: class name of what interrupted the call (``KeyboardInterrupt``, ``CancelledError``,
            ``GreenletExit``, ``Timeout``).
        message: the driver's words, masked. For people: rules go by `codes`.
        read_timeout: the client's own limit for an answer, in seconds; 0 for none.
        connect_timeout: the client's own limit for connecting, in seconds; 0 for none.
        buffered: whether the cursor fetched its whole result at once.
    """

    driver: str = ""
    exception: str = ""
    codes: tuple[int, ...] = ()
    os_error: int | None = None
    timed_out: bool | None = None
    interrupted: str = ""
    message: str = ""
    read_timeout: float | None = None
    connect_timeout: float | None = None
    buffered: bool | None = None

    @property
    def errno(self) -> int | None:
        """The innermost number."""
        return self.codes[0] if self.codes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LossFacts:
    """The moment of the loss, by the client's clock.

    Attributes:
        at: when, aware.
        phase: name of the phase: ``CONNECT``, ``IDLE``, ``SEND``, ``AWAIT``, ``FETCH``, ``COMMIT``.
        position: name of the `stillhere.apptrace.report.Position` that a traceback shows.
        verdict: ``NOT_SENT`` or ``MAYBE_EXECUTED``.
        idle: seconds since the connection was last used.
        age: seconds since it was opened.
        duration: seconds between sending and the loss.
        in_transaction: whether a transaction was open.
        transaction_age: seconds since it began.
        last_words: what the server said unasked.
        hangup: how the peer had hung up when the socket was looked at before anything was sent: ``"FIN"`` for an end
            of file, ``"RST"`` for a reset; empty where nobody looked. With ``"FIN"`` and no `last_words` the peer said
            nothing.
        others: how many other connections to the same server this process lost within a second of it.
        other_codes: the error numbers that those met.
        earlier_idle: idle times, in seconds, of earlier losses of idle connections to the same server.
        proactive: whether the connection still lived and was replaced because it came near its idle limit.
    """

    at: datetime | None = None
    phase: str = ""
    position: str = ""
    verdict: str = ""
    idle: float | None = None
    age: float | None = None
    duration: float | None = None
    in_transaction: bool | None = None
    transaction_age: float | None = None
    last_words: LastWords | None = None
    hangup: str = ""
    others: int | None = None
    other_codes: tuple[int, ...] = ()
    earlier_idle: tuple[float, ...] = ()
    proactive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFacts:
    """The statement concerned.

    Attributes:
        verb: its first word; empty when unknown.
        text: masked; empty when unknown. A live loss knows the verb only.
        size: bytes that were to be sent.
        size_at_least: a lower bound, where `size` isn't known.
        executemany: whether it is one of a batch.
    """

    verb: str = ""
    text: str = ""
    size: int | None = None
    size_at_least: int = 0
    executemany: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """The lost session's own settings, in seconds and bytes, as learned when it was opened."""

    thread_id: int | None = None
    user: str = ""
    host: str = ""
    wait_timeout: float | None = None
    max_allowed_packet: int | None = None
    interactive: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """The server, before and after.

    Attributes:
        address: as text, without credentials.
        flavour: MySQL or MariaDB.
        version: three numbers.
        variables: global variables, names in lower case; only those that were asked.
        uptime: seconds, when asked after the loss.
        restarted: whether it was started again between the loss and the next look.
        stopped_in_order: whether the life that ended ended in order, where something other than the error log tells:
            the last event of the binary log before the newest is a ``Stop`` event after a shutdown, and none after a
            crash.
        unreachable: whether it could not be reached right after the loss.
        same: whether the server that answers now is the one that was lost.
        thread_alive: whether the lost thread is still in the process list.
        kills: how much ``Com_kill`` grew over the connection's life, our own left out.
        lost_meanwhile: how many connections this process lost in the time in which a KILL of this one was counted;
            those that the server itself explained are left out.
        deltas: growth of other status counters over the connection's life, names in lower case.
        read_only_now: whether it refuses writes now.
    """

    address: str = ""
    flavour: Flavour | None = None
    version: tuple[int, int, int] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    uptime: float | None = None
    restarted: bool | None = None
    stopped_in_order: bool | None = None
    unreachable: bool | None = None
    same: bool | None = None
    thread_alive: bool | None = None
    kills: int | None = None
    lost_meanwhile: int | None = None
    deltas: Mapping[str, int] = field(default_factory=dict)
    read_only_now: bool | None = None

    def number(self, name: str) -> float | None:
        """A variable as a number; ``None`` where it was not asked or is none."""
        try:
            return float(self.variables[name])
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """Who opened the connection, and who used it: process ids and thread idents."""

    opened_in_process: int | None = None
    used_in_process: int | None = None
    opened_in_thread: int | None = None
    used_in_thread: int | None = None
    used_by_two_at_once: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """The application's pool, as far as it is known. ``recycle`` of -1 is never; a size of 0 is no limit."""

    size: int | None = None
    overflow: int | None = None
    timeout: float | None = None
    recycle: float | None = None
    pre_ping: bool | None = None
    checked_out: int | None = None

    @classmethod
    def of_report(cls, facts: PoolFacts) -> PoolSettings:
        """From the pool's own message."""
        return cls(size=facts.size, overflow=facts.overflow, timeout=facts.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """One loss.

    Attributes:
        client: what the client saw.
        loss: the moment.
        statement: the statement concerned.
        session: the lost session's settings.
        server: before and after.
        process: who opened and used the connection.
        pool: the application's pool.
        log: entries of error logs, kernel logs and service managers around the moment, in order of time; of the
            whole log where the moment isn't known.
        log_omitted: how many more entries there are of the very kind that is in `log`, which were counted and not kept;
            only where a log itself is the question.
        log_covers: whether the log reaches over the moment of the loss, so that silence in it means something.
        lives: the server's lives, from a whole log.
        report: the traceback or error report, where there is one.
        snapshot: a live server, asked now.
    """

    client: ClientFacts = field(default_factory=ClientFacts)
    loss: LossFacts = field(default_factory=LossFacts)
    statement: StatementFacts = field(default_factory=StatementFacts)
    session: SessionFacts = field(default_factory=SessionFacts)
    server: ServerFacts = field(default_factory=ServerFacts)
    process: ProcessFacts = field(default_factory=ProcessFacts)
    pool: PoolSettings = field(default_factory=PoolSettings)
    log: tuple[Entry, ...] = ()
    log_omitted: int = 0
    log_covers: bool = False
    lives: tuple[Life, ...] = ()
    report: Report | None = None
    snapshot: Snapshot | None = None
