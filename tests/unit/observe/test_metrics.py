"""Numbers of an application's own connections: what is counted, and that every backend gets the same."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from sqlalchemy import create_engine, pool

from stillhere import events
from stillhere.observe import otel, prometheus
from stillhere.observe.instruments import INSTRUMENTS, Kind
from stillhere.observe.recorder import Recorder

SERVER = "db:3306"
LOSS = events.Loss(
    server=SERVER,
    thread_id=7,
    phase="IDLE",
    verdict="NOT_SENT",
    errno=2006,
    statement="SELECT",
    idle=612.0,
    age=700.0,
    in_transaction=False,
    wait_timeout=600.0,
)
INCIDENT = events.Incident(
    at=datetime(2026, 5, 4, tzinfo=UTC), server=SERVER, cause="unknown", certainty=0.0, sentence="lost", done="Replaced"
)


class Numbers:
    """A sink that remembers."""

    def __init__(self):
        self.seen = []

    def add(self, instrument, labels, number):
        assert len(labels) == len(instrument.labels)
        self.seen.append((instrument.name, labels, number))

    def of(self, name):
        return [(labels, number) for seen, labels, number in self.seen if seen == name]


@pytest.fixture
def recorder():
    numbers = Numbers()
    made = Recorder(numbers)
    made.start()
    yield made, numbers
    made.stop()


@pytest.fixture
def engine():
    made = create_engine(
        "sqlite://", poolclass=pool.QueuePool, pool_size=2, max_overflow=1, connect_args={"check_same_thread": False}
    )
    yield made
    made.dispose()


def test_each_event_is_counted_by_what_it_was(recorder):
    _, numbers = recorder
    events.emit(LOSS)
    events.emit(INCIDENT)
    events.emit(events.Recovery(loss=LOSS, action="REPLAY", seconds=0.25))
    events.emit(events.Replay(server=SERVER, statements=3, seconds=0.1, same=False))
    events.emit(events.Wait(server=SERVER, seconds=4.0, served=False))
    assert numbers.of("losses") == [((SERVER, "IDLE"), 1)]
    assert numbers.of("incidents") == [((SERVER, "unknown"), 1)]
    assert numbers.of("continued") == [((SERVER, "replay"), 1)]
    assert numbers.of("recovery_seconds") == [((SERVER,), 0.25)]
    assert numbers.of("replayed") == [((SERVER, "diverged"), 1)]
    assert numbers.of("wait_seconds") == [((SERVER, "given up"), 4.0)]
    assert numbers.of("refused") == []


def test_an_exception_of_ours_is_counted_by_its_class_and_any_other_as_other(recorder):
    _, numbers = recorder
    events.emit(replace(INCIDENT, error="CommitOutcomeUnknown"))
    events.emit(replace(INCIDENT, error="SomethingOfTheDrivers"))
    assert numbers.of("refused") == [((SERVER, "CommitOutcomeUnknown"), 1), ((SERVER, "other"), 1)]


def test_labels_stay_bounded_whatever_comes(recorder):
    _, numbers = recorder
    for number in range(200):
        events.emit(replace(LOSS, server=f"db{number}:3306", phase=f"PHASE{number}"))
        events.emit(replace(INCIDENT, cause=f"cause{number}"))
    servers = {labels[0] for labels, _ in numbers.of("losses")}
    assert "other" in servers
    assert len(servers) <= 65
    assert {labels[1] for labels, _ in numbers.of("losses")} == {"other"}
    assert {labels[1] for labels, _ in numbers.of("incidents")} == {"other"}


def test_nothing_arrives_after_the_end(engine):
    numbers, drawn = Numbers(), []
    made = Recorder(numbers, drawn.append)
    made.start()
    made.watch(engine, "shop")
    made.stop()
    events.emit(LOSS)
    events.emit(events.Recovery(loss=LOSS, action="REPLAY", seconds=0.25))
    assert drawn == []
    with engine.connect():
        pass
    assert numbers.seen == []


def test_checkouts_and_uses_are_measured_through_a_disposed_pool_too(recorder, engine):
    made, numbers = recorder
    made.watch(engine, "shop")
    made.watch(engine, "again")  # changes nothing
    with engine.connect():
        pass
    engine.dispose()
    with engine.connect():
        pass
    assert [labels for labels, _ in numbers.of("checkout_seconds")] == [("shop",), ("shop",)]
    assert [labels for labels, _ in numbers.of("use_seconds")] == [("shop",), ("shop",)]


def test_the_pool_is_read_as_it_is(recorder, engine):
    made, _ = recorder
    made.watch(engine, "shop")
    with engine.connect(), engine.connect(), engine.connect():
        found = {(one.name, labels): number for one, labels, number in made.sample()}
    assert found["pool_connections", ("shop", "used")] == 3
    assert found["pool_limit", ("shop",)] == 3
    assert found["pool_overflow", ("shop",)] == 1
    found = {(one.name, labels): number for one, labels, number in made.sample()}
    assert found["pool_connections", ("shop", "used")] == 0
    assert found["pool_connections", ("shop", "idle")] == 2


def test_an_engine_is_not_kept_alive_to_be_watched(recorder):
    made, _ = recorder
    engine = create_engine("sqlite://", poolclass=pool.QueuePool)
    made.watch(engine, "shop")
    engine.dispose()
    del engine
    gc.collect()
    assert list(made.sample()) == []


def test_watching_adds_no_listener_around_statements(recorder, engine):
    made, _ = recorder
    made.watch(engine, "shop")
    assert not engine._has_events


def test_prometheus_has_every_instrument_once(engine):
    registry = CollectorRegistry()
    prometheus.instrument(engine, name="shop", registry=registry)
    prometheus.instrument(engine, name="shop", registry=registry)
    try:
        with engine.connect():
            pass
        events.emit(LOSS)
        assert registry.get_sample_value("stillhere_losses_total", {"server": SERVER, "phase": "IDLE"}) == 1
        assert registry.get_sample_value("stillhere_pool_connections", {"pool": "shop", "state": "idle"}) == 1
        assert registry.get_sample_value("stillhere_checkout_seconds_count", {"pool": "shop"}) == 1
        names = {family.name for family in registry.collect()}
        counted = {f"stillhere_{one.name}" for one in INSTRUMENTS.values() if one.kind is not Kind.GAUGE}
        assert counted <= names
    finally:
        prometheus._recorders.pop(registry).stop()


def test_opentelemetry_has_the_same_numbers_by_its_own_names(engine):
    reader, spans = InMemoryMetricReader(), InMemorySpanExporter()
    meters, tracers = MeterProvider([reader]), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    otel.instrument(engine, name="shop", meter_provider=meters, tracer_provider=tracers)
    otel.instrument(engine, name="shop", meter_provider=meters, tracer_provider=tracers)
    try:
        with tracers.get_tracer("app").start_as_current_span("request"), engine.connect():
            events.emit(LOSS)
            events.emit(events.Recovery(loss=LOSS, action="REPLAY", seconds=0.25))
            events.emit(events.Refusal(loss=LOSS, error="CommitOutcomeUnknown", reason="the reply was lost"))
            found = {
                metric.name: metric
                for resource in reader.get_metrics_data().resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
            }
    finally:
        otel._recorders.pop((id(meters), id(tracers)))[0].stop()
        meters.shutdown()
        tracers.shutdown()
    losses = found["stillhere.losses"].data.data_points
    assert [(dict(point.attributes), point.value) for point in losses] == [
        ({"server.address": SERVER, "stillhere.phase": "IDLE"}, 1)
    ]
    used = [
        point.value
        for point in found["db.client.connection.count"].data.data_points
        if point.attributes["db.client.connection.state"] == "used"
    ]
    assert used == [1]
    assert found["db.client.connection.wait_time"].unit == "s"
    recovered, refused, request = spans.get_finished_spans()
    assert recovered.parent.span_id == request.context.span_id
    assert recovered.attributes["db.operation.name"] == "SELECT"
    assert recovered.attributes["server.address"] == "db"
    assert recovered.attributes["server.port"] == 3306
    assert (recovered.end_time - recovered.start_time) / 1e9 == pytest.approx(0.25)
    assert refused.attributes["error.type"] == "CommitOutcomeUnknown"
    assert not refused.status.is_ok
