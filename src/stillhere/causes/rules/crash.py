"""The server's process died."""

from __future__ import annotations

from stillhere.causes.deaths import Death, concerned_by_an_end, death, weigh_death
from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, Reading
from stillhere.causes.remedies import ASK_LOG, ASK_UPTIME, server_came_back
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import moment
from stillhere.errorlog.entry import Kind
from stillhere.errorlog.summary import Ending

__all__ = ["Crash"]


class Crash(Rule):
    """The server's process died without a shutdown: a bug, failing hardware, or a SIGKILL.

    What happens:
        The kernel closes all its sockets: every client gets 2013 in flight or finds the end of file, then 2002 or 2003
        until the server is back. Service managers start it again at once, and InnoDB recovers.

    What shows it:
        The log: ``mysqld got signal 11`` or ``6`` with a stack trace, or a start that says ``not shutdown normally``
        or ``Starting crash recovery``, or a start without any shutdown line before it. A binary log without a ``Stop``
        event.

    What speaks against it:
        Shutdown lines before the start; an uptime longer than the connection's life.

    What to do:
        Report the stack trace with the query that it names to the vendor; look at the version's known bugs, memory and
        disk. A statement that was in flight in two crashes is not run a third time by stillhere (``PoisonStatement``).

    Known limits:
        A SIGKILL leaves no line: a start with neither shutdown nor crash lines is taken for one, and the kernel's log
        may make it the memory killer's. MariaDB writes no recovery line where there was nothing to recover. From the
        uptime alone the kind isn't known, and nothing is named.

    References:
        MySQL manual, "What to Do If MySQL Keeps Crashing" and "InnoDB Recovery"; MariaDB manual, "How to Produce a
        Full Stack Trace for mariadbd".
    """

    name = "crash"
    title = "Server crashed"
    number = 15
    reference = 'MySQL manual, "What to Do If MySQL Keeps Crashing"; MariaDB manual, "InnoDB Recovery Modes"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the log, else by the binary log's end; the uptime alone leaves it open."""
        reading, weighing = Reading(seen), Weighing(self)
        if reading.told and (not concerned_by_an_end(reading) or reading.told_of_shutdown):
            return None
        end = death(reading)
        if end is not None:
            return self._logged(reading, weighing, end)
        return self._by_uptime(reading, weighing) if reading.told else None

    def _logged(self, reading: Reading, weighing: Weighing, end: Death) -> Attribution | None:
        if end.ending not in (Ending.CRASH, Ending.KILLED):
            return None
        weigh_death(weighing, end)
        silent = end.ending is Ending.KILLED
        weighing.pro("no shutdown lines come before that start", "error log", when=silent)
        restart = reading.restart
        weighing.pro(restart.fact, restart.source, when=bool(restart.happened))
        weighing.con(restart.fact, restart.source, when=restart.happened is False)
        recovered = any(line.kind in (Kind.CRASH_RECOVERY, Kind.KILLED) for line in end.evidence)
        best = Certainty.LIKELY if silent and not recovered else Certainty.PROVED
        if not end.exact or restart.happened is False:
            best = Certainty.POSSIBLE
        signal = next((line.signal for line in end.evidence if line.signal), 0)
        by = f" of signal {signal}" if signal else (" without a word, as of SIGKILL" if silent else "")
        at = f" at {moment(end.last)}" if end.last and not silent else ""
        return self._answer(weighing, best, f"the server died{by}{at}")

    def _by_uptime(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        restart, in_order = reading.restart, reading.server.stopped_in_order
        if restart.happened is False or in_order or (reading.perhaps_stale and not restart.happened):
            return None
        if restart.happened:
            weighing.pro(restart.fact, restart.source)
            weighing.pro(
                "the binary log before ends without a Stop event", "SHOW BINLOG EVENTS", when=in_order is False
            )
            best = Certainty.LIKELY if in_order is False else Certainty.POSSIBLE
            sentence = "the server died" if in_order is False else "the server may have died: it was started again"
            return self._answer(weighing, best, sentence)
        if not reading.in_flight or reading.server.thread_alive:
            return None
        weighing.pro("lost with a statement in flight", CLIENT)
        weighing.pro("the server can't be reached right after it", CLIENT, when=reading.server.unreachable is True)
        return self._answer(weighing, Certainty.POSSIBLE, "the server may have died with the statement in flight")

    def _answer(self, weighing: Weighing, best: Certainty, sentence: str) -> Attribution | None:
        return weighing.answer(
            best,
            sentence,
            server_came_back(
                "Read the stack trace and the query in the server's log, look both up among the version's known"
                " bugs, and"
                " upgrade; without a trace, look at the kernel's log."
            ),
            (
                ASK_UPTIME,
                ASK_LOG,
                "SHOW BINLOG EVENTS IN the binary log before the newest: is its last event a Stop?",
                "the kernel's log and the service manager's: journalctl -k, journalctl -u mysql, docker inspect",
            ),
        )
