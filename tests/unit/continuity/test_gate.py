"""The gate with real threads, on short times."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from stillhere.continuity.gate import (
    Gate,
    GateFull,
    GateStats,
    GateTimeout,
    GateWait,
    gate_for,
    reset_after_fork,
)
from stillhere.continuity.gatekeeping import GateState

if TYPE_CHECKING:
    from collections.abc import Callable


class RefusedError(Exception):
    """Waiting mends it."""


class DeniedError(Exception):
    """Waiting doesn't."""


def mendable(error: Exception) -> bool:
    return isinstance(error, RefusedError)


class Server:
    """Counts what is asked of it at a time; up or down by a switch."""

    def __init__(self, *, up: bool = True, handshake: float = 0.0) -> None:
        self.up = threading.Event()
        if up:
            self.up.set()
        self.handshake = handshake
        self.now = self.most = self.most_while_down = self.attempts = 0
        self.lock = threading.Lock()

    def __call__(self) -> str:
        with self.lock:
            self.attempts += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            time.sleep(self.handshake)
            if not self.up.is_set():
                raise RefusedError
            return "connection"
        finally:
            with self.lock:
                self.now -= 1


def soon(seconds: float) -> float:
    return time.monotonic() + seconds


class Visitors:
    """Threads, each making one connection."""

    def __init__(self, gate: Gate, attempt: Callable[[], str], count: int, seconds: float) -> None:
        self.results: list[object] = []
        self.took: list[float] = []
        self.threads = [
            threading.Thread(target=self._run, args=(gate, attempt, seconds), daemon=True) for _ in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def _run(self, gate: Gate, attempt: Callable[[], str], seconds: float) -> None:
        began = time.monotonic()
        try:
            self.results.append(gate.connect(attempt, deadline=soon(seconds), waitable=mendable))
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.results.append(error)
        self.took.append(time.monotonic() - began)

    def join(self, seconds: float) -> None:
        until = soon(seconds)
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))
        assert not any(thread.is_alive() for thread in self.threads)


def down(gate: Gate) -> None:
    """Bring the gate down with one failing visit."""
    with pytest.raises(GateTimeout):
        gate.connect(Server(up=False), deadline=time.monotonic(), waitable=mendable)


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    end = soon(seconds)
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_an_undisturbed_visit_is_one_attempt() -> None:
    gate, server = Gate(), Server()
    assert gate.connect(server, deadline=soon(1), waitable=mendable) == "connection"
    assert gate.stats() == GateStats(GateState.UP, 0, 0, 0.0, 1, 0, 0, 0, 0)
    assert repr(gate) == "<Gate up, 0 handshaking, 0 waiting>"


def test_what_waiting_cannot_mend_is_raised_at_once_and_closes_nothing() -> None:
    def denied() -> str:
        raise DeniedError

    gate = Gate()
    with pytest.raises(DeniedError):
        gate.connect(denied, deadline=soon(5), waitable=mendable)
    assert gate.stats().state is GateState.UP
    assert gate.stats().handshaking == 0


def test_a_visitor_waits_for_the_server_to_come_back() -> None:
    gate, server = Gate(), Server(up=False)
    threading.Timer(0.2, server.up.set).start()
    assert gate.connect(server, deadline=soon(5), waitable=mendable) == "connection"
    assert gate.stats().state is GateState.UP
    assert 3 <= server.attempts <= 8
    assert gate.stats().outages == 1


def test_past_its_deadline_a_visitor_is_told_what_was_measured() -> None:
    gate = Gate()
    with pytest.raises(GateTimeout) as caught:
        gate.connect(Server(up=False), deadline=soon(0.2), waitable=mendable)
    closed = caught.value
    assert 0.19 < closed.waited < 0.6
    assert closed.attempts == closed.failures >= 2
    assert 0.1 < closed.down_for < 0.6
    assert isinstance(closed.last_error, RefusedError)
    assert closed.__cause__ is closed.last_error
    assert closed.last_error.__traceback__ is None


def test_the_counters_count_each_thing_once() -> None:
    gate, server = Gate(min_backoff=0.02, max_backoff=0.02), Server(up=False)
    with pytest.raises(GateTimeout):
        gate.connect(server, deadline=soon(0.1), waitable=mendable)
    with pytest.raises(GateFull):
        gate.connect(server, deadline=soon(1), waitable=mendable, max_waiting=0)
    server.up.set()
    time.sleep(0.03)
    assert gate.connect(server, deadline=soon(1), waitable=mendable) == "connection"
    stats = gate.stats()
    assert stats.attempts == server.attempts
    assert stats.failures == server.attempts - 1
    assert (stats.waits, stats.refusals, stats.outages) == (1, 2, 1)


def test_one_probes_for_all_that_wait() -> None:
    gate, server = Gate(handshakes=8, max_backoff=0.2), Server(up=False)
    visitors = Visitors(gate, server, 50, 10)
    until(lambda: gate.stats().waiting + gate.stats().handshaking >= 49)
    server.attempts = server.most = 0
    time.sleep(0.5)
    assert server.most == 1
    assert server.attempts < 15
    server.up.set()
    visitors.join(5)
    assert visitors.results == ["connection"] * 50


def test_no_handshake_storm_after_a_restart() -> None:
    """All 200 are served within a second of the first success, never more than 8 at a time."""
    gate, server = Gate(handshakes=8, max_backoff=0.2), Server(up=False, handshake=0.005)
    visitors = Visitors(gate, server, 200, 20)
    until(lambda: gate.stats().waiting >= 199)
    server.most = 0
    server.up.set()
    began = time.monotonic()
    visitors.join(5)
    assert time.monotonic() - began < 1.5
    assert visitors.results == ["connection"] * 200
    assert server.most <= 8
    assert server.most >= 4


def test_handshakes_are_bounded_from_the_start_too() -> None:
    gate, server = Gate(handshakes=3), Server(handshake=0.01)
    visitors = Visitors(gate, server, 30, 10)
    visitors.join(5)
    assert visitors.results == ["connection"] * 30
    assert server.most == 3


def test_beyond_max_waiting_visitors_are_turned_away_at_once() -> None:
    gate = Gate(max_waiting=3, min_backoff=0.5)
    down(gate)
    visitors = Visitors(gate, Server(up=False), 3, 0.4)
    until(lambda: gate.stats().waiting == 3)
    began = time.monotonic()
    with pytest.raises(GateFull) as caught:
        gate.connect(Server(), deadline=soon(5), waitable=mendable)
    assert time.monotonic() - began < 0.1
    assert caught.value.waiting == 3
    with pytest.raises(GateTimeout):
        gate.connect(Server(), deadline=soon(0.01), waitable=mendable, max_waiting=4)
    visitors.join(5)


def test_those_beyond_max_waiting_are_turned_away_when_the_server_goes_down() -> None:
    gate, server = Gate(handshakes=1, max_waiting=2), Server(up=False, handshake=0.2)
    visitors = Visitors(gate, server, 10, 2.0)
    until(lambda: len(visitors.results) >= 6, 1.0)
    assert all(isinstance(result, GateFull) for result in visitors.results)
    visitors.join(6)
    assert sum(isinstance(result, GateTimeout) for result in visitors.results) <= 3


@pytest.mark.parametrize("leave", [DeniedError, KeyboardInterrupt, SystemExit], ids=lambda kind: kind.__name__)
def test_the_lease_is_passed_on_when_the_prober_leaves(leave: type[BaseException]) -> None:
    """The next one probes at once, and doesn't wait for the backoff or the lease."""
    gate, server = Gate(min_backoff=0.1, lease=30), Server()
    down(gate)
    inside = threading.Event()
    proceed = threading.Event()

    def interrupted() -> str:
        inside.set()
        proceed.wait(5)
        raise leave

    prober = Visitors(gate, interrupted, 1, 10)
    assert inside.wait(5)
    waiter = Visitors(gate, server, 1, 10)
    until(lambda: gate.stats().waiting == 1)
    assert gate.stats().state is GateState.PROBING
    proceed.set()
    waiter.join(0.5)
    prober.join(0.5)
    assert isinstance(prober.results[0], leave)
    assert waiter.results == ["connection"]


def test_the_lease_is_passed_on_when_the_probers_deadline_passes() -> None:
    gate, server = Gate(min_backoff=0.05, max_backoff=0.05), Server(up=False)
    first = Visitors(gate, server, 1, 0.15)
    until(lambda: gate.stats().state is not GateState.UP)
    second = Visitors(gate, server, 1, 5)
    first.join(1)
    assert isinstance(first.results[0], GateTimeout)
    server.up.set()
    second.join(1)
    assert second.results == ["connection"]


def test_a_prober_that_hangs_keeps_nobody_past_his_deadline() -> None:
    gate = Gate(lease=30)
    down(gate)
    inside, release = threading.Event(), threading.Event()

    def hanging() -> str:
        inside.set()
        release.wait(10)
        raise RefusedError

    prober = Visitors(gate, hanging, 1, 20)
    assert inside.wait(5)
    waiters = Visitors(gate, Server(), 5, 0.2)
    waiters.join(1)
    assert all(isinstance(result, GateTimeout) for result in waiters.results)
    assert max(waiters.took) < 0.6
    release.set()
    assert gate.stats().waiting <= 1
    del prober


def test_a_prober_that_hangs_longer_than_its_lease_is_joined_by_the_next() -> None:
    gate = Gate(lease=0.1)
    down(gate)
    inside, release = threading.Event(), threading.Event()

    def hanging() -> str:
        inside.set()
        release.wait(10)
        return "late"

    prober = Visitors(gate, hanging, 1, 20)
    assert inside.wait(5)
    waiter = Visitors(gate, Server(), 1, 5)
    waiter.join(1)
    assert waiter.results == ["connection"]
    assert gate.stats().state is GateState.UP
    release.set()
    prober.join(1)
    assert prober.results == ["late"]


def test_handshakes_that_hang_give_up_their_places() -> None:
    gate = Gate(handshakes=2, lease=0.1)
    release = threading.Event()

    def hanging() -> str:
        release.wait(10)
        return "late"

    hung = Visitors(gate, hanging, 2, 20)
    until(lambda: gate.stats().handshaking == 2)
    waiters = Visitors(gate, Server(), 4, 5)
    waiters.join(1)
    assert waiters.results == ["connection"] * 4
    release.set()
    hung.join(1)


def test_the_hook_is_told_once_that_a_visit_waits_and_may_use_the_gate() -> None:
    told: list[tuple[GateWait, GateStats]] = []
    gate = Gate(on_wait=lambda wait: told.append((wait, gate.stats())))
    with pytest.raises(GateTimeout):
        gate.connect(Server(up=False), deadline=soon(0.3), waitable=mendable)
    assert len(told) == 1
    wait = told[0][0]
    assert wait.state is GateState.DOWN
    assert wait.waiting == 1
    assert isinstance(wait.last_error, RefusedError)


def test_a_hook_that_raises_ends_only_its_own_visit() -> None:
    def hook(wait: GateWait) -> None:
        raise DeniedError

    gate = Gate(on_wait=hook)
    with pytest.raises(DeniedError):
        gate.connect(Server(up=False), deadline=soon(5), waitable=mendable)
    assert gate.stats().waiting == 0
    gate.on_wait = None
    assert gate.connect(Server(), deadline=soon(5), waitable=mendable) == "connection"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_process_has_neither_the_lock_nor_the_lease_of_its_parent() -> None:
    gate = gate_for("child")
    assert gate_for("child") is gate
    down(gate)
    inside, release = threading.Event(), threading.Event()

    def hanging() -> str:
        inside.set()
        release.wait(10)
        return "late"

    prober = Visitors(gate, hanging, 1, 20)
    assert inside.wait(5)
    before = gate.stats()
    assert before.state is GateState.PROBING
    with gate._lock:  # as if another thread held it at the moment of the fork
        child = os.fork()
        if child == 0:
            code = 1
            try:
                reset_after_fork()
                fresh = gate.stats()
                assert fresh.state is GateState.DOWN
                assert fresh.waiting == fresh.handshaking == 0
                assert gate.connect(Server(), deadline=soon(0.5), waitable=mendable) == "connection"
                code = 0
            finally:
                os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    release.set()
    prober.join(1)


def test_nothing_is_left_behind_by_a_crowd_in_which_everything_happens() -> None:
    gate = Gate(min_backoff=0.005, max_backoff=0.02, handshakes=3, lease=0.05)
    server = Server(handshake=0.002)
    count = iter(range(10_000))

    def mixed() -> str:
        number = next(count)
        if number % 11 == 3:
            raise DeniedError
        if number % 17 == 5:
            raise KeyboardInterrupt
        if number % 29 == 7:
            time.sleep(0.08)
        return server()

    visitors = Visitors(gate, mixed, 120, 5)
    for _ in range(6):
        server.up.clear()
        time.sleep(0.03)
        server.up.set()
        time.sleep(0.03)
    visitors.join(10)
    stats = gate.stats()
    assert (stats.waiting, stats.handshaking) == (0, 0)
    assert stats.state is not GateState.PROBING
    assert len(visitors.results) == 120
    assert not any(isinstance(result, (GateTimeout, GateFull)) for result in visitors.results)
