"""The gate's decisions, without threads and without a clock."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from stillhere.continuity.gatekeeping import (
    TRANSITIONS,
    Decision,
    GateState,
    Limits,
    Role,
    Situation,
    Visitor,
    Wait,
    abandoned,
    decide,
    failed,
    probing,
    succeeded,
)

LIMITS = Limits(min_backoff=0.05, max_backoff=1.0, handshakes=2, lease=2.0)
UP = Situation()
DOWN = failed(UP, Role.HANDSHAKE, 1, 0, LIMITS, 10.0, 1.0)
PROBING = probing(DOWN, 1, 99.0, LIMITS, 10.05)


def visitor(rank: int = 0, deadline: float = 20.0, attempts: int = 1, max_waiting: int = 5) -> Visitor:
    return Visitor(rank, deadline, attempts, max_waiting)


def test_while_up_as_many_handshakes_as_there_are_places_in_order_of_arrival() -> None:
    assert decide(UP, visitor(1), LIMITS, 0.0) is Decision.HANDSHAKE
    assert decide(UP, visitor(2), LIMITS, 0.0) == Wait(20.0)
    busy = replace(UP, handshaking=1, place_free_at=7.0)
    assert decide(busy, visitor(0), LIMITS, 0.0) is Decision.HANDSHAKE
    assert decide(busy, visitor(1), LIMITS, 0.0) == Wait(20.0)
    full = replace(UP, handshaking=2, place_free_at=7.0)
    assert decide(full, visitor(0), LIMITS, 0.0) == Wait(7.0)
    assert decide(full, visitor(1), LIMITS, 0.0) == Wait(20.0)


def test_nobody_is_turned_away_for_a_crowd_while_up() -> None:
    assert decide(UP, visitor(100), LIMITS, 0.0) == Wait(20.0)


def test_while_down_only_the_first_probes_and_only_when_due() -> None:
    assert DOWN.state is GateState.DOWN
    assert decide(DOWN, visitor(0), LIMITS, 10.0) == Wait(DOWN.probe_due)
    assert decide(DOWN, visitor(0), LIMITS, 10.05) is Decision.PROBE
    assert decide(DOWN, visitor(1), LIMITS, 10.05) == Wait(20.0)
    assert decide(DOWN, visitor(5), LIMITS, 10.05) is Decision.FULL


def test_while_one_probes_the_first_in_the_queue_watches_the_lease() -> None:
    assert PROBING.lease_until == 12.05
    assert decide(PROBING, visitor(0), LIMITS, 11.0) == Wait(12.05)
    assert decide(PROBING, visitor(1), LIMITS, 12.05) == Wait(20.0)
    assert decide(PROBING, visitor(0), LIMITS, 12.05) is Decision.PROBE


def test_a_lease_ends_with_its_holders_deadline() -> None:
    assert probing(DOWN, 1, 10.5, LIMITS, 10.05).lease_until == 10.5
    assert probing(DOWN, 1, 10.05, LIMITS, 10.05).lease_until == pytest.approx(10.1)


@pytest.mark.parametrize("situation", [DOWN, PROBING])
def test_past_the_deadline_is_a_timeout(situation: Situation) -> None:
    assert decide(situation, visitor(1, deadline=11.0), LIMITS, 11.0) is Decision.TIMEOUT
    assert decide(situation, visitor(0, deadline=11.0, attempts=0), LIMITS, 10.01) == Wait(
        min(11.0, situation.lease_until or situation.probe_due)
    )


def test_without_a_ride_through_one_attempt_is_made_where_it_need_not_wait() -> None:
    hurried = visitor(0, deadline=0.0, attempts=0)
    assert decide(UP, hurried, LIMITS, 5.0) is Decision.HANDSHAKE
    assert decide(DOWN, hurried, LIMITS, 20.0) is Decision.PROBE
    assert decide(DOWN, hurried, LIMITS, 10.01) is Decision.TIMEOUT
    assert decide(UP, replace(hurried, attempts=1), LIMITS, 5.0) is Decision.TIMEOUT
    assert decide(UP, visitor(0, deadline=5.0), LIMITS, 5.0) is Decision.TIMEOUT


@pytest.mark.parametrize(
    ("down_for", "backoff"), [(0.1, 0.05), (0.25, 0.05), (1.0, 0.2), (2.0, 0.4), (5.0, 1.0), (60.0, 1.0)]
)
def test_backoff_is_a_fifth_of_the_outage_within_its_bounds_and_jittered(down_for: float, backoff: float) -> None:
    now = DOWN.down_since + down_for
    situation = failed(probing(DOWN, 1, 99.0, LIMITS, now), Role.PROBE, 1, 0, LIMITS, now, 0.5)
    assert situation.probe_due - now == pytest.approx(backoff / 2)
    assert situation.failures == DOWN.failures + 1


def test_only_a_probe_opens_the_gate() -> None:
    assert succeeded(PROBING, Role.HANDSHAKE, 0) is PROBING
    opened = succeeded(PROBING, Role.PROBE, 0)
    assert (opened.state, opened.holder, opened.epoch) == (GateState.UP, None, 1)


def test_what_began_before_the_servers_return_says_nothing_about_it() -> None:
    opened = succeeded(PROBING, Role.PROBE, 0)
    assert failed(opened, Role.HANDSHAKE, 2, 0, LIMITS, 13.0, 1.0) is opened
    assert succeeded(failed(opened, Role.HANDSHAKE, 2, 1, LIMITS, 13.0, 1.0), Role.PROBE, 0).state is GateState.DOWN


def test_a_prober_whose_lease_ran_out_still_opens_the_gate_but_no_longer_closes_it() -> None:
    taken = probing(PROBING, 2, 99.0, LIMITS, 12.05)
    assert failed(taken, Role.PROBE, 1, 0, LIMITS, 13.0, 1.0).holder == 2
    assert abandoned(taken, 1, 13.0) is taken
    assert succeeded(taken, Role.PROBE, 0).state is GateState.UP
    between = failed(taken, Role.PROBE, 2, 0, LIMITS, 13.0, 1.0)
    assert succeeded(between, Role.PROBE, 0).state is GateState.UP


def test_a_lease_that_is_given_up_may_be_taken_at_once() -> None:
    given = abandoned(PROBING, 1, 11.0)
    assert (given.state, given.holder) == (GateState.DOWN, None)
    assert decide(given, visitor(0), LIMITS, 11.0) is Decision.PROBE


def test_a_second_handshake_that_fails_changes_nothing_but_the_count() -> None:
    again = failed(DOWN, Role.HANDSHAKE, 2, 0, LIMITS, 10.01, 1.0)
    assert again == replace(DOWN, failures=2)


def test_illegal_steps_are_refused() -> None:
    for before, after in itertools.product(GateState, GateState):
        if (before, after) in TRANSITIONS:
            assert Situation(state=before).to(after).state is after
        else:
            with pytest.raises(AssertionError):
                Situation(state=before).to(after)
