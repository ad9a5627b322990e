"""Another server took over, or this one became read-only."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, Reading
from stillhere.causes.remedies import ASK_LOG
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["Failover"]

_READ_ONLY = ("ER_OPTION_PREVENTS_STATEMENT", "ER_READ_ONLY_MODE")


class Failover(Rule):
    """The roles changed: another server answers at the address, or the one that answers has become a replica.

    What happens:
        A promotion ends or redirects connections (2013, 2003). A client that still holds, or has resolved, the old
        address then writes to a server that is read-only and gets 1290 or 1836.

    What shows it:
        The server that answers now has another identity than the one that was lost; ``@@read_only`` is on where writes
        worked; 1836; the log's lines on roles and on ``super_read_only``.

    What speaks against it:
        The same server, not read-only. 1290 alone is any option's refusal (``--secure-file-priv`` too).

    What to do:
        Discard the pool's connections and resolve the name anew. A commit whose reply was lost can't be settled on
        another server, unless it is declared synchronously replicated.

    Known limits:
        A name with a long lifetime in the resolver's cache keeps leading to the old server.

    References:
        MySQL manual, "Server Error Message Reference" (1290, 1836) and "Switching Sources During Failover"; MariaDB
        manual, "read_only".
    """

    name = "failover"
    title = "Failover, or the server is read-only"
    number = 28
    reference = 'MySQL manual, "Switching Sources During Failover" and "Server System Variables", super_read_only'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the server's identity, its refusal of writes, or the log."""
        reading, weighing = Reading(seen), Weighing(self)
        refused, other = reading.has(*_READ_ONLY), seen.server.same is False
        lines = reading.lines(Kind.ROLE_CHANGE, Kind.READ_ONLY)
        lost = reading.lossy or reading.connecting
        if not (refused or (lost and other) or (lines and (lost or not reading.told))):
            return None
        weighing.pro(f"a write was refused ({reading.met(*_READ_ONLY)})", EXCEPTION, when=refused)
        weighing.pro("the server that answers now is another", CLIENT, when=other)
        weighing.pro("it refuses writes now", "@@read_only", when=seen.server.read_only_now is True)
        weighing.con(
            "it takes writes now", "@@read_only", when=refused and seen.server.read_only_now is False, weak=True
        )
        if lines:
            weighing.pro(f"the log has a {lines[0].kind.value}", source_of(lines[0]))
        sure = reading.has("ER_READ_ONLY_MODE") or (refused and (seen.server.read_only_now or other or lines))
        best = Certainty.PROVED if sure or (not reading.told and lines) else Certainty.POSSIBLE
        if not sure and lost and other:
            best = Certainty.LIKELY
        return weighing.answer(
            best,
            "another server answers at the address"
            if other
            else ("the server refuses writes: it is read-only" if refused else "the servers changed their roles"),
            Remedy(
                "Send writes to the server that is the primary now: discard the pool (engine.dispose()), keep the"
                " resolver's"
                " cache short, or use a proxy that follows the roles. stillhere does not run a transaction again on"
                " another"
                " server unless the Policy declares it synchronously replicated.",
                ("SELECT @@hostname, @@read_only, @@server_id", "engine.dispose()"),
            ),
            (ASK_LOG, "SELECT @@hostname, @@server_id, @@read_only: is it the server that you mean?"),
        )
