"""TCP ports on loopback for the lab's servers."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

from stillhere.errors import LabError

__all__ = ["HOST", "claim", "free_port"]

HOST = "127.0.0.1"
_LOWEST_PORT = 15000


def free_port() -> int:
    """A free port below those that the kernel gives to outgoing connections.

    One of those could be taken by a client's connection while the server is down between two runs.
    """
    highest = 32768
    with contextlib.suppress(OSError, ValueError):
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
        highest = max(int(text.split()[0]), _LOWEST_PORT + 1000)
    for port in random.sample(range(_LOWEST_PORT, highest), 100):
        with contextlib.suppress(LabError):
            claim(port)
            return port
    raise LabError(f"no free port on 127.0.0.1 between {_LOWEST_PORT} and {highest}")


def claim(port: int) -> None:
    """Raise ``LabError`` if something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise LabError(f"port {port} on {HOST} can't be used: {error}") from error
