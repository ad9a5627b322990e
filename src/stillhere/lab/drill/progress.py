"""Live progress: a status line for each server on a terminal, and one line for each finished round."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from stillhere.lab.drill.records import Round
from stillhere.lab.drill.table import round_line

__all__ = ["Progress"]


class Progress:
    """Shows how far a drill is. A context manager; its methods may be called from any thread.

    Args:
        console: where to.
        total: how many rounds there will be.
        staged: called when a server is up; see `stillhere.lab.drill.run.Listener`.

    Attributes:
        done: how many rounds are over.
    """

    def __init__(
        self, console: Console, total: int, staged: Callable[[str, str, Sequence[Path]], None] | None = None
    ) -> None:
        self._staged = staged
        self.done = 0
        self._console = console
        self._total = total
        self._start = time.monotonic()
        self._doing: dict[str, str] = {}
        self._lock = threading.Lock()  # the servers' rounds run side by side
        self._spinner = Spinner("dots")
        self._live = (
            Live(get_renderable=self._picture, console=console, refresh_per_second=8, transient=True)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def said(self, server: str, text: str) -> None:
        """A server's round has entered another part."""
        with self._lock:
            self._doing[server] = text

    def ended(self, found: Round) -> None:
        """A round is over."""
        with self._lock:
            self.done += 1
        self._console.print(round_line(found), soft_wrap=True)

    def staged(self, server: str, url: str, states: Sequence[Path]) -> None:
        """A server is up."""
        if self._staged is not None:
            self._staged(server, url, states)

    def _picture(self) -> RenderableType:
        with self._lock:
            doing, done = dict(self._doing), self.done
        grid = Table.grid(padding=(0, 1))
        for server, text in doing.items():
            grid.add_row(self._spinner, Text(server, "bold"), Text(text))
        seconds = time.monotonic() - self._start
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=self._total, completed=done, width=30),
            Text(f"{done} of {self._total} rounds, {seconds:.0f} s", "dim"),
        )
        return Group(grid, bar)
