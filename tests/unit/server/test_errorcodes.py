"""The one table of error codes: no code twice, and the facts that others rest on."""

from __future__ import annotations

import itertools

import pytest

from stillhere.server import errorcodes as codes
from stillhere.server.versions import Flavour

MYSQL, MARIADB = Flavour.MYSQL, Flavour.MARIADB
EITHER = (MYSQL, MARIADB, None)


def test_4031_is_a_disconnect_on_mysql_only() -> None:
    assert codes.is_loss(4031, MYSQL)
    assert codes.proves_not_executed(4031, MYSQL)
    assert not codes.is_loss(4031, MARIADB)
    assert not codes.proves_not_executed(4031, MARIADB)
    assert codes.lookup(4031, None) is None
    assert not codes.is_loss(4031, None)


@pytest.mark.parametrize("flavour", EITHER)
@pytest.mark.parametrize("code", [0, 1053, 1153, 2006, 2013, 2014, 2026, 2045, 2055])
def test_a_loss_is_a_loss_on_both_families(code: int, flavour: Flavour | None) -> None:
    assert codes.is_loss(code, flavour)


@pytest.mark.parametrize("flavour", EITHER)
@pytest.mark.parametrize("code", [1040, 1053, 1135, 1203, 1226, 2002, 2003, 2005, 2006, 2013, 1047, 3032])
def test_waiting_may_mend_it_at_connect(code: int, flavour: Flavour | None) -> None:
    assert codes.waitable_at_connect(code, flavour)


@pytest.mark.parametrize("flavour", EITHER)
@pytest.mark.parametrize("code", [1044, 1045, 1049, 1129, 1130, 1251, 1698, 2026, 2059, 2061])
def test_waiting_mends_nothing_at_connect(code: int, flavour: Flavour | None) -> None:
    assert codes.never_retry_at_connect(code, flavour)
    assert not codes.waitable_at_connect(code, flavour)


@pytest.mark.parametrize(("code", "flavour"), [(1317, None), (1969, MARIADB), (3024, MYSQL)])
def test_a_statement_limit_is_no_loss_and_spoils_a_replay(code: int, flavour: Flavour | None) -> None:
    assert codes.statement_limit(code, flavour)
    assert not codes.is_loss(code, flavour)
    assert codes.spoils_replay(code, flavour)


def test_what_rolls_the_whole_transaction_back() -> None:
    assert all(codes.rolled_back(code, None) for code in (1213, 1402, 1613, 1614))
    assert not codes.rolled_back(1205, None)
    assert codes.rolled_back(1205, None, rollback_on_timeout=True)
    assert codes.spoils_replay(1205)
    assert not codes.rolled_back(1062, None, rollback_on_timeout=True)


def test_a_statement_that_may_be_done_by_halves_is_proved_only_by_what_answers_nothing() -> None:
    assert codes.proves_not_executed(1053, MYSQL)
    assert not codes.proves_not_executed(1053, MYSQL, atomic=False)
    assert not codes.proves_not_executed(1927, MARIADB, atomic=False)
    assert codes.proves_not_executed(4031, MYSQL, atomic=False)
    assert codes.proves_not_executed(1153, MYSQL, atomic=False)


def test_a_code_that_the_client_library_makes_up_never_proves_anything() -> None:
    for code, flavour in itertools.product((0, *range(2000, 3000)), EITHER):
        assert not codes.proves_not_executed(code, flavour)
        line = codes.lookup(code, flavour)
        assert line is None or line.client_side


def test_packet_and_read_only() -> None:
    assert codes.packet_too_large(1153)
    assert codes.packet_too_large(2020)
    assert all(codes.read_only(code) for code in (1290, 1792, 1836))
    assert not codes.read_only(1153)


def test_unknown_codes_say_nothing() -> None:
    assert codes.lookup(1062, MYSQL) is None
    assert not codes.is_loss(1062, MYSQL)
    assert not codes.waitable_at_connect(1062, MYSQL)
    assert not codes.never_retry_at_connect(1062, MYSQL)


def test_no_line_contradicts_itself() -> None:
    for line in codes._TABLE:
        assert not (codes.Fact.WAITABLE in line.facts and codes.Fact.FINAL in line.facts), line
        assert not (codes.Fact.NOT_EXECUTED in line.facts and line.client_side), line
        assert not (codes.Fact.LIMIT in line.facts and codes.Fact.LOSS in line.facts), line


def test_a_number_listed_twice_for_one_family_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "_TABLE", (codes._TABLE[0], codes._TABLE[0]))
    with pytest.raises(ValueError, match="listed twice"):
        codes._index()
