"""The Grafana dashboard, written as rows of panels: servers above, applications below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["PANELS", "Panel", "dashboard"]

_WIDTH, _HEIGHT, _PER_ROW = 8, 7, 3
_SERVERS = 'instance=~"$instance"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Attributes:
        title: above it.
        text: what to see in it, shown on the question mark.
        query: in PromQL; ``$instance`` is the choice at the top of the page.
        legend: of each line.
        unit: Grafana's name of the unit.
        kind: Grafana's name of the picture.
    """

    title: str
    text: str
    query: str
    legend: str
    unit: str = "short"
    kind: str = "timeseries"


PANELS: dict[str, tuple[Panel, ...]] = {
    "Servers": (
        Panel(
            "Servers that answer",
            "0: no answer within the scrape's time.",
            f"stillhere_up{{{_SERVERS}}}",
            "{{server}}{{instance}}",
            kind="stat",
        ),
        Panel(
            "Uptime",
            "A line that falls to zero is a restart.",
            f"stillhere_uptime_seconds{{{_SERVERS}}}",
            "{{server}}{{instance}}",
            "s",
        ),
        Panel(
            "Connections used",
            "Of max_connections. At 100 % new clients get error 1040.",
            f"stillhere_connections{{{_SERVERS}}} / stillhere_connections_limit{{{_SERVERS}}}",
            "{{server}}{{instance}}",
            "percentunit",
        ),
        Panel(
            "Connections by state",
            "What clients' connections do.",
            f"sum by (state) (stillhere_connections_by_state{{{_SERVERS}}})",
            "{{state}}",
        ),
        Panel(
            "Connections by account",
            "Who holds them.",
            f"topk(10, sum by (user) (stillhere_connections_by_user{{{_SERVERS}}}))",
            "{{user}}",
        ),
        Panel(
            "Connections by client host",
            "From where.",
            f"topk(10, sum by (host) (stillhere_connections_by_host{{{_SERVERS}}}))",
            "{{host}}",
        ),
        Panel(
            "Longest idle connection against wait_timeout",
            "A line that reaches its limit and falls: the server cuts idle clients.",
            f"stillhere_idle_seconds_max{{{_SERVERS}}}"
            f' or stillhere_limit_seconds{{variable="wait_timeout",{_SERVERS}}}',
            "{{__name__}} {{server}}{{instance}}",
            "s",
        ),
        Panel(
            "Idle times",
            "How many connections have been idle for up to so long.",
            f"sum by (le) (stillhere_idle_seconds_bucket{{{_SERVERS}}})",
            "{{le}} s",
        ),
        Panel(
            "Longest open transactions",
            "Those whose client does nothing hold their locks for nothing.",
            f"stillhere_transactions_idle_seconds_max{{{_SERVERS}}}",
            "{{server}}{{instance}}",
            "s",
        ),
        Panel(
            "Connections cut",
            "Those that had logged in and ended without a goodbye.",
            f"rate(stillhere_aborted_clients_total{{{_SERVERS}}}[5m])",
            "{{server}}{{instance}}",
            "ops",
        ),
        Panel(
            "Attempts that failed",
            "Those that never got in: wrong passwords, port checks, scanners.",
            f"rate(stillhere_aborted_connects_total{{{_SERVERS}}}[5m])",
            "{{server}}{{instance}}",
            "ops",
        ),
        Panel(
            "Connections refused, by reason",
            "max_connections: the limit was reached.",
            f"sum by (reason) (rate(stillhere_connection_errors_total{{{_SERVERS}}}[5m]))",
            "{{reason}}",
            "ops",
        ),
    ),
    "Applications": (
        Panel(
            "Losses by cause",
            "Why connections were lost, as far as it could be known.",
            "sum by (cause) (rate(stillhere_incidents_total[5m]))",
            "{{cause}}",
            "ops",
        ),
        Panel(
            "Went on after a loss",
            "The application noticed nothing of these.",
            "sum by (action) (rate(stillhere_continued_total[5m]))",
            "{{action}}",
            "ops",
        ),
        Panel(
            "Did not go on",
            "These ended in an exception.",
            "sum by (error) (rate(stillhere_refused_total[5m]))",
            "{{error}}",
            "ops",
        ),
        Panel(
            "Time from a loss to success",
            "Nine of ten are below.",
            "histogram_quantile(0.9, sum by (le) (rate(stillhere_recovery_seconds_bucket[5m])))",
            "90 %",
            "s",
        ),
        Panel(
            "Waiting for the server",
            "Calls that wait now, and for how long the server has been away.",
            "sum by (server) (stillhere_gate_waiting) or max by (server) (stillhere_gate_down_seconds)",
            "{{server}}",
        ),
        Panel(
            "Pool",
            "Connections in use; at the limit everybody waits.",
            "sum by (pool, state) (stillhere_pool_connections)",
            "{{pool}} {{state}}",
        ),
        Panel(
            "Getting a connection",
            "Nine of ten checkouts take less.",
            "histogram_quantile(0.9, sum by (le, pool) (rate(stillhere_checkout_seconds_bucket[5m])))",
            "{{pool}}",
            "s",
        ),
        Panel(
            "Idle time at checkout",
            "For how long connections had been idle when they were used again; compare it with wait_timeout.",
            "histogram_quantile(0.99, sum by (le, pool) (rate(stillhere_connection_idle_seconds_bucket[5m])))",
            "{{pool}}",
            "s",
        ),
        Panel(
            "Transactions",
            "Nine of ten take less.",
            "histogram_quantile(0.9, sum by (le, outcome) (rate(stillhere_transaction_seconds_bucket[5m])))",
            "{{outcome}}",
            "s",
        ),
    ),
}
"""By the heading that they stand under, in reading order."""


def dashboard() -> dict[str, Any]:
    """As Grafana imports it; the data source is asked for at the import."""
    panels: list[dict[str, Any]] = []
    top = 0
    for heading, row in PANELS.items():
        panels.append(_heading(len(panels) + 1, heading, top))
        top += 1
        for number, panel in enumerate(row):
            x, y = number % _PER_ROW * _WIDTH, top + number // _PER_ROW * _HEIGHT
            panels.append(_panel(len(panels) + 1, panel, x, y))
        top += -(-len(row) // _PER_ROW) * _HEIGHT
    return {
        "__inputs": [{"name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus"}],
        "title": "stillhere: connections",
        "uid": "stillhere-connections",
        "schemaVersion": 39,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "tags": ["mysql", "mariadb", "stillhere"],
        "templating": {"list": [_variable()]},
        "panels": panels,
    }


def _variable() -> dict[str, Any]:
    return {
        "name": "instance",
        "label": "Server",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(stillhere_up, instance)",
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _heading(number: int, title: str, y: int) -> dict[str, Any]:
    return {"id": number, "type": "row", "title": title, "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []}


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": {"h": _HEIGHT, "w": _WIDTH, "x": x, "y": y},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "expr": panel.query, "legendFormat": panel.legend, "datasource": _SOURCE}],
    }


_SOURCE = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
