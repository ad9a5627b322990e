"""The server's threads that work for applications, and killing them."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from stillhere.lab.servers import Server

USER = "stillhere"
"""The account of the lab's applications."""

_THREADS = """
SELECT list.id FROM information_schema.processlist AS list
LEFT JOIN information_schema.innodb_trx AS trx ON trx.trx_mysql_thread_id = list.id
WHERE list.user = %s AND """
_IDLE = _THREADS + "list.command = 'Sleep' AND trx.trx_id IS NULL"
_BUSY = _THREADS + "(list.command = 'Query' OR trx.trx_id IS NOT NULL) ORDER BY list.command = 'Query' DESC"


class Threads:
    """The threads of the lab's applications, looked at over one administrator's connection.

    A transaction that has touched no table yet can't be told from none.
    """

    def __init__(self, server: Server) -> None:
        self._admin = server.admin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._admin.close()

    def idle(self) -> tuple[int, ...]:
        """Those that sleep outside a transaction."""
        return self._ids(_IDLE)

    def busy(self) -> tuple[int, ...]:
        """Those in the middle of a statement, then those between the statements of a transaction."""
        return self._ids(_BUSY)

    def kill(self, thread: int) -> bool:
        """KILL one; false when it was gone already."""
        try:
            with self._admin.cursor() as cursor:
                cursor.execute("KILL %s", (thread,))
        except self._admin.Error:
            return False
        return True

    def _ids(self, query: str) -> tuple[int, ...]:
        with self._admin.cursor() as cursor:
            cursor.execute(query, (USER,))
            rows: tuple[tuple[Any, ...], ...] = cursor.fetchall()
        return tuple(int(row[0]) for row in rows)
