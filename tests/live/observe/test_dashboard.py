"""Each query of the shipped dashboard, asked of a real Prometheus that scraped the real exporter and an application."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time

import httpx
import pytest

from stillhere.observe.dashboard import PANELS, dashboard

APPLICATION = """
import sys, time
from prometheus_client import start_http_server
from sqlalchemy import create_engine
from stillhere.observe.prometheus import instrument
engine = create_engine(sys.argv[1])
instrument(engine, name="shop")
start_http_server(int(sys.argv[2]), "127.0.0.1")
print("up", flush=True)
for line in sys.stdin:
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO t () VALUES ()")
        if line.strip() == "hold":
            print("held", flush=True)
            sys.stdin.readline()
        connection.exec_driver_sql("INSERT INTO t () VALUES ()")
    print("done", flush=True)
"""
# Nothing of this kind happens to the application below, and an absent line is the truth.
EMPTY = {"Did not go on"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Application:
    """A process that works on the database when it is told to."""

    def __init__(self, url, port):
        self.process = subprocess.Popen(
            [sys.executable, "-c", APPLICATION, url, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.process.stdout.readline()

    def say(self, word):
        self.process.stdin.write(f"{word}\n")
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@contextlib.contextmanager
def watched(tools, folder, server, database):
    """Server, application, exporter and Prometheus, scraping every second."""
    app_port, exporter_port, port = free_port(), free_port(), free_port()
    url = f"mysql+pymysql://root@127.0.0.1:{server.port}"
    application = Application(f"{url}/{database}?plugin=stillhere", app_port)
    config = folder / "prometheus.yml"
    targets = {"stillhere": exporter_port, "shop": app_port}
    config.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [
                    {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{where}"]}]}
                    for name, where in targets.items()
                ],
            }
        ),
        encoding="utf-8",
    )
    commands = (
        [sys.executable, "-m", "stillhere.cli.main", "export", f"{url}/", "--listen", f"127.0.0.1:{exporter_port}"],
        [
            tools / "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
    )
    with contextlib.ExitStack() as stack:
        stack.callback(application.close)
        for command in commands:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        yield application, f"http://127.0.0.1:{port}"


def asked(base, query):
    try:
        answer = httpx.get(f"{base}/api/v1/query", params={"query": query}, timeout=10).json()
    except httpx.TransportError:
        return None  # it is still starting
    assert answer["status"] == "success", (query, answer)
    return answer["data"]["result"]


def until(base, query):
    deadline = time.monotonic() + 60
    while not (found := asked(base, query)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert found, query
    return found


@pytest.mark.slow
def test_each_query_has_an_answer_once_something_was_lost(prometheus_tools, server, database, tmp_path):
    server.execute(f"CREATE TABLE {database}.t (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB")
    with watched(prometheus_tools, tmp_path, server, database) as (application, base):
        assert application.say("work") == "done"
        until(base, "stillhere_checkout_seconds_count > 0")
        assert application.say("hold") == "held"
        for row in server.execute(f"SELECT id FROM information_schema.PROCESSLIST WHERE db = '{database}'"):
            server.execute(f"KILL {row[0]}")
        assert application.say("go on") == "done"
        # An increase is seen only where a series was there before it: the incident's label is new with the first loss.
        until(base, "stillhere_incidents_total")
        assert application.say("hold") == "held"
        for row in server.execute(f"SELECT id FROM information_schema.PROCESSLIST WHERE db = '{database}'"):
            server.execute(f"KILL {row[0]}")
        assert application.say("go on") == "done"
        until(base, "sum(stillhere_incidents_total) >= 2")
        for row in PANELS.values():
            for panel in row:
                query = panel.query.replace("$instance", ".*").replace("[5m]", "[1m]")
                if panel.title in EMPTY:
                    assert asked(base, query) is not None
                else:
                    until(base, query)
        rows = until(base, "sum by (action) (stillhere_continued_total)")
        assert {row["metric"]["action"]: row["value"][1] for row in rows} == {"replay": "2"}
        up = until(base, "stillhere_up")
        assert up[0]["value"][1] == "1"


def test_the_dashboard_is_what_grafana_imports():
    made = dashboard()
    panels = [one for one in made["panels"] if one["type"] != "row"]
    assert len({one["id"] for one in made["panels"]}) == len(made["panels"])
    assert len(panels) == sum(map(len, PANELS.values()))
    places = {(one["gridPos"]["x"], one["gridPos"]["y"]) for one in made["panels"]}
    assert len(places) == len(made["panels"])
    assert all(one["gridPos"]["x"] + one["gridPos"]["w"] <= 24 for one in panels)
    assert all(one["targets"][0]["expr"] and one["description"].endswith(".") for one in panels)
