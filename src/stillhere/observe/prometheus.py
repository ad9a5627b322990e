"""An application's own connections for Prometheus: ``instrument(engine)``, once, after the engine is made.

In prometheus_client's multiprocess mode (``PROMETHEUS_MULTIPROC_DIR``) the numbers of all processes are put together by
its own ``MultiProcessCollector``; what is so now is then written every five seconds by a thread of each process.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from stillhere.observe.instruments import INSTRUMENTS, Instrument, Kind, Labels
from stillhere.observe.recorder import Recorder

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["instrument"]

_logger = logging.getLogger("stillhere")
_PREFIX = "stillhere_"
_BETWEEN = 5.0
_OLDEST = frozenset({"gate_down_seconds"})  # of several processes the one that has waited longest; others add up

_recorders: dict[CollectorRegistry, Recorder] = {}
# Keeps two threads from registering the metrics of one registry twice, which prometheus_client refuses.
_lock = threading.Lock()


def instrument(engine: Engine, *, name: str = "", registry: CollectorRegistry = REGISTRY) -> None:
    """Have the losses of this process, and the pool of this engine, measured from now on.

    Call it after a fork, in each worker, or before it where the workers inherit the engine. Calling it again for the
    same engine changes nothing; for another engine it adds that one's pool.

    Args:
        engine: a SQLAlchemy engine; for an ``AsyncEngine`` its ``sync_engine``.
        name: the label ``pool``; the database's address and name where none is given.
        registry: where the metrics are registered.
    """
    with _lock:
        recorder = _recorders.get(registry)
        if recorder is None:
            recorder = _recorders[registry] = _recorder(registry)
    recorder.watch(engine, name)


def _recorder(registry: CollectorRegistry) -> Recorder:
    sink = _Sink(registry)
    recorder = Recorder(sink)
    recorder.start()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        _Sampler(recorder, sink)
    else:
        registry.register(_Gauges(recorder))
    return recorder


class _Sink:
    """prometheus_client's own metrics, looked up once for each set of labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        several = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._metrics: dict[str, Any] = {
            one.name: _made(one, registry) for one in INSTRUMENTS.values() if several or one.kind is not Kind.GAUGE
        }
        self._children: dict[tuple[str, Labels], Any] = {}

    def add(self, instrument: Instrument, labels: Labels, number: float) -> None:
        """See `stillhere.observe.instruments.Sink`."""
        key = (instrument.name, labels)
        write = self._children.get(key)
        if write is None:
            child = self._metrics[instrument.name].labels(*labels)
            write = {Kind.COUNTER: "inc", Kind.HISTOGRAM: "observe", Kind.GAUGE: "set"}[instrument.kind]
            write = self._children[key] = getattr(child, write)
        write(number)


def _made(one: Instrument, registry: CollectorRegistry) -> Any:
    name, text = _PREFIX + one.name, one.text
    match one.kind:
        case Kind.COUNTER:
            return Counter(name, text, one.labels, registry=registry)
        case Kind.HISTOGRAM:
            return Histogram(name, text, one.labels, registry=registry, buckets=one.bounds)
        case Kind.GAUGE:
            mode: Any = "livemax" if one.name in _OLDEST else "livesum"
            return Gauge(name, text, one.labels, registry=registry, multiprocess_mode=mode)


class _Gauges(Collector):
    """What is so, read when Prometheus asks."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges, each with its samples."""
        families: dict[str, GaugeMetricFamily] = {}
        for one, labels, number in self._recorder.sample():
            if one.name not in families:
                families[one.name] = GaugeMetricFamily(_PREFIX + one.name, one.text, labels=one.labels)
            families[one.name].add_metric(labels, number)
        yield from families.values()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """So that registering it asks nothing."""
        for one in INSTRUMENTS.values():
            if one.kind is Kind.GAUGE:
                yield GaugeMetricFamily(_PREFIX + one.name, one.text, labels=one.labels)


class _Sampler:
    """Writes the gauges of this process where other processes can read them; a child of a fork gets its own thread."""

    def __init__(self, recorder: Recorder, sink: _Sink) -> None:
        self._recorder = recorder
        self._sink = sink
        os.register_at_fork(after_in_child=self._start)
        self._start()

    def _start(self) -> None:
        threading.Thread(target=self._run, name="stillhere-metrics", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                for one, labels, number in self._recorder.sample():
                    self._sink.add(one, labels, number)
            except Exception:
                _logger.exception("stillhere.metrics_failed")
            time.sleep(_BETWEEN)
