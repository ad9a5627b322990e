"""``interactive_timeout``: ``wait_timeout`` for clients that call themselves interactive when they log in."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.tune.change import Answer, Gap
from stillhere.tune.measured import Measured
from stillhere.tune.rules.wait_timeout import judge_idle_limit

__all__ = ["judge"]


def judge(measured: Measured) -> Iterator[Answer]:
    """Whether the limit cuts what it should not. What nobody counted is told once, for ``wait_timeout``."""
    for answer in judge_idle_limit(measured, "interactive_timeout"):
        if not isinstance(answer, Gap):
            yield answer
