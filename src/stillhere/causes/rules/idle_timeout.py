"""Idle for longer than the server keeps an idle connection."""

from __future__ import annotations

from stillhere.causes.deaths import death, shortly_before, timed_out_after
from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, PROCESSLIST, TIMED_OUT, Reading
from stillhere.causes.remedies import ASK_LIMITS, ASK_LOG, ASK_UPTIME, connection_died_in_the_pool
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import moment, seconds, source_of, times
from stillhere.errorlog.entry import Entry, Kind
from stillhere.server.versions import Flavour

__all__ = ["IdleTimeout"]

_SAYS_GOODBYE = (8, 0, 24)


class IdleTimeout(Rule):
    """The server closed a connection on which nothing had come for wait_timeout seconds.

    What happens:
        A connection lies idle in a pool, or behind a long pause, until the server's own timer ends it. The client
        learns of it at the next statement: 2006 where sending fails, 2013 where it finds the end of the stream first.
        MySQL 8.0.24 and later leave 4031 behind, which a driver that reads it reports.

    What shows it:
        4031 as the server's last words; a log line about this very connection (``Got timeout reading communication
        packets``, MySQL 8's MY-013730); or an idle time of at least the session's own ``wait_timeout``. From a
        traceback alone: 2006 at the first statement after checkout, which proves that the connection was dead before.

    What speaks against it:
        An idle time below the limit; a thread that is still in the process list; an end of file without 4031 on a
        MySQL that would have said it.

    What to do:
        Replace or check pooled connections before use. Raising ``wait_timeout`` to a day hides leaks, keeps dead
        clients' threads and locks, and the shortest hop between client and server still cuts.

    Known limits:
        A 2006 at the first statement doesn't tell who cut the connection; the idle limit is only the usual one.
        MariaDB's log has the same line for its limits on idle transactions and for ``net_read_timeout``. A traceback
        doesn't tell the connection's number: lines about others that timed out make it likely, never proved.

    References:
        MySQL manual, "MySQL server has gone away" and "Server System Variables" (wait_timeout); MariaDB manual,
        "Server System Variables" (wait_timeout).
    """

    name = "idle_timeout"
    title = "Idle longer than wait_timeout"
    number = 1
    reference = 'MySQL manual, "MySQL server has gone away"; MariaDB manual, "Server System Variables", wait_timeout'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the server's words, its log, or idle time against limit."""
        reading, weighing = Reading(seen), Weighing(self)
        if seen.loss.proactive:
            return self._replaced(reading, weighing)
        if not reading.told:
            return self._in_a_log(reading, weighing)
        if not reading.perhaps_stale:
            return None
        logged = _own_line(reading)
        others = () if logged is not None else _timed_out(reading)
        named = logged is not None and (logged.kind is Kind.IDLE_TIMEOUT or _alone(reading))
        self._weigh(reading, weighing, logged)
        if others:
            last = f", the last at {moment(others[-1].at)}" if others[-1].at else ""
            fact = f"the log has connections that timed out before it {times(len(others))}{last}"
            weighing.pro(fact, source_of(others[-1]))
        limit = reading.idle_limit or (logged.seconds if logged and logged.seconds else None)
        return weighing.answer(
            self._best(reading, proved=reading.said_inactive or named, logged=logged is not None, others=bool(others)),
            _sentence(reading),
            connection_died_in_the_pool(limit),
            (ASK_LIMITS, ASK_LOG, ASK_UPTIME),
            guess=_sentence(reading),
        )

    def _best(self, reading: Reading, *, proved: bool, logged: bool, others: bool) -> Certainty:
        if proved:
            return Certainty.PROVED
        if reading.over_idle_limit or logged:
            return Certainty.LIKELY
        if (others and reading.stale) or (reading.unasked and _says_goodbye(reading)):
            return Certainty.LIKELY
        # Dead when it left the pool, and nobody looked: most often it had idled there for too long.
        unlooked = reading.stale and reading.first and reading.seen.pool.pre_ping is not True
        unmeasured = reading.over_idle_limit is None and reading.restart.happened is not True
        return Certainty.LIKELY if unlooked and unmeasured else Certainty.POSSIBLE

    def _weigh(self, reading: Reading, weighing: Weighing, logged: Entry | None) -> None:
        weighing.pro(
            "the server said that it closes the connection for inactivity (4031)", EXCEPTION, when=reading.said_inactive
        )
        if logged is not None:
            weighing.pro("the log says that this connection timed out", source_of(logged))
        if reading.over_idle_limit is not None and reading.idle is not None and reading.idle_limit is not None:
            fact = f"idle {seconds(reading.idle)}, wait_timeout {seconds(reading.idle_limit)}"
            weighing.pro(fact, CLIENT, when=reading.over_idle_limit)
            weighing.con(fact, CLIENT, when=not reading.over_idle_limit)
        if not reading.over_idle_limit:
            weighing.pro(*reading.dead_before)
        weighing.pro(
            "no check of the connection shows between checkout and statement",
            "traceback",
            when=reading.stale and reading.first and not reading.seen.pool.pre_ping,
        )
        _weigh_pool(reading, weighing)
        _weigh_hangup(reading, weighing)
        end = death(reading)
        near = end is not None and not end.exact and shortly_before(reading, end) and not timed_out_after(reading, end)
        if near and end is not None and end.last is not None:
            weighing.con(
                f"the server's life before ended at {moment(end.last)}, within the hour", "error log", weak=True
            )
        restart = reading.restart
        weighing.con(restart.fact, restart.source, when=bool(restart.happened), weak=True)
        weighing.con("its thread is still in the process list", PROCESSLIST, when=reading.server.thread_alive is True)

    def _replaced(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        idle, limit = reading.idle, reading.idle_limit
        if idle is None or limit is None:
            return None
        weighing.pro(f"idle {seconds(idle)}, wait_timeout {seconds(limit)}; it still lived", CLIENT)
        return weighing.answer(
            Certainty.LIKELY,
            f"idle {seconds(idle)} on a connection whose wait_timeout is {seconds(limit)}: replaced before use",
            connection_died_in_the_pool(limit),
        )

    def _in_a_log(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        lines = reading.lines(Kind.IDLE_TIMEOUT)
        limit = max((line.seconds for line in lines), default=0.0)
        if lines:
            weighing.pro(f"the log has an idle timeout {reading.counted(lines)}", source_of(lines[0]))
        timed_out = [line for line in reading.lines(Kind.ABORTED) if TIMED_OUT in line.reason.lower()]
        if timed_out and not lines:
            weighing.pro(f"the log says {timed_out[0].reason!r} {reading.counted(timed_out)}", source_of(timed_out[0]))
            return weighing.answer(
                Certainty.LIKELY,
                "the server gave up connections on which nothing had come for too long, as by wait_timeout",
                connection_died_in_the_pool(reading.number("wait_timeout")),
                (ASK_LIMITS,),
            )
        return weighing.answer(
            Certainty.PROVED,
            f"the server closed idle connections {reading.counted(lines)}"
            + (f" after {seconds(limit)} (wait_timeout)" if limit else ""),
            connection_died_in_the_pool(limit or None),
        )


def _own_line(reading: Reading) -> Entry | None:
    """The log's line about this connection that says that it timed out, where another limit didn't come first."""
    for entry in reading.own_lines(Kind.IDLE_TIMEOUT):
        return entry
    if reading.over_idle_limit is False or reading.over_transaction_limit or not reading.stale:
        return None
    return next((line for line in reading.own_lines(Kind.ABORTED) if TIMED_OUT in line.reason.lower()), None)


def _alone(reading: Reading) -> bool:
    """Whether the line can mean nothing but this limit: MariaDB writes the same for one on idle transactions."""
    return reading.in_transaction is False or (
        reading.transaction_limit is None and reading.number("idle_transaction_timeout") == 0
    )


def _timed_out(reading: Reading) -> tuple[Entry, ...]:
    """The log's lines about connections that timed out before the loss, of whoever they were.

    None where the server was started again after the last of them: the lost connection was opened later, then.
    """
    if reading.over_idle_limit is False or reading.in_transaction or reading.restart.happened:
        return ()
    lines, end = reading.timed_out_lines, death(reading)
    return lines if end is None or timed_out_after(reading, end) else ()


def _says_goodbye(reading: Reading) -> bool:
    """Whether an error that the server leaves on an idle connection can only be its 4031."""
    version = reading.server.version
    return reading.flavour is Flavour.MYSQL and version is not None and version >= _SAYS_GOODBYE


def _weigh_pool(reading: Reading, weighing: Weighing) -> None:
    recycle, limit = reading.seen.pool.recycle, reading.idle_limit
    if recycle is None or limit is None:
        return
    if recycle < 0 or recycle >= limit:
        never = "never" if recycle < 0 else f"after {seconds(recycle)}"
        weighing.pro(f"the pool replaces a connection {never}, wait_timeout is {seconds(limit)}", "pool settings")
    else:
        weighing.con(
            f"the pool replaces a connection older than {seconds(recycle)} at checkout, below wait_timeout"
            f" {seconds(limit)}",
            "pool settings",
            weak=True,
        )


def _weigh_hangup(reading: Reading, weighing: Weighing) -> None:
    hangup, said = reading.loss.hangup, reading.said_inactive
    if hangup != "FIN" or said:
        return
    if _says_goodbye(reading):
        weighing.con("it ended without 4031, which this server says before it closes an idle connection", "socket")
    if reading.flavour is Flavour.MARIADB:
        weighing.con("it ended in order (FIN), where MariaDB resets a connection that timed out", "socket", weak=True)


def _sentence(reading: Reading) -> str:
    idle, limit = reading.idle, reading.idle_limit
    if idle is not None and limit is not None:
        less = "" if reading.over_idle_limit or reading.said_inactive else ", so that this limit can't have cut it"
        return f"idle {seconds(idle)} on a connection whose wait_timeout is {seconds(limit)}{less}"
    if reading.said_inactive:
        return "the server closed the connection for inactivity" + (f" after {seconds(idle)}" if idle else "")
    if reading.first:
        return "a stale pooled connection: it died while it lay idle in the pool, as by the server's wait_timeout"
    known = f" ({seconds(limit)})" if limit else ""
    return (
        f"a stale connection: it had died, idle, before the statement was sent, as by the server's wait_timeout{known}"
    )
