"""Connections that ended without a goodbye, by kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from prometheus_client.core import Metric

from stillhere.observe.exporter.collector import Collector, Look, counter

_KINDS = {
    "accept": "Connection_errors_accept",
    "internal": "Connection_errors_internal",
    "max_connections": "Connection_errors_max_connections",
    "peer_address": "Connection_errors_peer_address",
    "select": "Connection_errors_select",
    "tcpwrap": "Connection_errors_tcpwrap",
}
_ABORTS = {
    "aborted_clients": (
        ("Aborted_clients",),
        "Connections that had logged in and ended without the client's goodbye.",
    ),
    "aborted_connects": (("Aborted_connects",), "Attempts to connect that failed."),
    "aborted_connects_preauth": (
        ("Aborted_connects_preauth",),
        "Of those, before the client said who it was (MariaDB).",
    ),
    "kills": (("Com_kill",), "KILL statements."),
    "statement_limits": (
        ("Max_execution_time_exceeded", "Max_statement_time_exceeded"),  # MySQL's name, MariaDB's name
        "Statements ended by a limit on their time; their connections live.",
    ),
}


class Aborts(Collector):
    """Aborted clients are those that were cut or hung up; aborted connects never got in. They are not the same."""

    name = "aborts"
    counters: ClassVar[frozenset[str]] = frozenset(
        {*_KINDS.values(), *(name for names, _ in _ABORTS.values() for name in names)}
    )

    def collect(self, look: Look) -> Iterable[Metric]:
        """For any account."""
        for name, (variables, help_text) in _ABORTS.items():
            for variable in variables:
                value = look.snapshot.count(variable)
                if value is not None:
                    yield counter(name, help_text, {(): float(value)})
        counts = {(kind,): look.snapshot.count(variable) for kind, variable in _KINDS.items()}
        known = {labels: float(value) for labels, value in counts.items() if value is not None}
        if known:
            yield counter(
                "connection_errors", "Connections that the server refused or lost, by reason.", known, ("reason",)
            )
