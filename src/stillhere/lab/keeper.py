"""The lab's end of a supervisor: start a server under it, signal the server, see how it ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stillhere.errors import LabError
from stillhere.lab import supervisor

__all__ = ["Keeper"]

_FAREWELL_SECONDS = 10.0


class Keeper:
    """Starts one supervisor process. Threads may share it; only the process that made it may use it.

    Args:
        directory: what the supervisor removes in the end.
    """

    def __init__(self, directory: Path) -> None:
        self.owner = os.getpid()
        self._turn = threading.Lock()  # a request and its answer are one exchange: threads must not mix theirs
        self._process = subprocess.Popen(  # noqa: S603 - a program of this package
            (sys.executable, "-I", "-S", supervisor.__file__, str(self.owner), str(directory)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the lab; the server must not see it
        )

    def start(self, argv: Sequence[str], log: Path) -> int:
        """Start the server; its pid.

        Raises:
            LabError: the program could not be run.
        """
        pid: int = self._ask(op="start", argv=list(argv), log=str(log))["pid"]
        return pid

    def signal(self, number: int) -> bool:
        """Send the server a signal; false when it had ended already."""
        sent: bool = self._ask(op="signal", number=int(number))["sent"]
        return sent

    def status(self) -> int | None:
        """The server's exit code (minus the number of the signal that ended it); ``None`` while it runs."""
        status: int | None = self._ask(op="poll")["status"]
        return status

    def close(self) -> None:
        """Have the server killed and the directory removed, and wait until it is done."""
        with self._turn:
            if self._process.stdin is None or self._process.stdin.closed:
                return
            self._process.stdin.close()
            if os.getpid() != self.owner:
                return  # a fork: what it inherited isn't its own to end
            try:
                self._process.wait(_FAREWELL_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()  # the server dies with it
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _ask(self, **request: Any) -> dict[str, Any]:
        if os.getpid() != self.owner:
            raise LabError(f"the server belongs to process {self.owner}, of which this one is a fork")
        with self._turn:
            writer, reader = self._process.stdin, self._process.stdout
            if writer is None or reader is None or writer.closed:
                raise LabError("the server was closed")
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                writer.flush()
                line = reader.readline()
            except BrokenPipeError:
                line = b""
        if not line:
            raise LabError("the server's supervisor process is gone, and the server with it")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise LabError(f"the server can't be started: {answer['error']}")
        return answer
