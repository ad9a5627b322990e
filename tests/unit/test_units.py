"""Units of work on a clock that only their own waits move, and on sessions that write down what is done to them."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import subprocess
import sys
import threading

import pymysql
import pytest

import stillhere
from stillhere import trying
from stillhere.budget import RetryBudget
from stillhere.errors import CommitOutcomeUnknown, ConfigurationError, ServerUnavailable

BOTH = pytest.mark.parametrize("kind", ["sync", "async"])


class Clock:
    """Waits move it; nothing else does. Without jitter."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return event.is_set()

    def jitter(self, seconds: float) -> float:
        return seconds


@pytest.fixture
def clock(monkeypatch):
    made = Clock()

    async def sleep(seconds: float) -> None:
        made.wait(threading.Event(), seconds)

    monkeypatch.setattr(trying.asyncio, "sleep", sleep)
    return made


@pytest.fixture
def retry(clock):
    """The decorator on the test's clock, without a budget unless one is named."""
    return functools.partial(stillhere.retry, clock=clock, budget=None)


def deadlock() -> Exception:
    return pymysql.err.OperationalError(1213, "Deadlock found")


def call(kind, retry_, function, *args, **terms):
    """Decorate and call ``function``, or a coroutine function that does the same."""
    if kind == "sync":
        return retry_(**terms)(function)(*args)

    async def unit(*given):
        return function(*given)

    return asyncio.run(retry_(**terms)(unit)(*args))


class Fails:
    """Raises what it is given, in turn, then returns."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self, *_: object) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


class Session:
    """Writes down what is done to it."""

    made: list[Session]
    errors: dict[str, BaseException]

    def __init__(self) -> None:
        self.log: list[str] = []
        self.made.append(self)

    def _do(self, what: str) -> None:
        self.log.append(what)
        if what in self.errors:
            raise self.errors.pop(what)

    def commit(self) -> None:
        self._do("commit")

    def rollback(self) -> None:
        self._do("rollback")

    def close(self) -> None:
        self._do("close")


class AsyncSession(Session):
    """The same to be awaited."""

    async def commit(self) -> None:
        self._do("commit")

    async def rollback(self) -> None:
        self._do("rollback")

    async def close(self) -> None:
        self._do("close")


@pytest.fixture
def sessions(kind):
    base = Session if kind == "sync" else AsyncSession
    return type("Made", (base,), {"made": [], "errors": {}})


# -- attempts and time ---------------------------------------------------------------------------------------


@BOTH
def test_a_unit_that_meets_deadlocks_is_run_again_until_it_succeeds(kind, retry, clock):
    unit = Fails(deadlock(), deadlock())
    assert call(kind, retry, unit) == "done"
    assert unit.calls == 3
    assert clock.waits == [0.05, 0.1]


@BOTH
def test_an_open_outcome_is_never_run_again(kind, retry, clock):
    error = CommitOutcomeUnknown("open")
    unit = Fails(error)
    with pytest.raises(CommitOutcomeUnknown) as caught:
        call(kind, retry, unit)
    assert caught.value is error
    assert unit.calls == 1
    assert not hasattr(error, "__notes__")


@BOTH
def test_the_original_exception_says_how_often_and_how_long_it_was_tried(kind, retry):
    errors = [deadlock() for _ in range(3)]
    with pytest.raises(pymysql.err.OperationalError) as caught:
        call(kind, retry, Fails(*errors), attempts=3, first_wait=1.0)
    assert caught.value is errors[2]
    assert caught.value.__notes__ == ["stillhere: gave up after 3 attempts in 3.0 s (attempts is 3)"]
    assert not hasattr(errors[0], "__notes__")


@BOTH
def test_attempts_and_waits_count_toward_the_deadline(kind, retry, clock):
    def unit():
        clock.now += 4
        raise deadlock()

    with pytest.raises(pymysql.err.OperationalError) as caught:
        call(kind, retry, unit, within=10, first_wait=1.0, attempts=99)
    assert clock.waits == [1.0]
    assert caught.value.__notes__ == ["stillhere: gave up after 2 attempts in 9.0 s (within is 10 s)"]


@BOTH
def test_the_wait_grows_to_its_limit_and_the_servers_own_is_added(kind, retry, clock):
    away = ServerUnavailable("away")
    away.retry_after = 7.0
    call(kind, retry, Fails(*[deadlock() for _ in range(4)], away), within=None, attempts=9, longest_wait=0.3)
    assert clock.waits == [0.05, 0.1, 0.2, 0.3, 7.3]


@BOTH
def test_retries_are_taken_from_the_budget_and_calls_are_paid_into_it(kind, retry, clock):
    budget = RetryBudget(ratio=0.5, reserve=1, clock=Clock())
    assert call(kind, retry, Fails(deadlock()), budget=budget) == "done"
    with pytest.raises(pymysql.err.OperationalError) as caught:
        call(kind, retry, Fails(deadlock()), budget=budget)
    assert caught.value.__notes__[0].endswith("after 1 attempt in 0.0 s (the retry budget is used up)")
    call(kind, retry, Fails(), budget=budget)
    assert call(kind, retry, Fails(deadlock()), budget=budget) == "done"


def test_all_units_of_a_process_share_one_budget_by_default():
    assert trying.Limits().budget is stillhere.budget.PROCESS_BUDGET


@BOTH
def test_an_applications_own_exception_is_retried_if_asked(kind, retry):
    def unit():
        count.append(1)
        if len(count) == 1:
            raise ValueError from deadlock()
        return "done"

    count: list[int] = []
    assert call(kind, retry, unit, chained=True) == "done"
    count.clear()
    with pytest.raises(ValueError):  # noqa: PT011 - the application's own
        call(kind, retry, unit)


@BOTH
def test_a_process_that_shuts_down_ends_the_waiting(kind, retry, clock):
    halt = threading.Event()
    clock.wait = lambda *_: halt.set()
    with pytest.raises(pymysql.err.OperationalError) as caught:
        call(kind, retry, Fails(deadlock()), halt=halt)
    assert caught.value.__notes__ == ["stillhere: gave up after 1 attempt in 0.0 s (halted)"]
    with pytest.raises(pymysql.err.OperationalError):
        call(kind, retry, Fails(deadlock()), halt=halt)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, SystemExit])
@BOTH
def test_an_interruption_passes_through(kind, retry, error):
    unit = Fails(error())
    with pytest.raises(error):
        call(kind, retry, unit)
    assert unit.calls == 1


def test_a_wait_can_be_interrupted():
    work = Fails(deadlock())

    @stillhere.retry(first_wait=60, longest_wait=60, within=None, budget=None)
    async def unit():
        return work()

    async def main() -> None:
        task = asyncio.create_task(unit())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_plain_function_inside_an_event_loop_never_blocks_it(retry, clock):
    async def main() -> None:
        retry()(Fails(deadlock()))()

    with pytest.raises(pymysql.err.OperationalError) as caught:
        asyncio.run(main())
    assert clock.waits == []
    assert "make it async" in caught.value.__notes__[0]


# -- blocks ----------------------------------------------------------------------------------------------------


def test_a_block_is_tried_until_it_succeeds(clock):
    work, numbers = Fails(deadlock(), deadlock()), []
    for attempt in stillhere.attempts(clock=clock, budget=None):
        with attempt:
            numbers.append(attempt.number)
            result = work()
    assert result == "done"
    assert numbers == [1, 2, 3]


def test_a_block_in_a_coroutine_is_tried_until_it_succeeds(clock):
    async def main() -> str:
        work = Fails(deadlock())
        async for attempt in stillhere.attempts(clock=clock, budget=None):
            with attempt:
                return work()
        raise AssertionError

    assert asyncio.run(main()) == "done"
    assert clock.waits == [0.05]


def test_a_block_that_can_not_be_tried_again_raises_where_it_stands(clock):
    after = []

    def block():
        for attempt in stillhere.attempts(clock=clock, budget=None):
            with attempt:
                _ = 1 / 0
            after.append(attempt)

    with pytest.raises(ZeroDivisionError):
        block()
    assert after == []


def test_attempts_may_be_looped_over_again(clock):
    trials = stillhere.attempts(clock=clock, budget=None, attempts=2)
    for _ in range(2):
        work = Fails(deadlock())
        for attempt in trials:
            with attempt:
                work()
        assert work.calls == 2


def test_a_loop_without_its_with_is_refused(clock):
    with pytest.raises(ConfigurationError, match="with attempt"):
        for _ in stillhere.attempts(clock=clock, budget=None):
            pass


# -- one in another ---------------------------------------------------------------------------------------------


@BOTH
def test_a_unit_inside_a_unit_runs_once_and_the_outer_one_is_run_again(kind, retry, clock):
    budget = RetryBudget(ratio=0, reserve=5, clock=Clock())
    inner, outer = Fails(*[deadlock() for _ in range(9)]), []

    def unit():
        outer.append(1)
        return retry(budget=budget, attempts=3)(inner)()

    with pytest.raises(pymysql.err.OperationalError) as caught:
        call(kind, retry, unit, attempts=3, budget=budget)
    assert len(outer) == inner.calls == 3
    assert budget.left == 3
    assert len(caught.value.__notes__) == 1


def test_a_task_that_outlives_the_unit_it_was_started_in_has_its_own_attempts(retry):
    kept = []
    retry()(lambda: kept.append(contextvars.copy_context()))()
    work = Fails(deadlock())
    assert kept[0].run(retry()(work)) == "done"


def test_after_a_unit_the_next_one_has_its_own_attempts(retry):
    with pytest.raises(ZeroDivisionError):
        retry()(lambda: 1 / 0)()
    assert retry()(Fails(deadlock()))() == "done"


def test_a_unit_in_the_handler_of_an_open_outcome_is_retried_by_its_own_errors(retry):
    try:
        Fails(CommitOutcomeUnknown("open"))()
    except CommitOutcomeUnknown:
        assert retry()(Fails(deadlock()))() == "done"


# -- sessions ----------------------------------------------------------------------------------------------------


@BOTH
def test_each_attempt_has_a_session_of_its_own(kind, retry, sessions):
    given, work = [], Fails(deadlock())

    def unit(session, value):
        given.append(session)
        return work(), value

    assert call(kind, retry, unit, 7, sessions=sessions) == ("done", 7)
    assert given == sessions.made
    assert [session.log for session in given] == [["rollback", "close"], ["commit", "close"]]


@BOTH
def test_a_deadlock_at_commit_is_run_again_and_an_open_commit_is_not(kind, retry, sessions):
    sessions.errors["commit"] = deadlock()
    work = Fails()
    assert call(kind, retry, work, sessions=sessions) == "done"
    assert work.calls == 2
    sessions.errors["commit"] = CommitOutcomeUnknown("open")
    work = Fails()
    with pytest.raises(CommitOutcomeUnknown):
        call(kind, retry, work, sessions=sessions)
    assert work.calls == 1
    assert sessions.made[-1].log == ["commit", "rollback", "close"]


@BOTH
@pytest.mark.parametrize("step", ["rollback", "close"])
def test_what_fails_while_tidying_up_hides_nothing(kind, retry, sessions, step):
    sessions.errors[step] = RuntimeError("again")
    with pytest.raises(ZeroDivisionError):
        call(kind, retry, lambda _: 1 / 0, sessions=sessions)
    assert sessions.made[0].log == ["rollback", "close"]


@BOTH
def test_committed_work_is_not_run_again_because_its_session_did_not_close(kind, retry, sessions):
    sessions.errors["close"] = deadlock()
    work = Fails()
    assert call(kind, retry, work, sessions=sessions) == "done"
    assert work.calls == 1


def test_a_unit_inside_a_unit_of_the_same_sessions_joins_its_transaction(retry):
    sessions = type("Made", (Session,), {"made": [], "errors": {}})
    work = Fails(deadlock())
    inner = retry(sessions=sessions)(lambda session: session)

    @retry(sessions=sessions)
    def outer(session):
        assert inner() is session
        return work()

    assert outer() == "done"
    assert [session.log for session in sessions.made] == [["rollback", "close"], ["commit", "close"]]


def test_a_unit_of_which_a_part_was_committed_apart_is_not_run_again(retry):
    sessions = type("Made", (Session,), {"made": [], "errors": {}})
    inner = retry(sessions=sessions)(lambda _: None)

    @retry()
    def middle():
        inner()

    @retry()
    def outer():
        middle()
        raise deadlock()

    with pytest.raises(pymysql.err.OperationalError) as caught:
        outer()
    assert len(sessions.made) == 1
    assert "committed" in caught.value.__notes__[0]


def test_two_tasks_of_one_unit_never_share_its_session(retry):
    sessions = type("Made", (AsyncSession,), {"made": [], "errors": {}})

    @retry(sessions=sessions)
    async def inner(session):
        return session

    @retry(sessions=sessions)
    async def outer(session):
        assert await inner() is session
        first, second = await asyncio.gather(inner(), inner())
        assert len({id(session), id(first), id(second)}) == 3

    asyncio.run(outer())


# -- what is refused ------------------------------------------------------------------------------------------------


def test_a_generator_can_not_be_run_again():
    def rows():
        yield 1

    async def more_rows():
        yield 1

    class Rows:
        def __call__(self):
            yield 1

    for generator in (rows, more_rows, Rows(), functools.partial(rows)):
        with pytest.raises(ConfigurationError, match="generator function"):
            stillhere.retry(generator)


def test_a_method_can_not_be_given_a_session_before_its_self():
    with pytest.raises(ConfigurationError, match="'self'"):

        class Service:
            @stillhere.retry(sessions=Session)
            def book(self, session): ...


def test_a_method_that_makes_its_own_session_is_a_unit(retry):
    class Service:
        work = Fails(deadlock())

        @retry()
        def book(self, value):
            return self.work(), value

    assert Service().book(3) == ("done", 3)


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"within": -1}, {"first_wait": -1}, {"longest_wait": -1}])
def test_unusable_terms_are_refused_by_name(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        stillhere.retry(**wrong)
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        stillhere.attempts(**wrong)


def test_what_is_no_function_is_refused():
    with pytest.raises(ConfigurationError, match="decorates a function"):
        stillhere.retry(classmethod(len))


def test_the_decorator_stands_alone_and_keeps_names():
    @stillhere.retry
    def transfer(cents):
        """Move money."""
        return cents

    assert transfer(3) == 3
    assert (transfer.__name__, transfer.__doc__) == ("transfer", "Move money.")


def test_without_tenacity_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tenacity", None)
    with pytest.raises(ConfigurationError, match=r"stillhere\[retry\]"):
        stillhere.attempts()


def test_only_who_uses_units_loads_tenacity():
    program = "import sys, stillhere; stillhere.is_retryable; print('tenacity' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
