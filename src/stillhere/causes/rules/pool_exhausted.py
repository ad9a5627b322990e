"""The application's own pool is empty."""

from __future__ import annotations

from stillhere.apptrace.report import Position
from stillhere.causes.observations import Observations, PoolSettings
from stillhere.causes.reading import EXCEPTION, Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds
from stillhere.findings import Remedy

__all__ = ["PoolExhausted"]


class PoolExhausted(Rule):
    """Every connection of the application's pool was in use for as long as the caller would wait.

    What happens:
        The server has no part in it. Sessions that are never closed, work that holds a connection for too long, or
        slots that leaked when connections died at their return (stock SQLAlchemy with a per-connection isolation
        level): after size + overflow of them, every checkout times out.

    What shows it:
        The pool says so: ``QueuePool limit of size … reached``.

    What speaks against it:
        Nothing else says it. The server's ``Threads_connected`` stays where it is.

    What to do:
        Find out who holds them and from where; close sessions in a ``with`` block; a larger pool only if the load
        really needs it.

    Known limits:
        Whether they are in use, leaked or lost isn't told by the message.

    References:
        SQLAlchemy documentation, "QueuePool limit of size <x> overflow <y> reached, connection timed out, timeout
        <z>".
    """

    name = "pool_exhausted"
    title = "Application's pool exhausted"
    number = 37
    is_loss = False
    reference = (
        'SQLAlchemy documentation, "QueuePool limit of size <x> overflow <y> reached, connection timed out, timeout'
        ' <z>"'
    )

    def judge(self, seen: Observations) -> Attribution | None:
        """By the pool's own message, or by the count of what is checked out."""
        reading, weighing = Reading(seen), Weighing(self)
        facts = seen.report.pool if seen.report else None
        said = facts is not None or reading.position is Position.POOL
        pool = PoolSettings.of_report(facts) if facts is not None else seen.pool
        room = _room(pool)
        full = room is not None and seen.pool.checked_out is not None and seen.pool.checked_out >= room
        if not said and not (full and not reading.codes and not reading.lossy and reading.told):
            return None
        weighing.pro("the pool says that it is exhausted", EXCEPTION, when=said)
        if room is not None:
            held = "" if seen.pool.checked_out is None else f", {seen.pool.checked_out} are checked out"
            weighing.pro(f"it may hold {room} connections{held}", "pool settings")
        waited = f", and the caller waited {seconds(pool.timeout)}" if pool.timeout else ""
        limit = "" if room is None else f" of the pool's {room} connections"
        return weighing.answer(
            Certainty.PROVED if said else Certainty.POSSIBLE,
            f"all{limit or ' connections of the pool'} were in use{waited}",
            Remedy(
                "Close every session in a with block, also on errors, and hold none over slow calls. Under the"
                " stillhere plugin a"
                " connection that dies at its return gives its slot back.",
                ("with Session(engine) as session: …", "engine.pool.status()"),
            ),
            ("engine.pool.status(), and the place of each checkout: SHOW FULL PROCESSLIST shows them as Sleep",),
        )


def _room(pool: PoolSettings) -> int | None:
    if not pool.size or pool.overflow is None or pool.overflow < 0:
        return None
    return pool.size + pool.overflow
