"""A wire in a process of its own, so that it doesn't share the GIL of the client that is being timed."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from benchmarks import cores
from stillhere.lab.wire import Wire


class Line:
    """A wire in front of a server, in another process, commanded over its standard input and output.

    Attributes:
        host: where it listens.
        port: where it listens.
    """

    def __init__(self, host: str, port: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "benchmarks.line", host, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.host, self.port = self._answer()

    def delay(self, seconds: float) -> None:
        """Add that to each round trip from now on."""
        self._ask("delay", seconds)

    def reset_counters(self) -> None:
        """Begin to count anew."""
        self._ask("reset", 0)

    def round_trips(self) -> int:
        """Commands with a reply since the counters were reset."""
        return int(self._ask("round_trips", 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stdin.close()  # its end of file ends the other process
        self._process.wait(10)
        self._process.stdout.close()

    def _ask(self, word: str, value: float) -> Any:
        self._process.stdin.write(json.dumps([word, value]) + "\n")
        return self._answer()

    def _answer(self) -> Any:
        return json.loads(self._process.stdout.readline())


def serve(host: str, port: int) -> None:
    """Be the other process."""
    cores.settle()
    with Wire(host, port, plain=True) as wire:
        print(json.dumps([wire.host, wire.port]), flush=True)
        for line in sys.stdin:
            word, value = json.loads(line)
            answer: object = None
            if word == "delay":
                wire.delay = value
            elif word == "reset":
                wire.reset_counters()
            else:
                answer = wire.round_trips
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
