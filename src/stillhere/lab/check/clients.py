"""The clients: threads that carry out plans and write down what they were told."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as NoPlace

from stillhere import events
from stillhere.errors import CallError, OutcomeUnknown, StatementTimeout
from stillhere.lab.check.history import Known, LossSeen, Operation, Outcome
from stillhere.lab.check.workload import Conflict, Deed, Plan, carry_out
from stillhere.server.errorcodes import is_loss

__all__ = ["ATTEMPTS", "Client", "Witnesses", "judge"]

ATTEMPTS = 3
"""How often the pasted decorator tries."""

_NOTE = "stillhere: "
_LOCK_WAIT = 1205
_EXPECTED = frozenset({1213, 1020})
"""Deadlock; record changed since last read. Both say that nothing of the transaction is stored."""


class Witnesses:
    """Hears every event of one server: counts them, and keeps the losses of each thread.

    Attributes:
        counts: of events, by what they tell.
    """

    def __init__(self, server: str) -> None:
        self.counts: Counter[str] = Counter()
        self._server = server
        self._losses: defaultdict[int, list[LossSeen]] = defaultdict(list)
        self._lock = threading.Lock()  # two threads count at once

    def __call__(self, event: events.Event) -> None:
        """Take in an event, on the thread that met it."""
        loss = event.loss if isinstance(event, events.Recovery | events.Refusal) else event
        if loss.server != self._server:
            return
        with self._lock:
            match event:
                case events.Loss():
                    self.counts["losses"] += 1
                    self._losses[threading.get_ident()].append(LossSeen(event.thread_id, event.phase, event.statement))
                case events.Recovery():
                    self.counts[f"continued: {event.action}"] += 1
                case events.Refusal():
                    self.counts[f"refused: {event.error}"] += 1
                case events.Replay():
                    self.counts["replays" if event.same else "replays diverged"] += 1
                case events.Wait():
                    self.counts["waits"] += 1

    def take(self) -> tuple[LossSeen, ...]:
        """The losses that this thread has met since it asked last."""
        with self._lock:
            return tuple(self._losses.pop(threading.get_ident(), ()))


class Client(threading.Thread):
    """One client: carries out plan after plan until it is told to stop.

    Args:
        number: which.
        engine: its own, or shared with others.
        plans: what to do.
        witnesses: hears of losses.
        insist: try again whatever the database says, as the pasted decorator does.

    Attributes:
        history: what it did, in order.
        current: what it is doing, and since when.
        failure: what ended it before its time.
    """

    def __init__(
        self, number: int, engine: Engine, plans: Iterator[Plan], witnesses: Witnesses, *, insist: bool
    ) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.history: list[Operation] = []
        self.current: tuple[Plan, float] | None = None
        self.failure: BaseException | None = None
        self._number = number
        self._engine = engine
        self._plans = plans
        self._witnesses = witnesses
        self._insist = insist
        self._halt = threading.Event()

    def run(self) -> None:
        """Work on."""
        try:
            while not self._halt.is_set():
                self.history.append(self._work(next(self._plans)))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self.failure = error

    def stop(self) -> None:
        """Begin nothing more."""
        self._halt.set()

    def _work(self, plan: Plan) -> Operation:
        deed = Deed()
        self._witnesses.take()
        invoked = time.monotonic()
        self.current = plan, invoked
        error = self._try(plan, deed)
        ended = time.monotonic()
        self.current = None
        outcome, known = judge(error)
        late = error is not None and deed.acknowledged
        return Operation(
            id=plan.id,
            client=self._number,
            kind=plan.kind,
            invoked=invoked,
            ended=ended,
            outcome=Outcome.OK if late else outcome,
            rows=tuple(deed.rows),
            error="" if error is None else type(_innermost(error)).__name__,
            says="" if error is None else _in_a_line(error),
            known=known,
            late=late,
            seen=deed.seen,
            losses=self._witnesses.take(),
        )

    def _try(self, plan: Plan, deed: Deed) -> Exception | None:
        """Carry the plan out; the exception that the application is left with."""
        attempts = ATTEMPTS if self._insist else 1
        for attempt in range(1, attempts + 1):
            deed.rows.clear()
            try:
                carry_out(plan, self._engine, deed)
            except OperationalError as error:
                if attempt == attempts:
                    return error
                time.sleep(0.05 * 2**attempt)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is written down
                return error
            else:
                return None
        return None


def judge(error: Exception | None) -> tuple[Outcome, Known]:
    """What a client knows after this exception."""
    if error is None:
        return Outcome.OK, Known.NOTHING
    inner = _innermost(error)
    if isinstance(inner, CallError | Conflict) or _is_noted(inner):
        unknown = isinstance(inner, OutcomeUnknown | StatementTimeout)
        return Outcome.UNKNOWN if unknown else Outcome.FAILED, Known.NOTHING
    if isinstance(error, NoPlace):
        return Outcome.FAILED, Known.POOL
    if isinstance(error, DBAPIError):
        return _of_the_driver(error, inner)
    # The rest are words of SQLAlchemy's about a transaction that it gave up, or mistakes in here.
    gave_up = isinstance(error, InvalidRequestError | StatementError)
    return Outcome.FAILED, Known.NOTHING if gave_up else Known.DEFECT


def _is_noted(error: BaseException) -> bool:
    return any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ()))


def _of_the_driver(error: DBAPIError, inner: BaseException) -> tuple[Outcome, Known]:
    code = inner.args[0] if inner.args and isinstance(inner.args[0], int) else 0
    if code in _EXPECTED:
        return Outcome.FAILED, Known.NOTHING
    if code == _LOCK_WAIT:
        return Outcome.FAILED, Known.LOCK
    if code == 0 or is_loss(code, None) or 2000 <= code < 3000 or error.connection_invalidated:  # noqa: PLR2004
        return Outcome.BARE, Known.RAW
    return Outcome.BARE, Known.DEFECT


def _innermost(error: BaseException) -> BaseException:
    original: Any = getattr(error, "orig", None)
    return original if isinstance(original, BaseException) else error


def _in_a_line(error: BaseException) -> str:
    inner = _innermost(error)
    notes = [*getattr(inner, "__notes__", ())]
    return " ".join(" | ".join([str(inner), *notes]).split())[:400]
