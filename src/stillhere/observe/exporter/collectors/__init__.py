"""The collectors, one file each."""

from __future__ import annotations

from stillhere.observe.exporter.collector import Collector
from stillhere.observe.exporter.collectors.aborts import Aborts
from stillhere.observe.exporter.collectors.connections import Connections
from stillhere.observe.exporter.collectors.hosts import Hosts
from stillhere.observe.exporter.collectors.server import ServerFacts
from stillhere.observe.exporter.collectors.transactions import Transactions
from stillhere.registry import Registry

__all__ = ["COLLECTORS"]

COLLECTORS: Registry[Collector] = Registry(
    "collector",
    (
        ServerFacts(),
        Connections(),
        Transactions(),
        Aborts(),
        Hosts(),
    ),
)
