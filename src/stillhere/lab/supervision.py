"""The lab's side of a supervised server; `supervisor` is the other."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from stillhere.errors import LabError
from stillhere.lab import supervisor

if TYPE_CHECKING:
    import signal
    from pathlib import Path

POLL = 0.005
"""Seconds between two looks at whether the server has ended."""


class Supervised:
    """A server process that dies with this one, whichever way this one dies.

    Args:
        directory: removed when the server is ended for good.
    """

    def __init__(self, directory: Path) -> None:
        self.pid = 0
        self._lock = threading.Lock()  # one question and its answer on the pipe at a time
        self._process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", "-S", supervisor.__file__, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C on the terminal reaches the lab only
        )

    def start(self, argv: list[str], log: Path) -> None:
        """Start the server; its output goes to ``log``."""
        self.pid = self._ask(do="start", argv=argv, log=str(log))["pid"]

    def signal(self, signum: signal.Signals) -> None:
        """Signal the server; nothing happens when it has ended."""
        self._ask(do="signal", signal=int(signum))

    def exit_code(self) -> int | None:
        """The server's exit code (minus the number of the signal that ended it); None while it runs."""
        if self.pid == 0:
            return 0
        code: int | None = self._ask(do="look")["exit"]
        return code

    def wait(self, seconds: float) -> bool:
        """Wait until the server has ended; whether it has."""
        deadline = time.monotonic() + seconds
        while self.exit_code() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL)
        return True

    def close(self) -> None:
        """Kill the server, remove its directory, and end the supervisor."""
        with self._lock:
            if self._process.stdin and not self._process.stdin.closed:
                self._process.stdin.close()
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()

    def _ask(self, **command: Any) -> dict[str, Any]:
        with self._lock:
            try:
                assert self._process.stdin and self._process.stdout  # noqa: S101, PT018 - both were asked for
                self._process.stdin.write(json.dumps(command).encode() + b"\n")
                self._process.stdin.flush()
                answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            except (OSError, ValueError) as error:
                raise LabError(f"the supervisor of server process {self.pid} is gone") from error
        if "error" in answer:
            raise LabError(f"the server could not be started: {answer['error']}")
        return answer
