"""Loopback ports that stay ours while nobody listens on them, so that a server can come back."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

from stillhere.errors import LabError

LOOPBACK = "127.0.0.1"
LOWEST = 20_000


class Port:
    """A port on loopback, leased until `release`.

    It lies below the range from which the system takes the ports of outgoing connections, and a lock
    file keeps other labs of this user away from it, also while it is closed.

    Args:
        number: the port wanted; 0 chooses a free one.

    Raises:
        LabError: the port is taken, or no free one was found.
    """

    def __init__(self, number: int = 0) -> None:
        candidates = [number] if number else random.sample(range(LOWEST, _ephemeral()), 200)
        for candidate in candidates:
            lease = _lease(candidate)
            if lease is not None:
                self.number = candidate
                self._lease = lease
                return
        what = f"port {number} is in use" if number else "200 ports tried, all in use"
        raise LabError(f"{what} on {LOOPBACK}")

    def release(self) -> None:
        """Give the port back."""
        self._lease.close()


def _ephemeral() -> int:
    """The lowest port that the system gives to outgoing connections."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        lowest = 32_768
    return lowest if lowest > LOWEST + 1000 else 60_000


def _lease(number: int) -> IO[str] | None:
    directory = Path(tempfile.gettempdir()) / f"stillhere-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    lease = (directory / str(number)).open("w")
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, number))
    except OSError:
        lease.close()
        return None
    return lease
