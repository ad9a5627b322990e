"""What type checkers see of units of work: a function keeps its signature, without the session that it is given."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, assert_type

import stillhere


class Session:
    """What a factory makes."""


@stillhere.retry
def bare(cents: int) -> str:
    """Without arguments."""
    return str(cents)


@stillhere.retry(within=5, attempts=3, budget=None)
def with_terms(cents: int, *, note: str = "") -> str:
    """With terms."""
    return f"{cents}{note}"


@stillhere.retry(sessions=Session)
def given(session: Session, cents: int) -> str:
    """With a session."""
    return f"{session}{cents}"


@stillhere.retry(sessions=Session, within=None)
async def given_async(session: Session, cents: int) -> str:
    """The same in a coroutine."""
    return f"{session}{cents}"


assert_type(bare(1), str)
assert_type(with_terms(1, note="x"), str)
assert_type(given(1), str)
given_without_a_session: Callable[[int], str] = given
awaited: Callable[[int], Coroutine[Any, Any, str]] = given_async
bare("1")  # type: ignore[arg-type]
given(Session(), 1)  # type: ignore[call-arg, arg-type]
stillhere.retry(tries=3)  # type: ignore[call-overload]


def block() -> int:
    """A block."""
    for attempt in stillhere.attempts(within=5):
        with attempt as this:
            assert_type(this.number, int)
    return 0


async def block_in_a_coroutine() -> None:
    """The same in a coroutine."""
    async for attempt in stillhere.attempts():
        with attempt:
            pass
    assert_type(await given_async(1), str)
