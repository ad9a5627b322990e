"""Whether a server is a node of a Galera cluster."""

from __future__ import annotations

from stillhere.doctor.case import Case

__all__ = ["in_cluster"]


def in_cluster(case: Case) -> bool:
    """Whether replication by Galera is switched on; a MariaDB server has its status counters without it too."""
    return case.on("wsrep_on") and "wsrep_ready" in case.snapshot.status
