"""Somebody sent KILL."""

from __future__ import annotations

import errno

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, PROCESSLIST, STATUS, Reading
from stillhere.causes.remedies import ASK_KILLS, ASK_UPTIME
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of, times
from stillhere.errorlog.entry import Entry, Kind
from stillhere.findings import Remedy

__all__ = ["Killed"]

_SAID = ("ER_CONNECTION_KILLED", "ER_SESSION_WAS_KILLED")
_WHO = "SELECT THREAD_ID, SQL_TEXT FROM performance_schema.events_statements_history_long WHERE SQL_TEXT LIKE 'KILL%'"
_BROKEN_WAY = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})


class Killed(Rule):
    """An administrator, a tool such as pt-kill, or another session sent KILL.

    What happens:
        ``KILL`` shuts the connection's socket: a statement in flight gets 2013, exactly as in a crash; an idle
        connection is found at its end of file. Some versions of MariaDB leave 1927 behind. ``KILL QUERY`` ends the
        statement alone, with 1317.

    What shows it:
        1927 or 1317 from the server; a log line about this connection that ends in ``(KILLED)``; or ``Com_kill`` grew
        while the connection lived, the server was not restarted, and the stream ended in order (an end of file, no
        reset).

    What speaks against it:
        A ``Com_kill`` that did not grow; a restart; a reset instead of an end of file; an idle time that the server's
        own limit would have ended.

    What to do:
        Find out who kills, and why: a statement that runs for too long, or an open transaction that holds locks.
        stillhere does not continue what was killed on purpose (obey_kill_after).

    Known limits:
        ``Com_kill`` counts every KILL on the server: over a long life one of somebody else's connection is counted
        too. Neither server logs a KILL; who sent it is known only where the general log, an audit log or the statement
        history is on. A proxy may say 1927 on its own account.

    References:
        MySQL manual, "KILL Statement"; MariaDB manual, "KILL" and "MariaDB Error Codes" (1927).
    """

    name = "killed"
    title = "Killed on purpose"
    number = 11
    refines = ("handshake_lost",)
    reference = 'MySQL manual, "KILL Statement"; MariaDB manual, "KILL [CONNECTION | QUERY]"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the server's words, else by Com_kill and what excludes the rest."""
        reading, weighing = Reading(seen), Weighing(self)
        if reading.has("ER_QUERY_INTERRUPTED"):
            return self._statement(weighing)
        logged = [line for line in reading.own_lines(Kind.ABORTED) if "killed" in line.reason.lower()]
        if reading.has(*_SAID) or logged:
            return self._said(reading, weighing, logged)
        kills = seen.server.kills
        # A KILL may also strike while the client still greets the server.
        open_or_cut_off = reading.lossy or (reading.connecting and reading.has("CR_SERVER_LOST") and bool(kills))
        if not open_or_cut_off or _explained(reading):
            return None
        if kills:
            return self._counted(reading, weighing, kills)
        if not reading.in_flight or (kills is None and reading.report is None and reading.restart.happened is None):
            return None
        weighing.pro("lost with a statement in flight, as by a KILL", CLIENT)
        weighing.con("Com_kill did not grow", STATUS, when=kills == 0)
        weighing.con("it ended by a reset", EXCEPTION, when=_reset(reading), weak=True)
        return self._answer(reading, weighing, Certainty.POSSIBLE)

    def _statement(self, weighing: Weighing) -> Attribution | None:
        weighing.pro("error 1317: the statement was interrupted on the server", EXCEPTION)
        return weighing.answer(
            Certainty.PROVED,
            "the statement alone was killed (KILL QUERY); the connection lives",
            Remedy("Find out who sent KILL QUERY; the connection can go on being used."),
        )

    def _said(self, reading: Reading, weighing: Weighing, logged: list[Entry]) -> Attribution | None:
        if reading.restart.happened:
            return None  # a shutdown kills every connection
        code = reading.met(*_SAID)
        weighing.pro(f"the server said that the connection was killed ({code})", EXCEPTION, when=bool(code))
        if logged:
            weighing.pro("the log says that this connection was killed", source_of(logged[0]))
        kills = reading.server.kills
        weighing.pro(f"Com_kill grew {times(kills or 0)}", STATUS, when=bool(kills))
        # MaxScale says the same number for connections that it closes itself.
        unseen = kills == 0 and not logged
        weighing.con("Com_kill did not grow: a proxy may have said it", STATUS, when=unseen, weak=True)
        return self._answer(reading, weighing, Certainty.LIKELY if unseen else Certainty.PROVED)

    def _counted(self, reading: Reading, weighing: Weighing, kills: int) -> Attribution | None:
        restart = reading.restart
        if restart.happened:
            return None
        weighing.pro(f"Com_kill grew {times(kills)} over the connection's life, our own left out", STATUS)
        weighing.pro(restart.fact, restart.source, when=restart.happened is False)
        in_order = reading.loss.hangup == "FIN" or (reading.in_flight and reading.codes and reading.os_error is None)
        weighing.pro("the stream ended in order, without a reset", CLIENT, when=bool(in_order))
        weighing.pro("the thread is gone from the process list", PROCESSLIST, when=reading.server.thread_alive is False)
        weighing.con(
            "it had idled for longer than its wait_timeout",
            CLIENT,
            when=bool(reading.over_idle_limit and reading.stale),
            weak=True,
        )
        weighing.con(
            "it ended by a reset, where a KILL ends the stream in order", CLIENT, when=_reset(reading), weak=True
        )
        weighing.con("the system gave up on a silent peer", "exception", when=reading.os_error in _BROKEN_WAY)
        lost = reading.server.lost_meanwhile or 0
        weighing.con(
            f"this process alone lost {lost} connections in that time",
            CLIENT,
            when=lost > kills,
            weak=True,
        )
        alive = reading.server.thread_alive is True
        weighing.con("the thread is still in the process list", PROCESSLIST, when=alive, weak=True)
        return self._answer(reading, weighing, Certainty.LIKELY if restart.happened is False else Certainty.POSSIBLE)

    def _answer(self, reading: Reading, weighing: Weighing, best: Certainty) -> Attribution | None:
        duration = reading.loss.duration
        running = f" after {seconds(duration)}" if duration is not None and reading.in_flight else ""
        what = "with a statement in flight" + running if reading.in_flight else "while it was idle"
        what = "while it was being opened" if reading.connecting else what
        return weighing.answer(
            best,
            f"the connection was killed {what}",
            Remedy(
                "Find out who sent KILL and why; shorten the statement or transaction that was killed. stillhere"
                " does not run again what was killed on purpose.",
                (_WHO,),
            ),
            (ASK_KILLS, ASK_UPTIME, "the general log, an audit log, or pt-kill's own log at that moment"),
        )


def _reset(reading: Reading) -> bool:
    return reading.os_error == errno.ECONNRESET or reading.loss.hangup == "RST"


def _explained(reading: Reading) -> bool:
    """Whether the server or the driver named another reason itself."""
    return bool(
        reading.too_large
        or reading.said_inactive
        or reading.timed_out
        or reading.client.interrupted
        or reading.out_of_step
        or reading.restart.happened
        or reading.has("ER_SERVER_SHUTDOWN", "ER_NET_PACKET_TOO_LARGE", "CR_NET_PACKET_TOO_LARGE")
    )
