"""The exporter as a process, before real servers: its numbers are theirs, and it leaves no trace in their counters."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from stillhere.survey.login import login, target

DRIVERS = ("mysqldb", "pymysql")


@contextmanager
def exporter(*args):
    command = [sys.executable, "-m", "stillhere.cli.main", "export", *args, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        base = process.stderr.readline().split("/metrics", maxsplit=1)[0]
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        try:
            yield base
        finally:
            process.terminate()
            drain.join()


def page(base, path="/metrics"):
    text = httpx.get(base + path, timeout=30).text
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = tuple(sorted((key, value) for key, value in one.labels.items() if key != "server"))
            found[one.name, labels] = one.value
    return found


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_it_says_is_what_the_server_says(server, database, driver):
    url = f"mysql+{driver}://root@127.0.0.1:{server.port}/"
    server.execute("CREATE USER 'shop'@'127.0.0.1'")
    server.execute("GRANT ALL ON *.* TO 'shop'@'127.0.0.1'")
    shop = target(f"mysql+pymysql://shop@127.0.0.1:{server.port}/")
    try:
        with exporter(url) as base, login(shop) as ask:
            ask(f"CREATE TABLE {database}.t (id INT PRIMARY KEY) ENGINE=InnoDB")
            ask("START TRANSACTION")
            ask(f"INSERT INTO {database}.t VALUES (1)")
            time.sleep(1.1)  # the process list counts whole seconds
            found = page(base)
            aborts = [page(base)["stillhere_aborted_clients_total", ()] for _ in range(3)]
            connects = [page(base)["stillhere_aborted_connects_total", ()] for _ in range(3)]
    finally:
        server.execute("DROP USER 'shop'@'127.0.0.1'")
    assert found["stillhere_up", ()] == 1
    assert found["stillhere_connections_by_user", (("user", "shop"),)] == 1
    assert found["stillhere_transactions_idle", ()] == 1
    assert found["stillhere_transactions_idle_seconds_max", ()] >= 1
    assert found["stillhere_idle_seconds_max", ()] >= 1
    assert found["stillhere_limit_seconds", (("variable", "wait_timeout"),)] == 28800
    assert found["stillhere_collector_success", (("collector", "connections"),)] == 1
    assert len(set(aborts)) == 1
    assert len(set(connects)) == 1


def test_a_server_that_comes_back_is_up_again(server):
    with exporter(f"mysql+mysqldb://root@127.0.0.1:{server.port}/") as base:
        assert page(base)["stillhere_up", ()] == 1
        server.stop()
        down = page(base)
        server.start()
        back = page(base)
    assert down["stillhere_up", ()] == 0
    assert any(name == "stillhere_scrape_error" for name, _ in down)
    assert back["stillhere_up", ()] == 1
    assert back["stillhere_uptime_seconds", ()] < 60


def test_a_plain_account_sees_what_it_may(server):
    server.execute("CREATE USER 'plain'@'127.0.0.1'")
    try:
        with exporter(f"mysql+pymysql://plain@127.0.0.1:{server.port}/") as base:
            found = page(base)
    finally:
        server.execute("DROP USER 'plain'@'127.0.0.1'")
    assert found["stillhere_collector_success", (("collector", "server"),)] == 1
    assert found["stillhere_collector_success", (("collector", "connections"),)] == 0
    assert found["stillhere_connections_limit", ()] > 0
