"""Prometheus's own programs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def prometheus_tools():
    """The directory with prometheus and promtool; ``tools/prometheus`` fetches and prints it."""
    folder = os.environ.get("STILLHERE_PROMETHEUS") or shutil.which("promtool")
    if not folder:
        pytest.skip("no promtool; tools/prometheus fetches it, and STILLHERE_PROMETHEUS says where it is")
    found = Path(folder)
    return found if found.is_dir() else found.parent
