"""Where output goes: results to stdout, messages to stderr. rich itself respects NO_COLOR and pipes."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

__all__ = ["line", "messages", "results"]

results = Console(highlight=False)
"""What the user asked for. Goes through a pipe unchanged."""

messages = Console(stderr=True, highlight=False)
"""What is said about the work: progress, warnings."""


def line(label: str, text: str, *, good: bool | None = None) -> None:
    """Print one line of results, ``label: text``, never wrapped, nothing in it taken as markup.

    Args:
        label: what the line is about.
        text: what there is to say.
        good: green for true, yellow for false, plain for ``None``.
    """
    style = {True: "green", False: "yellow", None: ""}[good]
    results.print(Text.assemble((label, style), ": ", text), soft_wrap=True)
