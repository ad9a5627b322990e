"""Lines stay lines, and colours stay away where they aren't wanted."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from stillhere.cli import render


@pytest.fixture
def terminal(monkeypatch):
    """Pretend that results go to a narrow colour terminal."""
    written = io.StringIO()
    monkeypatch.setenv("TERM", "xterm-256color")

    def attach() -> io.StringIO:
        console = Console(file=written, force_terminal=True, width=20, highlight=False)
        monkeypatch.setattr(render, "results", console)
        return written

    return attach


def test_a_line_longer_than_the_terminal_is_not_wrapped(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    written = terminal()
    render.line("server", "MariaDB 10.11 [bookworm], answered in 3 ms", good=True)
    text = written.getvalue()
    assert text.count("\n") == 1
    assert "[bookworm], answered in 3 ms" in text


def test_no_color_is_respected(terminal, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    written = terminal()
    render.line("server", "yes", good=True)
    assert "\x1b[32m" in written.getvalue()

    written.truncate(0)
    monkeypatch.setenv("NO_COLOR", "1")
    written = terminal()
    render.line("server", "yes", good=True)
    assert "\x1b[32m" not in written.getvalue()
