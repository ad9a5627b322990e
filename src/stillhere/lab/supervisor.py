"""The small process between the lab and one server: it ends the server and clears up when the lab dies.

Run as a program (``python -I -S supervisor.py PARENT_PID DIRECTORY``), so it imports nothing of stillhere. It
reads one JSON request a line from stdin and answers each with one line:

- ``{"op": "start", "argv": [...], "log": path}`` -> ``{"pid": n}``
- ``{"op": "signal", "number": n}`` -> ``{"sent": bool}``
- ``{"op": "poll"}`` -> ``{"status": exit code of the server, minus a signal's number, or null}``

When stdin ends or the parent is gone, it kills the server and removes the directory. Watching the parent
itself matters: a process that the parent forked holds the other end of stdin too, and may outlive it. The
server's signals go through here because its pid can't be another process's before it is reaped here.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class Supervisor:
    """One server's keeper.

    Args:
        directory: removed in the end, with all that is in it.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._server: subprocess.Popen[bytes] | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request."""
        if request["op"] == "start":
            return {"pid": self._start(request["argv"], request["log"])}
        status = self._server.poll() if self._server else None
        if request["op"] == "poll":
            return {"status": status}
        sent = self._server is not None and status is None
        if sent and self._server is not None:
            self._server.send_signal(request["number"])
        return {"sent": sent}

    def clear_up(self) -> None:
        """Kill the server and remove its directory."""
        if self._server is not None:
            self._server.kill()  # does nothing to one that was reaped
            self._server.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self, argv: list[str], log: str) -> int:
        with open(log, "ab") as output:  # noqa: PTH123 - pathlib would double the time that this program takes
            self._server = subprocess.Popen(  # noqa: S603 - the lab's own command line
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._directory,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - there is no other thread here
            )
        return self._server.pid


def _die_with_parent() -> None:
    """For the server: should this supervisor itself be killed, the kernel kills the server."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(parent: int, directory: str) -> None:
    """Serve requests until stdin ends or the parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it goes when its parent goes, not when a terminal does
    supervisor = Supervisor(directory)
    try:
        with contextlib.suppress(ProcessLookupError, BrokenPipeError):
            _serve(supervisor, os.pidfd_open(parent), parent)
    finally:
        supervisor.clear_up()


def _serve(supervisor: Supervisor, parent_end: int, parent: int) -> None:
    if os.getppid() != parent:  # it died before it could be watched, and its pid may be another's by now
        return
    pending = b""
    while True:
        ready, _, _ = select.select([0, parent_end], [], [])
        if parent_end in ready:
            return
        received = os.read(0, 65536)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            try:
                answer = supervisor.answer(json.loads(line))
            except OSError as error:
                answer = {"error": str(error)}
            os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
