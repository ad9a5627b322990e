"""How long transactions stay open."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import Metric

from stillhere.observe.exporter.collector import Collector, Look, gauge, histogram

_BOUNDS = (0.1, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)


class Transactions(Collector):
    """Open InnoDB transactions by age, and those that sit idle."""

    name = "transactions"

    def collect(self, look: Look) -> Iterable[Metric]:
        """Needs PROCESS."""
        snapshot = look.snapshot
        if snapshot.transactions is None:
            raise LookupError(snapshot.gaps.get("transactions", "the open transactions were not asked"))
        ages = [one.seconds for one in snapshot.transactions]
        yield histogram("transaction_seconds", "For how long the open transactions have been open.", ages, _BOUNDS)
        yield gauge("transaction_seconds_max", "The oldest open one.", {(): max(ages, default=0.0)})
        waiting = sum(1 for one in snapshot.transactions if one.state == "LOCK WAIT")
        yield gauge("transactions_waiting", "Open transactions that wait for a lock.", {(): float(waiting)})
        idle = {one.id for one in snapshot.sessions or () if one.idle}
        resting = [one.seconds for one in snapshot.transactions if one.thread_id in idle]
        yield gauge("transactions_idle", "Open transactions whose client does nothing.", {(): float(len(resting))})
        yield gauge("transactions_idle_seconds_max", "The oldest of those.", {(): max(resting, default=0.0)})
