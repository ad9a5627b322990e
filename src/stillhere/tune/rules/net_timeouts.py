"""``net_read_timeout`` and ``net_write_timeout``: how long the server waits in the middle of a packet or a result.

Raised to the default where they are below it and cuts were counted. At the default and above, the client is mended:
it does something else while it sends or reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.tune.change import Answer, Gap, change, note
from stillhere.tune.knobs import KNOBS
from stillhere.tune.measured import Cut, Measured

__all__ = ["judge_read", "judge_write"]


def judge_read(measured: Measured) -> Iterator[Answer]:
    """Whether clients are cut while they send."""
    yield from _judge(
        measured,
        "net_read_timeout",
        Cut.READ,
        "Build the data before it is sent: a LOAD DATA LOCAL stops when its source does.",
    )


def judge_write(measured: Measured) -> Iterator[Answer]:
    """Whether clients are cut while they read a result."""
    yield from _judge(
        measured,
        "net_write_timeout",
        Cut.WRITE,
        "Fetch a page of rows at once and work on it then: an unbuffered cursor must not wait for slow work.",
    )


def _judge(measured: Measured, name: str, cut: Cut, remedy: str) -> Iterator[Answer]:
    limit, default = measured.value(name), KNOBS.get(name).default(measured.snapshot.version)
    if limit is None or default is None:
        return
    if cut not in measured.cuts:
        if limit < default:
            yield Gap(name=name, reason=measured.gaps.get("cuts", "nobody counted these cuts"))
        return
    if not measured.happened(cut, name):
        return
    if limit >= default:
        yield note(
            measured,
            name,
            message=f"connections end after {limit} s because {cut.value}",
            why=f"{limit} s is the default or more: a longer limit holds a thread, and what it has locked, for longer.",
            evidence=(*measured.evidence(cut, name), measured.setting(name)),
            remedy=remedy,
        )
        return
    yield change(
        measured,
        name,
        default,
        message=f"connections end after {limit} s because {cut.value}",
        why="The client reads 2013 in the middle of its work.",
        evidence=measured.evidence(cut, name),
        cost=f"A client that is gone holds its thread, and what it has locked, for {default} s instead of {limit} s.",
        advice=remedy,
    )
