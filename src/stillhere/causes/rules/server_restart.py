"""The server was shut down in order, or started again in a way that isn't known."""

from __future__ import annotations

from stillhere.causes.deaths import (
    Death,
    concerned_by_an_end,
    death,
    no_death,
    shortly_before,
    timed_out_after,
    weigh_death,
)
from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, Reading
from stillhere.causes.remedies import ASK_LOG, ASK_UPTIME, server_came_back
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import moment, seconds
from stillhere.errorlog.summary import Ending

__all__ = ["ServerRestart"]

_SAID = "ER_SERVER_SHUTDOWN"
_UNREACHED = ("CR_CONN_HOST_ERROR", "CR_CONNECTION_ERROR")


class ServerRestart(Rule):
    """The server was shut down in order, as for a restart or an upgrade, and every connection ended with it.

    What happens:
        A shutdown ends all client connections. A statement that reaches the server then gets 1053; one in flight gets
        2013; an idle connection is found at its end of file. MySQL waits about two seconds for busy clients, then
        forces them.

    What shows it:
        1053, on this connection or on another of the same process in the same second. The log's shutdown lines:
        ``Received SHUTDOWN``, ``Normal shutdown``, ``Forcing close of thread``, ``Shutdown complete``. The binary
        log's ``Stop`` event.

    What speaks against it:
        An uptime that is longer than the connection's life; a log that reaches over the moment and has no shutdown.

    What to do:
        Restart at a time that suits, and have clients wait for the server.

    Known limits:
        A younger ``Uptime`` proves that the server was started again, not how its life before had ended: without 1053,
        a log or the binary log's last event, a restart in order and a crash look alike to a client (MariaDB stops
        within milliseconds), and neither is named.

    References:
        MySQL manual, "The Server Shutdown Process"; MariaDB manual, "SHUTDOWN".
    """

    name = "server_restart"
    title = "Server shut down or restarted"
    number = 14
    reference = 'MySQL manual, "The Server Shutdown Process"; MariaDB manual, "SHUTDOWN"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By 1053, the log, or the uptime, which says nothing of the kind."""
        reading, weighing = Reading(seen), Weighing(self)
        end = death(reading)
        if self._said(reading, weighing):
            if end is not None and end.ending is Ending.CLEAN:
                weigh_death(weighing, end)
            return self._answer(reading, weighing, Certainty.PROVED, "the server was being shut down")
        if reading.told and not concerned_by_an_end(reading):
            return None
        if end is not None:
            return self._logged(reading, weighing, end)
        return self._by_uptime(reading, weighing) if reading.told else None

    def _said(self, reading: Reading, weighing: Weighing) -> bool:
        here = reading.has(_SAID)
        there = _SAID in reading.symbols_of(reading.loss.other_codes) and (reading.lossy or reading.connecting)
        weighing.pro("the server said that it was being shut down (1053)", EXCEPTION, when=here)
        weighing.pro("another connection was told of a shutdown (1053) in the same second", CLIENT, when=there)
        return here or there

    def _logged(self, reading: Reading, weighing: Weighing, end: Death) -> Attribution | None:
        if end.ending is not Ending.CLEAN:
            return None
        weigh_death(weighing, end)
        restart = reading.restart
        weighing.pro(restart.fact, restart.source, when=bool(restart.happened))
        weighing.con(restart.fact, restart.source, when=restart.happened is False)
        best = Certainty.PROVED if end.exact and restart.happened is not False else Certainty.POSSIBLE
        near = shortly_before(reading, end) and not timed_out_after(reading, end)
        if not end.exact and not reading.unplaced and near:
            best = Certainty.LIKELY
        at = f" at {moment(end.first)}" if end.first else ""
        return self._answer(reading, weighing, best, f"the server was shut down in order{at}")

    def _by_uptime(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        restart, in_order = reading.restart, reading.server.stopped_in_order
        if restart.happened is False or (restart.happened and in_order is False):
            return None
        uptime, age = reading.server.uptime, reading.loss.age
        if restart.happened:
            weighing.pro(restart.fact, restart.source)
            weighing.pro("the binary log before ends with a Stop event", "SHOW BINLOG EVENTS", when=bool(in_order))
            best = Certainty.LIKELY if in_order else Certainty.POSSIBLE
            numbers = f" (uptime {seconds(uptime)} on a connection {seconds(age)} old)" if uptime and age else ""
            kind = ", in order" if in_order else "; whether in order or after a crash is not known"
            return self._answer(reading, weighing, best, f"the server was started again{numbers}{kind}")
        if reading.over_idle_limit or reading.server.thread_alive:
            return None
        weighing.pro(
            f"the server can't be reached ({reading.met(*_UNREACHED)})", EXCEPTION, when=reading.has(*_UNREACHED)
        )
        if reading.perhaps_stale:
            weighing.pro(*reading.dead_before)
        weighing.pro("lost with a statement in flight", CLIENT, when=reading.in_flight and not reading.perhaps_stale)
        weighing.con("the log has no end of the server's life there", "error log", when=no_death(reading))
        return self._answer(reading, weighing, Certainty.POSSIBLE, "the server may have been restarted")

    def _answer(self, reading: Reading, weighing: Weighing, best: Certainty, sentence: str) -> Attribution | None:
        others = reading.loss.others
        if best is not Certainty.PROVED and others:
            weighing.pro(f"{others} other connections were lost within a second of it", CLIENT)
        return weighing.answer(
            best,
            sentence,
            server_came_back(
                "A planned stop is no fault: plan it for a quiet hour, and let clients wait for the server."
            ),
            (ASK_UPTIME, ASK_LOG, "SHOW BINLOG EVENTS IN the binary log before the newest: is its last event a Stop?"),
            # That it was started again is known, only not in which way its life before had ended.
            guess=sentence if "not known" in sentence else "",
        )
