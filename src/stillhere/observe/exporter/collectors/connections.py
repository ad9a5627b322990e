"""Who holds connections, and what they do with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from prometheus_client.core import Metric

from stillhere.observe.exporter.collector import Collector, Look, gauge, histogram, most_frequent

_IDLE_BOUNDS = (1.0, 10.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 28800.0)
_SERVERS_OWN = frozenset({"Daemon", "Binlog Dump", "Binlog Dump GTID", "Slave_IO", "Slave_SQL", "Slave_worker"})


class Connections(Collector):
    """Connections by state, user and host, and for how long the idle ones have been idle."""

    name = "connections"
    variables: ClassVar[frozenset[str]] = frozenset({"max_connections"})
    counters: ClassVar[frozenset[str]] = frozenset({"Threads_connected", "Threads_running", "Max_used_connections"})

    def collect(self, look: Look) -> Iterable[Metric]:
        """Totals for any account; who holds them needs PROCESS."""
        snapshot = look.snapshot
        for name, help_text, value in (
            ("connections", "Connections now, the exporter's own included.", snapshot.count("threads_connected")),
            ("connections_running", "Connections that run a statement now.", snapshot.count("threads_running")),
            ("connections_max_used", "The most at one time.", snapshot.count("max_used_connections")),
            ("connections_limit", "max_connections.", snapshot.number("max_connections")),
        ):
            if value is not None:
                yield gauge(name, help_text, {(): float(value)})
        if snapshot.sessions is None or "sessions" in snapshot.gaps:
            raise LookupError(snapshot.gaps.get("sessions", "the process list was not asked"))
        clients = [one for one in snapshot.sessions if one.command not in _SERVERS_OWN and one.user != "system user"]
        states = Counter("idle" if one.idle else one.command.lower() or "connect" for one in clients)
        users = Counter(one.user for one in clients)
        hosts = Counter(one.host for one in clients)
        yield gauge("connections_by_state", "Clients' connections by what they do.", most_frequent(states), ("state",))
        yield gauge("connections_by_user", "Clients' connections by account name.", most_frequent(users), ("user",))
        yield gauge("connections_by_host", "Clients' connections by client host.", most_frequent(hosts), ("host",))
        idle = [one.seconds for one in clients if one.idle]
        yield histogram("idle_seconds", "For how long the idle connections have been idle.", idle, _IDLE_BOUNDS)
        yield gauge("idle_seconds_max", "The longest idle one.", {(): max(idle, default=0.0)})
