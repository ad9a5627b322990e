"""One scrape of one server: log in, look, log out, and say what could not be seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import Metric

from stillhere.observe.exporter.collector import Look, gauge
from stillhere.observe.exporter.collectors import COLLECTORS
from stillhere.survey.host_cache import HostEntry, host_cache
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed, take

__all__ = ["merged", "of_itself", "scrape"]

_VARIABLES = frozenset().union(*(one.variables for one in COLLECTORS))
_COUNTERS = frozenset().union(*(one.counters for one in COLLECTORS))

Opening = Callable[[], AbstractContextManager[Ask]]


@dataclass(slots=True)
class _Report:
    """How one collector fared."""

    name: str
    seconds: float
    success: bool


def scrape(opening: Opening, address: str) -> list[Metric]:
    """The metrics of one server; one that can't be reached has ``stillhere_up 0``, which is an answer too.

    Args:
        opening: logs in.
        address: as text, without credentials.
    """
    began = time.monotonic()
    metrics: list[Metric] = []
    reports: list[_Report] = []
    code = ""
    try:
        with opening() as ask:
            snapshot = take(ask, address, variables=_VARIABLES, counters=_COUNTERS)
            look = Look(snapshot, _hosts(ask, snapshot))
    except Exception as error:  # noqa: BLE001 - the driver's, whichever it is; its number is what may be shown
        number = error.args[0] if error.args else None
        code = str(number if isinstance(number, int) else -1)
    else:
        metrics, reports = _collected(look)
    return [*of_itself(time.monotonic() - began, code), *_own(reports), *metrics]


def of_itself(seconds: float, code: str) -> list[Metric]:
    """What a scrape says of itself.

    Args:
        seconds: what it took.
        code: why the server did not answer; empty where it did.
    """
    metrics = [
        gauge("up", "Whether the server answered.", {(): float(not code)}),
        gauge("scrape_duration_seconds", "What the scrape took.", {(): seconds}),
    ]
    if code:
        metrics.append(gauge("scrape_error", "The driver's error number.", {(code,): 1.0}, ("code",)))
    return metrics


def _hosts(ask: Ask, snapshot: Snapshot) -> tuple[HostEntry, ...] | None:
    try:
        return host_cache(ask, snapshot)
    except NotAllowed:
        return None


def _collected(look: Look) -> tuple[list[Metric], list[_Report]]:
    metrics: list[Metric] = []
    reports = []
    for collector in COLLECTORS:
        began = time.monotonic()
        success = True
        try:
            for metric in collector.collect(look):
                metrics.append(metric)  # noqa: PERF402 - what came before a LookupError counts
        except LookupError:
            success = False
        reports.append(_Report(collector.name, time.monotonic() - began, success))
    return metrics, reports


def _own(reports: list[_Report]) -> list[Metric]:
    if not reports:
        return []
    success = {(one.name,): float(one.success) for one in reports}
    seconds = {(one.name,): one.seconds for one in reports}
    return [
        gauge("collector_success", "0: the account may not ask for a part of it.", success, ("collector",)),
        gauge("collector_duration_seconds", "What the collector took, without the questions.", seconds, ("collector",)),
    ]


def merged(by_server: Iterable[tuple[str, list[Metric]]]) -> list[Metric]:
    """The metrics of several servers as one page: each sample gets the label ``server``."""
    families: dict[str, Metric] = {}
    for server, metrics in by_server:
        for metric in metrics:
            family = families.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            for sample in metric.samples:
                labels: dict[str, Any] = {"server": server, **sample.labels}
                family.samples.append(sample._replace(labels=labels))
    return list(families.values())
