"""A look at the load over a second connection, and the way to end what runs on the first."""

from __future__ import annotations

from stillhere.maintain.guard import Load
from stillhere.survey.replication import replicas
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed

__all__ = ["ServerEye"]


class ServerEye:
    """Looks at one server.

    Args:
        ask: runs a statement on a connection of its own.
        snapshot: the server, as it was when the work began.
        worker: the id of the connection that works.

    Attributes:
        gap: why the lag can't be seen; empty where it can.
    """

    def __init__(self, ask: Ask, snapshot: Snapshot, worker: int) -> None:
        self._ask = ask
        self._snapshot = snapshot
        self._worker = worker
        self.gap = ""

    def load(self) -> Load:
        """Threads at work, and how far the server is behind its source."""
        rows = self._ask("SHOW GLOBAL STATUS LIKE 'Threads_running'")
        return Load(running=int(rows[0]["value"]), lag=self._lag())

    def end(self) -> None:
        """End the statement that works."""
        self._ask(f"KILL QUERY {self._worker}")

    def holders(self, table: str) -> str:
        """Sessions with open transactions, oldest first: one of them holds the table's metadata lock."""
        del table  # MariaDB can't tell which table a session holds without a plugin
        try:
            rows = self._ask(
                "SELECT p.id AS id, p.user AS user, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS seconds"  # noqa: S608 - a number
                " FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p"
                f" ON p.id = t.trx_mysql_thread_id WHERE p.id <> {self._worker} ORDER BY t.trx_started LIMIT 3"
            )
        except NotAllowed as error:
            return f" (who: {error})"
        shown = ", ".join(f"{row['user']} (id {row['id']}, open for {row['seconds']} s)" for row in rows)
        return f"; open transactions: {shown}" if shown else ""

    def _lag(self) -> float | None:
        if self.gap:
            return None
        try:
            lags = [one.lag for one in replicas(self._ask, self._snapshot) if one.lag is not None]
        except NotAllowed as error:
            self.gap = str(error)
            return None
        return max(lags, default=None)
