"""What a run ran on: without it a figure means nothing."""

from __future__ import annotations

import datetime as dt
import os
import platform
from importlib.metadata import version
from pathlib import Path


def place(servers: list[str]) -> dict[str, str]:
    """Name and value, in the order in which they are shown."""
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "CPU": f"{_processor()}, {os.cpu_count()} cores, shared with other work: load {os.getloadavg()[0]:.1f}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "SQLAlchemy": version("SQLAlchemy"),
        "drivers": f"mysqlclient {version('mysqlclient')}, PyMySQL {version('PyMySQL')}",
        "servers": ", ".join(servers),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
