"""Client, wire and server on one core.

Left to the kernel, a client may share its server's core in one run and not in the next, which moves its CPU time by
half: more than anything that is measured here. They take turns anyway. Where cores can't be chosen, nothing is done.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def settle(pid: int = 0) -> None:
    """Put a process, by default this one, with all its threads on the last core that this one may use."""
    if not hasattr(os, "sched_setaffinity"):
        return
    core = max(os.sched_getaffinity(0))
    for task in Path(f"/proc/{pid or 'self'}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.sched_setaffinity(int(task.name), {core})
