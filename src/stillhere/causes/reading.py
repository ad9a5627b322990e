"""What the rules read out of the observations: the same questions, asked in one place.

A fact that a live loss carries is taken from there, else from the report. ``None`` stays "not known".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from stillhere.apptrace.report import Position
from stillhere.causes.observations import Observations
from stillhere.causes.timing import Restart, Window, restart_of
from stillhere.causes.wording import times, utc
from stillhere.causes.wordings import code_by_words
from stillhere.errorlog.entry import Entry, Kind
from stillhere.server import errorcodes
from stillhere.server.versions import Flavour

__all__ = [
    "CLIENT",
    "EXCEPTION",
    "PROCESSLIST",
    "STATUS",
    "TIMED_OUT",
    "TRACEBACK",
    "VARIABLES",
    "Reading",
]

CLIENT = "client"
EXCEPTION = "exception"
TRACEBACK = "traceback"
VARIABLES = "SHOW GLOBAL VARIABLES"
STATUS = "SHOW GLOBAL STATUS"
PROCESSLIST = "process list"

_FIRST = frozenset({Position.CHECKOUT, Position.FIRST_STATEMENT})
_CLOCKS = timedelta(seconds=2)
TIMED_OUT = "timeout reading"
"""What MySQL and MariaDB say, in small letters, of a connection on which nothing came in time."""
_PERHAPS_FIRST = frozenset({Position.STATEMENT, Position.FLUSH, Position.ROLLBACK, Position.UNKNOWN})
_IN_FLIGHT = frozenset({"SEND", "AWAIT", "FETCH", "COMMIT"})
_OUT_OF_STEP = frozenset({"CR_COMMANDS_OUT_OF_SYNC", "ER_NET_PACKETS_OUT_OF_ORDER", "CR_MALFORMED_PACKET"})
_CREATE = "CREATE"
_BY_KEY = re.compile(
    r"SELECT\b(?!.*\bJOIN\b).*\bWHERE\s+\S*id[`\"]?\s*=\s*\S+(?:\s+LIMIT\s+\S+)?\s*;?\Z", re.IGNORECASE | re.DOTALL
)
_TRANSACTION_LIMITS = (
    "idle_transaction_timeout",  # MariaDB 10.3
    "idle_write_transaction_timeout",
    "idle_readonly_transaction_timeout",
    "kill_idle_transaction",  # Percona Server 8.0 and 5.7
    "innodb_kill_idle_transaction",  # Percona Server 5.6
)


class Reading:
    """One loss, as the rules look at it.

    Args:
        seen: what is known of it.
    """

    def __init__(self, seen: Observations) -> None:
        self.seen = seen
        self.client, self.loss, self.session, self.server = seen.client, seen.loss, seen.session, seen.server
        self.report = seen.report
        told = seen.client.codes or (seen.report.codes if seen.report else ())
        worded = None if told else code_by_words(self.message)
        self.codes = told if worded is None else (worded,)
        self._worded = worded
        self.flavour = self._flavour()
        self.symbols = frozenset(map(self._symbol, self._said())) - {""}

    # What the client was told.

    @property
    def told(self) -> bool:
        """Whether a client was told of a loss or an error; otherwise only a log or a server is being asked."""
        return bool(
            self.codes
            or self.client.exception
            or self.client.interrupted
            or self.client.timed_out
            or self.loss.phase
            or self.loss.position
            or self.report
        )

    def has(self, *symbols: str) -> bool:
        """Whether one of the codes that the client met has one of these names in the table of error codes."""
        return not self.symbols.isdisjoint(symbols)

    def met(self, *symbols: str) -> str:
        """The number that it met, as text; the first of those of these names."""
        met = next((code for code in self._said() if self._symbol(code) in symbols), None)
        if met is None:
            return ""
        return f"the words of {met}" if met == self._worded else str(met)

    def symbols_of(self, codes: tuple[int, ...]) -> frozenset[str]:
        """The names of other codes."""
        return frozenset(map(self._symbol, codes)) - {""}

    @property
    def message(self) -> str:
        """The driver's words, for what has no number."""
        return self.client.message or (self.report.message if self.report else "")

    @property
    def position(self) -> Position:
        """What the application was doing, as a traceback shows it."""
        name = self.loss.position.upper().replace(" ", "_")
        if name in Position.__members__:
            return Position[name]
        return self.report.position if self.report else Position.UNKNOWN

    @property
    def driver(self) -> str:
        """The driver's package."""
        return self.client.driver or (self.report.driver if self.report else "")

    @property
    def os_error(self) -> int | None:
        """The operating system's error below the driver's."""
        if self.client.os_error is not None:
            return self.client.os_error
        return self.report.os_error if self.report else None

    @property
    def timed_out(self) -> bool | None:
        """Whether the client stopped waiting."""
        if self.client.timed_out is not None:
            return self.client.timed_out
        return True if self.report and self.report.timed_out else None

    @property
    def read_timeout_passed(self) -> bool:
        """Whether the loss came just when the client's own read timeout had passed."""
        limit, took = self.client.read_timeout, self.loss.duration
        return limit is not None and took is not None and 0 < limit * 0.98 <= took <= limit * 1.25

    @property
    def in_transaction(self) -> bool | None:
        """Whether a transaction was open."""
        if self.loss.in_transaction is not None:
            return self.loss.in_transaction
        return self.report.in_transaction if self.report else None

    @property
    def idle(self) -> float | None:
        """Seconds since the connection was last used."""
        if self.loss.idle is not None:
            return self.loss.idle
        return None if self.report is None or self.report.idle_ms is None else self.report.idle_ms / 1000

    @property
    def statement_size(self) -> int | None:
        """Bytes of the statement, where all of it is known."""
        if self.seen.statement.size is not None:
            return self.seen.statement.size
        return self.report.statement_bytes if self.report else None

    @property
    def statement_at_least(self) -> int:
        """A lower bound of its bytes."""
        return max(self.seen.statement.size_at_least, self.report.statement_at_least if self.report else 0)

    @property
    def by_key(self) -> bool:
        """Whether the statement that a report shows is a SELECT of one row by its id."""
        return self.report is not None and _BY_KEY.match(self.report.statement.strip("'\" \n")) is not None

    # What the connection was doing.

    @property
    def connecting(self) -> bool:
        """Whether it was not yet open."""
        return self.loss.phase == "CONNECT" or (not self.loss.phase and self.position is Position.CONNECT)

    @property
    def lossy(self) -> bool:
        """Whether an open connection was lost, as the codes or the client's own look at it say."""
        if self.connecting or self.position is Position.POOL:
            return False
        coded = any(errorcodes.is_loss(code, self.flavour) for code in self.codes)
        return coded or self.said_inactive or (bool(self.loss.phase) and not self.codes)

    @property
    def stale(self) -> bool:
        """Whether it was dead before the statement reached the server: nobody was at work when it was cut."""
        if not self.lossy or self.too_large is True or self.has("ER_NET_PACKET_TOO_LARGE"):
            return False
        if "ER_SERVER_SHUTDOWN" in self.symbols_of(self.codes):
            return False  # a reply to this statement: it lived
        if self.loss.phase == "IDLE" or self.position is Position.CHECKOUT:
            return True
        if self.loss.phase:
            return self.loss.verdict == "NOT_SENT"
        return self.has("CR_SERVER_GONE_ERROR") or self.said_inactive or self.unasked

    @property
    def unasked(self) -> bool:
        """Whether the driver read a packet that answers nothing: an error that the server left when it hung up.

        PyMySQL reports it as a bare 2013 and loses its number. What tells is the place: ``_read_packet`` raises it for
        a packet of sequence 0, ``_read_bytes`` for the end of the stream.
        """
        frames = self.report.frames if self.report else ()
        read = bool(frames) and frames[-1].function == "_read_packet"
        return read and self.driver == "PyMySQL" and self.has("CR_SERVER_LOST") and self.os_error is None

    @property
    def perhaps_stale(self) -> bool:
        """`stale`, or lost at the first statement after a pause, where 2013 doesn't tell when it was cut."""
        unclear = self.has("CR_SERVER_LOST", "CR_SERVER_LOST_EXTENDED", "CR_SSL_CONNECTION_ERROR")
        return self.stale or (
            self.lossy and unclear and self.first and not self.loss.phase and self.timed_out is not True
        )

    @property
    def dead_before(self) -> tuple[str, str]:
        """How it is known that it was dead before the statement, and from where."""
        if self.loss.phase == "IDLE":
            return "it was found dead while idle, before anything was sent", CLIENT
        where = "at checkout" if self.position is Position.CHECKOUT else "at the first statement after checkout"
        at = where if self.first else "when the statement was to be sent"
        if self.unasked:
            return "2013 in _read_packet: the server had left an error there when it closed the connection", TRACEBACK
        if self.stale:
            code = self.met("CR_SERVER_GONE_ERROR")
            return f"{code or 'the loss'} {at}: the connection was dead before", EXCEPTION
        return f"{self.met('CR_SERVER_LOST') or 'the loss'} {at}: the connection may have been dead before", EXCEPTION

    @property
    def in_flight(self) -> bool:
        """Whether a statement may have been at work when it was cut."""
        if not self.lossy or self.stale or self.symbols == {"NOT_CONNECTED"}:
            return False
        return self.loss.phase in _IN_FLIGHT or not self.loss.phase

    @property
    def unplaced(self) -> bool:
        """Whether nothing tells if a statement was at work when it was cut.

        A traceback of 2013 at some statement: sending to a connection that the server had closed long before succeeds,
        and the read after it fails just so. Only what coincides with the moment of the error can be placed.
        """
        measured = self.loss.phase or self.idle is not None or self.loss.age is not None
        return self.in_flight and not measured and self.in_transaction is not True and self.position in _PERHAPS_FIRST

    @property
    def pause(self) -> float | None:
        """Seconds for which nobody used it before its last statement, or before it was found dead."""
        if self.idle is None:
            return None
        return max(0.0, self.idle - (self.loss.duration or 0.0)) if self.in_flight else self.idle

    @property
    def first(self) -> bool:
        """Whether it was the first statement since the connection left the pool, as far as the traceback shows."""
        return self.position in _FIRST or bool(self.report and self.report.after_idle)

    @property
    def out_of_step(self) -> bool:
        """Whether client and server disagree about whose turn it is: an old reply was on the wire."""
        # PyMySQL's error has no number: it is an assertion of its own about the packet it read.
        return not self.symbols.isdisjoint(_OUT_OF_STEP) or "packet sequence number wrong" in self.message.lower()

    @property
    def said_inactive(self) -> bool:
        """Whether the server itself said that it closes the connection for inactivity."""
        return self.has("ER_CLIENT_INTERACTION_TIMEOUT")

    @property
    def told_of_shutdown(self) -> bool:
        """Whether the server said 1053, here or to another connection of the process in the same second."""
        return "ER_SERVER_SHUTDOWN" in self.symbols | self.symbols_of(self.loss.other_codes)

    # The limits.

    def number(self, name: str) -> float | None:
        """A global variable, from the loss or from the server as it is now."""
        found = self.server.number(name)
        if found is None and self.seen.snapshot is not None:
            found = self.seen.snapshot.number(name)
        return found

    @property
    def idle_limit(self) -> float | None:
        """The session's own ``wait_timeout``; the global one where the session's isn't known."""
        own = self.session.wait_timeout
        return own or self.number("wait_timeout") or None

    @property
    def over_idle_limit(self) -> bool | None:
        """Whether it idled for as long as its ``wait_timeout``. The server's timer runs in whole seconds."""
        if self.idle is None or self.idle_limit is None:
            return None
        return self.idle >= self.idle_limit - 0.5

    @property
    def transaction_limit(self) -> tuple[str, float] | None:
        """The shortest limit on an idle transaction that is switched on, and its variable."""
        limits = [(name, limit) for name in _TRANSACTION_LIMITS if (limit := self.number(name))]
        return min(limits, key=lambda one: one[1], default=None)

    @property
    def over_transaction_limit(self) -> bool:
        """Whether an open transaction idled for as long as such a limit, and that limit came first."""
        limit = self.transaction_limit
        if limit is None or self.idle is None or self.in_transaction is not True:
            return False
        sooner = self.idle_limit is None or limit[1] < self.idle_limit
        return sooner and self.idle >= limit[1] - 0.5

    @property
    def too_large(self) -> bool | None:
        """Whether the statement is larger than the server takes; the command's own byte counts."""
        limit = self.session.max_allowed_packet or self.number("max_allowed_packet")
        if not limit:
            return None
        if self.statement_size is not None:
            return self.statement_size + 1 >= limit
        return True if self.statement_at_least + 1 >= limit else None

    # The server.

    @property
    def restart(self) -> Restart:
        """Whether it was started again since the connection last lived, by its uptime."""
        return restart_of(self.seen, self.window)

    @property
    def window(self) -> Window | None:
        """When the connection can have been cut; ``None`` where the moment of the loss isn't known."""
        at = self.loss.at or (self.report.at if self.report else None)
        if at is None:
            return None
        measured = self.idle if self.stale else (self.loss.duration if self.in_flight or self.connecting else None)
        zoned = self.loss.at is not None or bool(self.report and self.report.zoned)
        back = measured if measured is not None else self.loss.age
        placed = self.in_flight and not self.first and not self.unplaced
        exact = zoned and (back is not None or self.connecting or placed)
        return Window(utc(at) - timedelta(seconds=min(back or 0.0, 1e9)), utc(at), exact)

    def lines(self, *kinds: Kind) -> tuple[Entry, ...]:
        """The log's entries of these kinds that lie in the window; all where there is none to place them by."""
        window = self.window
        return tuple(
            entry
            for entry in self.seen.log
            if entry.kind in kinds
            and (window is None or (entry.at is not None and (not window.exact or window.has(entry.at))))
        )

    @property
    def timed_out_lines(self) -> tuple[Entry, ...]:
        """The log's entries about connections that timed out before the loss, of whoever they were."""
        user, window = self.session.user, self.window
        end = None if window is None else window.end + _CLOCKS
        return tuple(
            line
            for line in self.lines(Kind.IDLE_TIMEOUT, Kind.ABORTED)
            if (line.kind is Kind.IDLE_TIMEOUT or TIMED_OUT in line.reason.lower())
            and (not user or not line.user or line.user == user)
            and (end is None or line.at is None or utc(line.at) <= end)
        )

    def counted(self, lines: Sequence[Entry]) -> str:
        """How often a log has what these entries say, with those that were counted and not kept."""
        return times(len(lines) + self.seen.log_omitted)

    def own_lines(self, *kinds: Kind) -> tuple[Entry, ...]:
        """Those of them that are about the lost connection, by its number."""
        own = self.session.thread_id
        return tuple(entry for entry in self.lines(*kinds) if own and entry.thread_id == own)

    # How they are found out.

    def _flavour(self) -> Flavour | None:
        if self.server.flavour is not None:
            return self.server.flavour
        return self.seen.snapshot.version.flavour if self.seen.snapshot else None

    def _said(self) -> tuple[int, ...]:
        words = self.loss.last_words
        return self.codes if words is None else (*self.codes, words.code)

    def _symbol(self, code: int) -> str:
        name = errorcodes.symbol(code, self.flavour)
        if name or self.flavour is not None:
            return name
        # A number that the families use differently. As last words it can only be MySQL's: MariaDB's answers a
        # statement that creates a trigger.
        words = self.loss.last_words
        verb = self.seen.statement.verb or (self.report.statement.strip().partition(" ")[0] if self.report else "")
        unasked = words is not None and words.code == code
        return errorcodes.symbol(code, Flavour.MYSQL) if unasked or verb.upper() not in ("", _CREATE) else ""
