"""The retry budget: whatever happens, retries stay a share of the calls plus the reserve."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhere.budget import PROCESS_BUDGET, RetryBudget
from stillhere.errors import ConfigurationError


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


STEPS = st.lists(
    st.one_of(st.just("call"), st.just("retry"), st.floats(0, 100, allow_nan=False)),
    max_size=200,
)


@given(STEPS, st.floats(0, 1), st.integers(1, 20), st.floats(0.1, 600))
def test_retries_are_never_more_than_a_share_of_the_calls_and_the_reserve(steps, ratio, reserve, refill):
    clock = Clock()
    budget = RetryBudget(ratio=ratio, reserve=reserve, refill=refill, clock=clock)
    calls = retries = 0
    for step in steps:
        if step == "call":
            budget.called()
            calls += 1
        elif step == "retry":
            left = budget.left
            granted = budget.take()
            assert granted == (left >= 1 - 1e-9)
            retries += granted
        else:
            clock.now += step
        assert 0 <= budget.left <= reserve
        assert retries <= reserve + ratio * calls + reserve * (clock.now - 100) / refill + 1e-6


def test_ten_calls_allow_one_retry_once_the_reserve_is_gone():
    budget = RetryBudget(ratio=0.1, reserve=2, clock=Clock())
    assert [budget.take() for _ in range(3)] == [True, True, False]
    for _ in range(9):
        budget.called()
    assert not budget.take()
    budget.called()
    assert budget.take()
    assert not budget.take()


def test_a_quiet_process_gets_its_reserve_back_with_time():
    clock = Clock()
    budget = RetryBudget(reserve=6, refill=60, clock=clock)
    while budget.take():
        pass
    clock.now += 9
    assert not budget.take()
    clock.now += 1
    assert budget.take()
    clock.now += 6000
    assert budget.left == 6


def test_threads_that_fail_at_once_share_the_tokens():
    budget = RetryBudget(ratio=0, reserve=10, clock=Clock())
    granted = []
    barrier = threading.Barrier(8)

    def fail() -> None:
        barrier.wait()
        granted.extend(budget.take() for _ in range(50))

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 10


@pytest.mark.parametrize("wrong", [{"ratio": -0.1}, {"ratio": 1.1}, {"reserve": 0}, {"refill": 0}])
def test_what_is_no_budget_is_refused_by_name(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        RetryBudget(**wrong)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_of_a_fork_has_a_lock_and_a_bucket_of_its_own():
    with PROCESS_BUDGET._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if PROCESS_BUDGET.take() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
