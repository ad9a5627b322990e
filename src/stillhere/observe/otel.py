"""An application's own connections for OpenTelemetry: metrics, and a span for each loss that was dealt with.

What leaves by OTLP reaches every backend that takes it, Datadog and New Relic among them. Attribute names follow the
"Semantic conventions for database client calls" and "… metrics".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider

from stillhere import __version__, events
from stillhere.observe.instruments import INSTRUMENTS, Instrument, Kind, Labels
from stillhere.observe.recorder import Recorder

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["instrument"]

_SCOPE = "stillhere"
_SYSTEM = "db.system.name"
_NANOSECONDS = 1_000_000_000

_recorders: dict[tuple[int, int], tuple[Recorder, object, object]] = {}
# Keeps two threads from making two recorders for one provider, each of which would count every loss.
_lock = threading.Lock()


def instrument(
    engine: Engine,
    *,
    name: str = "",
    meter_provider: MeterProvider | None = None,
    tracer_provider: TracerProvider | None = None,
) -> None:
    """Have the losses of this process measured and traced, and the pool of this engine measured, from now on.

    Args:
        engine: a SQLAlchemy engine; for an ``AsyncEngine`` its ``sync_engine``.
        name: of the pool, in ``db.client.connection.pool.name``; the database's address and name where none is given.
        meter_provider: the global one by default.
        tracer_provider: the global one by default.
    """
    meters = meter_provider if meter_provider is not None else metrics.get_meter_provider()
    tracers = tracer_provider if tracer_provider is not None else trace.get_tracer_provider()
    with _lock:
        # With the providers kept, so that their ids are not another's.
        known = _recorders.get((id(meters), id(tracers)))
        recorder = known[0] if known is not None else _recorder(meters, tracers)
        _recorders[id(meters), id(tracers)] = (recorder, meters, tracers)
    recorder.watch(engine, name)


def _recorder(meters: MeterProvider, tracers: TracerProvider) -> Recorder:
    sink = _Sink(meters.get_meter(_SCOPE, __version__))
    spans = _Spans(tracers)
    recorder = Recorder(sink, spans.add)
    spans.family = recorder.family
    sink.observe(recorder)
    recorder.start()
    return recorder


class _Sink:
    """OpenTelemetry's own instruments."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._writers = {one.name: _writer(one, meter) for one in INSTRUMENTS.values() if one.kind is not Kind.GAUGE}
        self._attributes: dict[tuple[str, Labels], dict[str, str]] = {}

    def add(self, instrument: Instrument, labels: Labels, number: float) -> None:
        """See `stillhere.observe.instruments.Sink`."""
        key = (instrument.name, labels)
        attributes = self._attributes.get(key)
        if attributes is None:
            attributes = self._attributes[key] = _named(instrument, labels)
        self._writers[instrument.name](number, attributes)

    def observe(self, recorder: Recorder) -> None:
        """Have the gauges read when the reader asks."""
        for one in INSTRUMENTS.values():
            if one.kind is Kind.GAUGE:
                self._meter.create_observable_gauge(one.otel, [_reader(one, recorder)], one.unit, one.text)


def _writer(one: Instrument, meter: Meter) -> Callable[[float, dict[str, str]], None]:
    if one.kind is Kind.COUNTER:
        return meter.create_counter(one.otel, one.unit, one.text).add
    return meter.create_histogram(
        one.otel, one.unit, one.text, explicit_bucket_boundaries_advisory=list(one.bounds)
    ).record


def _reader(one: Instrument, recorder: Recorder) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def read(_options: CallbackOptions) -> Iterable[Observation]:
        for instrument, labels, number in recorder.sample():
            if instrument is one:
                yield Observation(number, _named(one, labels))

    return read


def _named(one: Instrument, labels: Labels) -> dict[str, str]:
    return dict(zip(one.attributes, labels, strict=True))


class _Spans:
    """One span for each loss, inside the application's own: it began with the loss and ends now."""

    def __init__(self, tracers: TracerProvider) -> None:
        self._tracer = tracers.get_tracer(_SCOPE, __version__)
        self.family: Callable[[str], str] = lambda _server: "mysql"

    def add(self, event: events.Recovery | events.Refusal) -> None:
        """Draw it."""
        now = time.time_ns()
        seconds = event.seconds if isinstance(event, events.Recovery) else 0.0
        span = self._tracer.start_span(
            "stillhere recovery",
            kind=SpanKind.CLIENT,
            start_time=now - int(seconds * _NANOSECONDS),
            attributes={_SYSTEM: self.family(event.loss.server), **_attributes(event)},
        )
        if isinstance(event, events.Refusal):
            span.set_status(Status(StatusCode.ERROR, event.error))
        span.end(now)


def _attributes(event: events.Recovery | events.Refusal) -> dict[str, Any]:
    loss = event.loss
    host, _, port = loss.server.rpartition(":")
    attributes: dict[str, Any] = {
        "server.address": host or loss.server,
        "stillhere.phase": loss.phase,
        "stillhere.verdict": loss.verdict,
        "stillhere.idle": loss.idle,
        "stillhere.in_transaction": loss.in_transaction,
    }
    if host and port.isdecimal():
        attributes["server.port"] = int(port)
    if loss.statement:
        attributes["db.operation.name"] = loss.statement
    if loss.errno:
        attributes["db.response.status_code"] = str(loss.errno)
    if isinstance(event, events.Recovery):
        attributes["stillhere.action"] = event.action.lower()
    else:
        attributes["error.type"] = event.error
        attributes["stillhere.reason"] = event.reason
    return attributes
