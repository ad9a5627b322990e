"""The lifecycle of a logical connection."""

from __future__ import annotations

import itertools

import pytest

from stillhere.continuity.states import LinkState, may_follow

OPENING, READY, DETACHED, LOST, CLOSED = LinkState
LEGAL = {
    (OPENING, READY), (OPENING, DETACHED), (OPENING, LOST), (OPENING, CLOSED),
    (READY, OPENING), (READY, DETACHED), (READY, LOST), (READY, CLOSED),
    (DETACHED, OPENING), (DETACHED, LOST), (DETACHED, CLOSED),
    (LOST, DETACHED), (LOST, CLOSED),
}  # fmt: skip


@pytest.mark.parametrize(("now", "then"), list(itertools.product(LinkState, repeat=2)))
def test_only_these_steps_are_legal(now, then):
    assert may_follow(now, then) is (now is then or (now, then) in LEGAL)


def test_a_lost_transaction_can_only_be_given_up():
    assert [state for state in LinkState if may_follow(LOST, state) and state is not LOST] == [DETACHED, CLOSED]


def test_nothing_follows_the_end():
    assert not any(may_follow(CLOSED, state) for state in LinkState if state is not CLOSED)


def test_an_illegal_step_is_a_defect_and_raised(rig):
    link = rig.connect()._stillhere
    link.become(LOST)
    with pytest.raises(RuntimeError, match="illegal step"):
        link.become(READY)
    link.become(DETACHED)
