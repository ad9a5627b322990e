"""The process between the lab and a server: it starts the server, and ends it when the lab is gone.

Run as a file of its own, with nothing but the standard library. It reads one JSON command a line and
answers each with one JSON line. When its input ends, or its parent is another process than at the start
(a fork of the lab may keep the input open), it kills the server, removes the directory and exits. The
kernel kills the server if this process itself is killed: ``PR_SET_PDEATHSIG`` is bound to the thread
that forked, and this process has one thread for all its life.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
PARENT_CHECK = 0.25
"""Seconds between two looks at who the parent is."""


class Supervisor:
    """One server, started and signalled on command."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._server: subprocess.Popen[bytes] | None = None
        self._prctl = ctypes.CDLL(None).prctl

    def serve(self) -> None:
        """Obey until the lab is gone, then leave nothing behind."""
        parent = os.getppid()
        buffer = b""
        try:
            while os.getppid() == parent:
                if not select.select([0], [], [], PARENT_CHECK)[0]:
                    continue
                chunk = os.read(0, 65536)
                if not chunk:
                    return
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    os.write(1, json.dumps(self._obey(json.loads(line))).encode() + b"\n")
        except BrokenPipeError:
            return
        finally:
            self._end()

    def _obey(self, command: dict[str, Any]) -> dict[str, Any]:
        try:
            if command["do"] == "start":
                self._start(command["argv"], command["log"])
            elif command["do"] == "signal" and self._server is not None:
                self._server.send_signal(command["signal"])
        except OSError as error:
            return {"error": str(error)}
        code = self._server.poll() if self._server is not None else None
        return {"pid": self._server.pid if self._server is not None else 0, "exit": code}

    def _start(self, argv: list[str], log: str) -> None:
        with open(log, "ab") as sink:  # noqa: PTH123 - nothing but what is needed is imported here
            self._server = subprocess.Popen(  # noqa: S603 - the lab chose the program
                argv,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=self._directory,
                preexec_fn=self._die_with_me,  # noqa: PLW1509 - one thread only
            )

    def _die_with_me(self) -> None:
        self._prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def _end(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Supervisor(sys.argv[1]).serve()
