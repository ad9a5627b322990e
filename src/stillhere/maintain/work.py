"""One statement at a time, with an eye on the load: the statement runs in a thread, the eye stays in the caller's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from stillhere.maintain.guard import Limits, Load, verdict
from stillhere.maintain.progress import TurnState
from stillhere.server.errorcodes import lookup
from stillhere.survey.take import Ask, NotAllowed, Row

__all__ = ["Ended", "Eye", "carry_out"]

_INTERVAL = 1.0
_PATIENCE = 30.0  # for a statement to end after it was told to


class Eye(Protocol):
    """Looks at the server over a connection of its own."""

    def load(self) -> Load:
        """What there is to do for it now."""
        ...

    def end(self) -> None:
        """End the statement that runs: nothing of it stays."""
        ...

    def holders(self, table: str) -> str:
        """Who holds a table, as far as can be told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a statement ended.

    Attributes:
        state: `TurnState.DONE`, `TurnState.FAILED` or `TurnState.STOPPED`.
        detail: why, or what the server said.
    """

    state: TurnState
    detail: str = ""


@dataclass(slots=True)
class _Slot:
    rows: list[Row] | None = None
    seconds: float = 0.0
    error: BaseException | None = None


def carry_out(
    statement: str,
    table: str,
    ask: Ask,
    eye: Eye,
    limits: Limits,
    tell: Callable[[float, Load], None],
    *,
    interval: float = _INTERVAL,
) -> Ended:
    """Run a statement and watch the load meanwhile.

    Args:
        statement: one statement.
        table: what it is about, for the question who holds it.
        ask: runs it.
        eye: looks at the server.
        limits: past which it is ended.
        tell: is told the seconds so far and the load, once an interval.
        interval: seconds between two looks.

    Raises:
        KeyboardInterrupt: passed on, after the statement was ended.
    """
    reason = verdict(eye.load(), limits)
    if reason is not None:
        return Ended(state=TurnState.STOPPED, detail=f"not begun: {reason}")
    slot, done = _Slot(), threading.Event()
    thread = threading.Thread(target=_run, args=(ask, statement, slot, done), daemon=True)
    thread.start()
    try:
        reason = _watch(done, eye, limits, tell, interval)
    except BaseException:
        eye.end()
        done.wait(_PATIENCE)
        raise
    if reason is not None:
        done.wait(_PATIENCE)
        if slot.rows is None:  # else it was quicker than its end
            return Ended(state=TurnState.STOPPED, detail=reason)
    return _judged(slot, table, eye, limits)


def _run(ask: Ask, statement: str, slot: _Slot, done: threading.Event) -> None:
    start = time.monotonic()
    try:
        slot.rows = ask(statement)
    except BaseException as error:  # noqa: BLE001 - the caller's thread judges it
        slot.error = error
    finally:
        slot.seconds = time.monotonic() - start
        done.set()


def _watch(
    done: threading.Event, eye: Eye, limits: Limits, tell: Callable[[float, Load], None], interval: float
) -> str | None:
    """Look until it is done; the reason where it was ended."""
    seconds = 0.0
    while not done.wait(interval):
        seconds += interval
        load = eye.load()
        tell(seconds, load)
        reason = verdict(load, limits)
        if reason is not None:
            eye.end()
            return reason
    return None


def _judged(slot: _Slot, table: str, eye: Eye, limits: Limits) -> Ended:
    if slot.error is None:
        return _of_rows(slot, table, eye, limits)
    if isinstance(slot.error, NotAllowed):
        return Ended(state=TurnState.FAILED, detail=str(slot.error))
    code = slot.error.args[0] if slot.error.args else None
    known = lookup(code, None) if isinstance(code, int) else None
    if known is not None and known.name == "ER_LOCK_WAIT_TIMEOUT":
        holders = eye.holders(table)
        return Ended(
            state=TurnState.FAILED,
            detail=f"no metadata lock within {limits.lock_wait} s: somebody uses the table{holders}",
        )
    text = str(slot.error.args[-1]) if slot.error.args else type(slot.error).__name__
    return Ended(state=TurnState.FAILED, detail=f"{text} ({code})" if isinstance(code, int) else text)


def _of_rows(slot: _Slot, table: str, eye: Eye, limits: Limits) -> Ended:
    """CHECK, ANALYZE and OPTIMIZE tell errors in rows, without their numbers."""
    rows = slot.rows or []
    bad = [row for row in rows if str(row.get("msg_type", "")).lower() in {"error", "warning"}]
    if not bad:
        return Ended(state=TurnState.DONE, detail=str(rows[-1].get("msg_text", "")) if rows else "")
    text = "; ".join(str(row.get("msg_text", "")) for row in bad)
    if slot.seconds >= limits.lock_wait:  # the time tells what the missing number would
        text += f" (after {slot.seconds:.0f} s; a metadata lock is waited for {limits.lock_wait} s{eye.holders(table)})"
    return Ended(state=TurnState.FAILED, detail=text)
