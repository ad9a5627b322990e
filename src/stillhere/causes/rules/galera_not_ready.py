"""A Galera node that takes no statements."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import EXCEPTION, STATUS, Reading
from stillhere.causes.remedies import ASK_LOG
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["GaleraNotReady"]

_CODE = "ER_UNKNOWN_COM_ERROR"


class GaleraNotReady(Rule):
    """A node of a Galera cluster has lost the quorum or is not yet in step, and refuses statements.

    What happens:
        The node answers 1047 (``WSREP has not yet prepared node for application use``) to nearly every statement. The
        connection lives; the application is on the wrong node.

    What shows it:
        1047 together with ``wsrep_ready`` OFF, or the log's change to a non-primary component.

    What speaks against it:
        A server without Galera: there the number means an unknown command.

    What to do:
        Lead clients to a node that is ready; restore the quorum.

    Known limits:
        A COMMIT that is answered so while the node leaves the cluster may have been applied by the others.

    References:
        MariaDB manual, "Galera Cluster Status Variables" (wsrep_ready); Galera documentation, "Quorum Components".
    """

    name = "galera_not_ready"
    title = "Galera node not ready"
    number = 29
    is_loss = False
    reference = 'MariaDB manual, "Galera Cluster Status Variables", wsrep_ready'

    def judge(self, seen: Observations) -> Attribution | None:
        """By 1047 and the cluster's own words."""
        reading, weighing = Reading(seen), Weighing(self)
        said = reading.has(_CODE)
        lines = reading.lines(Kind.CLUSTER)
        if not said and (reading.told or not lines):
            return None
        ready = seen.snapshot.status.get("wsrep_ready", "").upper() if seen.snapshot else ""
        member = reading.number("wsrep_cluster_size") or seen.server.variables.get("wsrep_on", "").upper() in (
            "ON",
            "1",
        )
        weighing.pro("error 1047", EXCEPTION, when=said)
        if lines:
            weighing.pro("the log has a change of the node's state", source_of(lines[0]))
        weighing.pro("wsrep_ready is OFF", STATUS, when=ready == "OFF")
        weighing.pro("wsrep_on is ON", "SHOW GLOBAL VARIABLES", when=bool(member))
        off = seen.server.variables.get("wsrep_on", "").upper() in ("OFF", "0")
        weighing.con("wsrep_on is OFF: no cluster", "SHOW GLOBAL VARIABLES", when=off)
        proved = (said and (bool(lines) or ready == "OFF")) or (not reading.told and bool(lines))
        best = Certainty.PROVED if proved else (Certainty.LIKELY if member else Certainty.POSSIBLE)
        return weighing.answer(
            best,
            "the Galera node was not ready to take statements; the connection lives",
            Remedy(
                "Have the balancer check wsrep_ready (or /usr/bin/clustercheck) and lead clients elsewhere; bring"
                " the cluster"
                " back to a quorum.",
                ("SHOW GLOBAL STATUS LIKE 'wsrep_%'",),
            ),
            (ASK_LOG, "SHOW GLOBAL STATUS LIKE 'wsrep_ready'"),
        )
