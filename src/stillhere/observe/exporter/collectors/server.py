"""Which server this is, since when it runs, and the settings that cut connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from prometheus_client.core import Metric

from stillhere.observe.exporter.collector import Collector, Look, gauge

_SECONDS = (
    "connect_timeout",
    "idle_readonly_transaction_timeout",
    "idle_transaction_timeout",
    "idle_write_transaction_timeout",
    "innodb_lock_wait_timeout",
    "interactive_timeout",
    "net_read_timeout",
    "net_write_timeout",
    "wait_timeout",
)


class ServerFacts(Collector):
    """Version, uptime, limits of time and size, and whether it takes writes."""

    name = "server"
    variables: ClassVar[frozenset[str]] = frozenset(
        {*_SECONDS, "max_allowed_packet", "read_only", "super_read_only", "wsrep_on"}
    )
    counters: ClassVar[frozenset[str]] = frozenset({"Uptime", "wsrep_ready"})

    def collect(self, look: Look) -> Iterable[Metric]:
        """For any account."""
        snapshot = look.snapshot
        labels = (snapshot.version.flavour.value, snapshot.version_text)
        yield gauge("server_info", "The server's family and version.", {labels: 1.0}, ("flavour", "version"))
        uptime = snapshot.count("uptime")
        if uptime is not None:
            yield gauge("uptime_seconds", "Since the server was started.", {(): float(uptime)})
            yield gauge(
                "start_time_seconds",
                "When the server was started, by its own clock, to within a second.",
                {(): round(snapshot.taken_at.timestamp() - uptime)},
            )
        limits = {(name,): number for name in _SECONDS if (number := snapshot.number(name)) is not None}
        yield gauge("limit_seconds", "Limits of time, by the variable's name; 0 is none.", limits, ("variable",))
        packet = snapshot.number("max_allowed_packet")
        if packet is not None:
            yield gauge("max_allowed_packet_bytes", "The largest statement or row.", {(): packet})
        read_only = snapshot.switched_on("super_read_only") or snapshot.switched_on("read_only")
        yield gauge("read_only", "Whether the server refuses writes.", {(): float(bool(read_only))})
        if snapshot.switched_on("wsrep_on"):
            ready = snapshot.status.get("wsrep_ready", "").upper() == "ON"
            yield gauge("galera_ready", "Whether the Galera node takes statements.", {(): float(ready)})
