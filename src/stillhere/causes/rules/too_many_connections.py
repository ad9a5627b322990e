"""max_connections reached."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import STATUS, VARIABLES, Reading
from stillhere.causes.weighing import Weighing
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["TooManyConnections"]

_REFUSED = "connection_errors_max_connections"


class TooManyConnections(CodedRule):
    """The server has as many clients as max_connections allows, and takes no more.

    What happens:
        New connections get 1040. Those that are open live on.

    What shows it:
        1040. ``Connection_errors_max_connections`` counts them; ``Max_used_connections`` is one more than
        ``max_connections`` when the extra one of an administrator was used too.

    What speaks against it:
        Nothing else is answered with 1040; a proxy in front may answer it for its own limit.

    What to do:
        Do the sum: processes x (pool_size + max_overflow) of every application, plus whatever else connects, against
        ``max_connections``. If the sum fits, somebody leaks: look at who holds them.

    Known limits:
        Who holds the connections is known only where the process list was asked.

    References:
        MySQL manual, "Too many connections"; MariaDB manual, "Handling Too Many Connections".
    """

    name = "too_many_connections"
    title = "max_connections reached"
    number = 20
    is_loss = False
    symbols = ("ER_CON_COUNT_ERROR",)
    kinds = (Kind.TOO_MANY_CONNECTIONS,)
    reference = 'MySQL manual, "Too many connections"; MariaDB manual, "Handling Too Many Connections"'

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The counters and the limit."""
        refused = reading.server.deltas.get(_REFUSED, 0)
        weighing.pro(f"Connection_errors_max_connections grew by {refused}", STATUS, when=refused > 0)
        limit, used = reading.number("max_connections"), None
        if reading.seen.snapshot is not None:
            used = reading.seen.snapshot.count("max_used_connections")
        if limit is not None and used is not None and weighing.supported:
            fact = f"max_connections {limit:g}, Max_used_connections {used}"
            weighing.pro(fact, VARIABLES, when=used >= limit)
            weighing.con(fact, VARIABLES, when=used < limit, weak=True)

    def sentence(self, reading: Reading) -> str:
        """With the limit where it is known."""
        limit = reading.number("max_connections")
        return "the server had no room for another connection" + (f" (max_connections {limit:g})" if limit else "")

    def remedy(self, reading: Reading) -> Remedy:
        """The sum, with the pool's numbers where they are known."""
        pool = reading.seen.pool
        each = ""
        if pool.size is not None and pool.overflow is not None and pool.overflow >= 0:
            each = f" Here each process may hold {pool.size} + {pool.overflow} = {pool.size + pool.overflow}."
        return Remedy(
            "Add up processes x (pool_size + max_overflow) over all applications; keep the sum below max_connections by"
            f" smaller pools first, a higher limit second.{each} The stillhere plugin waits (ride_through) until"
            " there is room.",
            (
                "SELECT USER, COUNT(*) FROM information_schema.PROCESSLIST GROUP BY USER ORDER BY 2 DESC",
                "SHOW GLOBAL VARIABLES LIKE 'max_connections'",
            ),
            "each allowed connection may use its session buffers' memory",
        )
