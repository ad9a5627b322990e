"""The checker sees what is lost, doubled, half or wrong, and nothing where all is well."""

from __future__ import annotations

import pytest

from stillhere.lab.drill.check import WHOLE, Found, audit, recovery_ms
from stillhere.lab.drill.shots import Kind, Outcome


def twice(found):
    return Found(*(2 * count for count in found))


def numbers(seen):
    return seen.wrong, seen.lost, seen.doubled, seen.half


def test_an_acknowledged_write_that_is_whole_is_well(make_shot):
    seen = audit([make_shot("a")], {"a": WHOLE})
    assert numbers(seen) == (0, 0, 0, 0)
    assert seen.spoilt == frozenset()


def test_an_acknowledged_write_that_is_absent_is_lost(make_shot):
    seen = audit([make_shot("a"), make_shot("b")], {"b": WHOLE})
    assert numbers(seen) == (0, 1, 0, 0)
    assert seen.spoilt == {"a"}


@pytest.mark.parametrize("outcome", [Outcome.GOOD, Outcome.ERROR, Outcome.UNAVAILABLE])
def test_a_write_that_is_there_twice_is_doubled_whatever_the_client_was_told(make_shot, outcome):
    seen = audit([make_shot("a", outcome=outcome)], {"a": twice(WHOLE)})
    assert numbers(seen) == (0, 0, 1, 0)


@pytest.mark.parametrize("found", [Found(1, 0, 0), WHOLE._replace(lines=0), Found(0, 0, 1), WHOLE._replace(games=1)])
def test_a_write_of_which_a_part_is_there_is_half_and_wrong(make_shot, found):
    seen = audit([make_shot("a")], {"a": found})
    assert (seen.wrong, seen.half) == (1, 1)
    assert seen.doubled == 0


def test_one_table_doubled_is_doubled_and_half(make_shot):
    seen = audit([make_shot("a")], {"a": WHOLE._replace(matches=2)})
    assert numbers(seen) == (1, 0, 1, 1)


def test_an_error_told_while_the_row_is_there_is_no_defect_of_the_data(make_shot):
    seen = audit([make_shot("a", outcome=Outcome.ERROR, error="OperationalError")], {"a": WHOLE})
    assert numbers(seen) == (0, 0, 0, 0)
    assert seen.errors == 1


def test_an_error_told_and_no_row_is_not_lost(make_shot):
    assert numbers(audit([make_shot("a", outcome=Outcome.ERROR)], {})) == (0, 0, 0, 0)


def test_wrong_answers_are_counted(make_shot):
    assert audit([make_shot(kind=Kind.READ, outcome=Outcome.WRONG)], {}).wrong == 1


def test_unavailable_is_not_an_error(make_shot):
    seen = audit([make_shot(outcome=Outcome.UNAVAILABLE, error="ServerUnavailable", named=True)], {})
    assert (seen.errors, seen.unavailable, dict(seen.named)) == (0, 1, {"ServerUnavailable": 1})


def test_rows_of_others_are_not_ours_to_judge(make_shot):
    assert numbers(audit([make_shot("a")], {"a": WHOLE, "seed-1": twice(WHOLE)})) == (0, 0, 0, 0)


def test_the_longest_request_counts_whatever_its_end(make_shot, failing):
    late = make_shot(begun=1.0, ended=3.5, outcome=Outcome.ERROR)
    assert audit([make_shot(), late, failing], {}).longest_ms == 2500.0


def test_nothing_sent_is_nothing_found():
    seen = audit([], {})
    assert (seen.requests, seen.longest_ms) == (0, 0.0)


def test_recovery_is_the_first_good_answer_to_a_request_that_was_sent_after_the_return(make_shot):
    shots = [
        make_shot(begun=1.9, ended=2.01),
        make_shot(begun=2.1, ended=2.2, outcome=Outcome.ERROR),
        make_shot(begun=2.3, ended=2.5),
        make_shot(begun=2.35, ended=2.4),
    ]
    assert recovery_ms(shots, back=2.0) == 400.0


def test_without_a_good_answer_there_is_no_recovery(make_shot):
    assert recovery_ms([make_shot(begun=1.0, ended=1.1)], back=2.0) is None
