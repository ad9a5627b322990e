"""How much memory the server's machine has, where it is this one."""

from __future__ import annotations

import os
import socket

from stillhere.survey.snapshot import Snapshot

__all__ = ["memory_of"]


def memory_of(snapshot: Snapshot) -> int | None:
    """Bytes of memory; ``None`` where the server runs elsewhere, or in a container of its own.

    The server's ``hostname`` decides, since an address of this machine may lead through a tunnel.
    """
    if snapshot.variables.get("hostname") != socket.gethostname():
        return None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None
