"""``import stillhere`` is free for an application that doesn't use it yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = {
    "sqlalchemy",
    "typer",
    "click",
    "rich",
    "flask",
    "waitress",
    "prometheus_client",
    "sqlite3",
    "asyncio",
    "tenacity",
}
PROGRAM = """
import json, sys, time
before = set(sys.modules)
start = time.process_time()
import stillhere
seconds = time.process_time() - start
print(json.dumps({"seconds": seconds, "modules": sorted(set(sys.modules) - before)}))
"""


@pytest.fixture
def measure(tmp_path):
    """Import the package in a new interpreter, as users have it: compiled once, then read."""
    surroundings = os.environ | {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)

    def measured() -> dict[str, object]:
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=surroundings
        )
        return json.loads(run.stdout)

    measured()
    return measured


def test_importing_stillhere_takes_less_than_30_ms_and_loads_nothing_heavy(measure):
    runs = [measure() for _ in range(5)]
    loaded = {str(name).partition(".")[0] for name in runs[0]["modules"]}
    assert loaded & HEAVY == set()
    assert min(run["seconds"] for run in runs) < 0.030
