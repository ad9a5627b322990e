"""The client stopped waiting."""

from __future__ import annotations

import re

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, TRACEBACK, VARIABLES, Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import bytes_of, seconds
from stillhere.findings import Remedy

__all__ = ["ClientReadTimeout"]

_CONNECTOR = "mysql-connector"
_BY_KEY = re.compile(
    r"\ASELECT\b(?!.*\bJOIN\b).*\bWHERE\s+\S*id[`\"]?\s*=\s*\S+(?:\s+LIMIT\s+\S+)?\s*;?\s*\Z", re.IGNORECASE | re.DOTALL
)


class ClientReadTimeout(Rule):
    """The client's own read timeout passed; the server had not hung up.

    What happens:
        ``read_timeout`` of PyMySQL and mysqlclient, or ``connection_timeout``-like options of others: the client
        closes the socket although the statement still runs. PyMySQL says 2013 ``(timed out)``. The server finds out
        when it has the answer, and counts an aborted client. A later statement on the same connection gets 2006.

    What shows it:
        The driver itself says that it timed out; or the loss came just when the configured time had passed.

    What speaks against it:
        2006 on the statement itself: sending failed, so that no answer was waited for. No timeout configured. A loss
        well before the timeout.

    What to do:
        It isn't the server's fault: give the statement more time or make it faster. stillhere never runs it again,
        since it may still be running (``StatementTimeout``).

    Known limits:
        That the client gave up doesn't tell why the answer was late: a slow statement, a lock, or a way that had gone
        silent. MySQL Connector/Python numbers its timeout 3024, as the server numbers ``max_execution_time``.

    References:
        PyMySQL documentation, "Connection Object" (read_timeout); MySQL manual, "mysql_options()"
        (MYSQL_OPT_READ_TIMEOUT).
    """

    name = "client_read_timeout"
    title = "Client stopped waiting"
    number = 7
    reference = 'PyMySQL documentation, "Connection Object", read_timeout; MySQL manual, "mysql_options()"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the driver's word, else by the time it took."""
        reading, weighing = Reading(seen), Weighing(self)
        limit, took = seen.client.read_timeout, seen.loss.duration
        if reading.connecting or reading.client.interrupted:
            return None
        if reading.timed_out:
            weighing.pro("the driver says that it timed out", EXCEPTION)
            self._weigh_time(weighing, limit, took)
            return self._answer(weighing, Certainty.PROVED, limit, took)
        if reading.in_flight and reading.read_timeout_passed:
            self._weigh_time(weighing, limit, took)
            weighing.con(reading.restart.fact, reading.restart.source, when=bool(reading.restart.happened), weak=True)
            return self._answer(weighing, Certainty.LIKELY, limit, took)
        if reading.has("ER_QUERY_TIMEOUT") and reading.driver.startswith(_CONNECTOR):
            return self._connector(reading, weighing)
        if reading.report is not None and reading.has("CR_SERVER_GONE_ERROR") and not reading.said_inactive:
            return self._unlikely(reading, weighing)
        return None

    def _connector(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        """MySQL Connector/Python's own timeout has the number of the server's."""
        limit = reading.number("max_execution_time")
        if limit:
            return None
        weighing.pro("error 3024, by which this driver reports its own read timeout too", EXCEPTION)
        weighing.pro("max_execution_time is 0: the server has no such limit", VARIABLES, when=limit == 0)
        best = Certainty.POSSIBLE if limit is None else Certainty.LIKELY
        return self._answer(weighing, best, reading.client.read_timeout, reading.loss.duration)

    def _unlikely(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        weighing.pro("2006 is what a statement gets on a connection that its client gave up before", EXCEPTION)
        weighing.con("2006 is raised when sending fails: this statement never ran, so that it was not slow", EXCEPTION)
        weighing.con("it was the first statement after checkout", TRACEBACK, when=reading.first)
        statement = reading.report.statement.strip() if reading.report else ""
        if _BY_KEY.match(statement):
            size = reading.statement_size
            length = f" of {bytes_of(size)}" if size else ""
            weighing.con(f"it is a SELECT{length} by an id, which is not slow", TRACEBACK)
        return weighing.answer(
            Certainty.UNLIKELY,
            "a slow query and the client's own timeout",
            Remedy("Nothing: the statement was not slow."),
            ("the connect arguments: is there a read_timeout?",),
        )

    def _weigh_time(self, weighing: Weighing, limit: float | None, took: float | None) -> None:
        if took is not None:
            configured = f", read_timeout {seconds(limit)}" if limit else ""
            weighing.pro(f"it failed {seconds(took)} after it was sent{configured}", CLIENT)

    def _answer(
        self, weighing: Weighing, best: Certainty, limit: float | None, took: float | None
    ) -> Attribution | None:
        after = seconds(limit) if limit else (seconds(took) if took is not None else "its own timeout")
        return weighing.answer(
            best,
            f"the client stopped waiting after {after}; the server had not hung up",
            Remedy(
                "Raise the client's read timeout over the longest statement, or make that statement faster; a limit"
                " that the"
                " server keeps (max_execution_time, max_statement_time) ends the statement too, and the connection"
                " lives.",
                ("create_engine(url, connect_args={'read_timeout': 60})",),
            ),
            ("SHOW FULL PROCESSLIST: does the statement still run?",),
        )
