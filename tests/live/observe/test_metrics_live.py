"""An application on a real server, measured from inside: what leaves the process is what happened."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from prometheus_client import CollectorRegistry
from sqlalchemy import create_engine

from stillhere.continuity.inquiry import INQUIRY
from stillhere.observe import otel, prometheus

DRIVERS = ("mysqldb", "pymysql")


@pytest.fixture(params=DRIVERS)
def engine(server, database, request):
    # What a test before this one lost on the same server is told first, lest it be counted here.
    assert eventually(lambda: not any(desk.waiting for desk in tuple(INQUIRY._desks.values())))
    made = create_engine(f"mysql+{request.param}://root@127.0.0.1:{server.port}/{database}?plugin=stillhere")
    yield made
    made.dispose()


def kill_all(server):
    for row in server.execute("SELECT id FROM information_schema.PROCESSLIST WHERE db IS NOT NULL"):
        server.execute(f"KILL {row[0]}")


def lose_one(server, engine):
    """A transaction that is cut in its middle and goes on."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY) ENGINE=InnoDB")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        kill_all(server)
        time.sleep(0.2)
        connection.exec_driver_sql("INSERT INTO t VALUES (2)")


def eventually(read):
    """What is counted by another thread, as soon as it is."""
    deadline = time.monotonic() + 30
    while not (value := read()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


def test_a_replayed_transaction_is_counted_once_by_each_of_its_sides(server, engine):
    registry = CollectorRegistry()
    prometheus.instrument(engine, name="shop", registry=registry)
    address = f"127.0.0.1:{server.port}"

    def number(name, **labels):
        return registry.get_sample_value(f"stillhere_{name}", labels) or 0

    try:
        lose_one(server, engine)
        incidents = eventually(
            lambda: sum(
                sample.value
                for family in registry.collect()
                for sample in family.samples
                if sample.name == "stillhere_incidents_total" and sample.labels["server"] == address
            )
        )
        assert number("replayed_total", server=address, outcome="same") == 1
        assert number("continued_total", server=address, action="replay") == 1
        assert number("recovery_seconds_count", server=address) == 1
        assert incidents == 1
        assert number("transaction_seconds_count", pool="shop", outcome="committed") == 1  # DDL commits by itself
        assert number("journal_bytes_sum", pool="shop") > 40
        assert number("checkout_seconds_count", pool="shop") == 2
        assert number("connection_age_seconds_count", pool="shop") == 2
        assert number("gate_down_seconds", server=address) == 0
        assert number("pool_connections", pool="shop", state="idle") == 1
    finally:
        prometheus._recorders.pop(registry).stop()


class Receiver(ThreadingHTTPServer):
    """An OTLP/HTTP receiver: protobuf in, messages out."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.metrics, self.spans = [], []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path == "/v1/metrics":
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.server.metrics += [one for scope in resource.scope_metrics for one in scope.metrics]
        else:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.server.spans += [one for scope in resource.scope_spans for one in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args):
        """Not on standard error."""


@pytest.fixture
def receiver():
    with Receiver() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_a_loss_arrives_at_an_otlp_receiver_as_metrics_and_a_span(server, engine, receiver):
    base = f"http://127.0.0.1:{receiver.server_port}"
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics"), 60_000)])
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces")))
    otel.instrument(engine, name="shop", meter_provider=meters, tracer_provider=tracers)
    try:
        lose_one(server, engine)
        meters.force_flush()
    finally:
        otel._recorders.pop((id(meters), id(tracers)))[0].stop()
        meters.shutdown()
        tracers.shutdown()
    by_name = {one.name: one for one in receiver.metrics}
    assert [point.as_int or point.as_double for point in by_name["stillhere.continued"].sum.data_points] == [1]
    assert by_name["db.client.connection.wait_time"].histogram.data_points[0].count == 2
    assert by_name["db.client.connection.count"].gauge.data_points
    span = next(one for one in receiver.spans if one.name == "stillhere recovery")
    attributes = {one.key: one.value.string_value for one in span.attributes}
    assert attributes["db.system.name"] == ("mariadb" if "MariaDB" in str(server.version) else "mysql")
    assert attributes["db.operation.name"] == "INSERT"
    assert attributes["stillhere.action"] == "replay"


WORKER = """
import os, sys, time, json
from prometheus_client import CollectorRegistry, multiprocess
from sqlalchemy import create_engine
from stillhere.observe import prometheus
engine = create_engine(sys.argv[1])
prometheus.instrument(engine, name="shop")
child = os.fork()
with engine.connect() as connection:
    connection.exec_driver_sql("SELECT 1")
if child == 0:
    time.sleep(0.5)
    os._exit(0)
os.waitpid(child, 0)
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
print(json.dumps({
    "checkouts": registry.get_sample_value("stillhere_checkout_seconds_count", {"pool": "shop"}),
    "gauges": registry.get_sample_value("stillhere_pool_limit", {"pool": "shop"}),
}))
"""


def test_processes_are_put_together_in_prometheus_clients_multiprocess_mode(server, tmp_path):
    url = f"mysql+pymysql://root@127.0.0.1:{server.port}/?plugin=stillhere"
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WORKER, url], env=environment, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert said["checkouts"] == 2
    assert said["gauges"] >= 15
