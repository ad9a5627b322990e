"""The checker sees each kind of planted wrong, and stays silent on a history that could have been."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhere.lab.check.checker import Rules, Wrong, check
from stillhere.lab.check.history import (
    Cut,
    Entry,
    Kind,
    Known,
    LossSeen,
    Operation,
    Outage,
    Outcome,
    Seen,
    Stored,
    Troubles,
)
from stillhere.lab.check.workload import World

WORLD = World(accounts=2, balance=100, lists=1, chapters=1)
RULES = Rules(WORLD)


class Bank:
    """Applies operations one after the other, a second each, and writes down what it did."""

    def __init__(self) -> None:
        self.now = 0.0
        self.history: list[Operation] = []
        self.rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.accounts = dict.fromkeys(range(WORLD.accounts), (0, WORLD.balance))
        self.entries: list[Entry] = []
        self.items: list[tuple[int, str]] = []
        self.n = 0

    def do(self, kind: Kind, outcome: Outcome = Outcome.OK, *, apply: bool = True, **more) -> str:
        name = f"op-1-{len(self.history) + 1}"
        rows = getattr(self, f"_{kind.name.lower()}")(name, apply)
        seen = more.pop("seen", self._seen(kind))
        self.history.append(Operation(name, 1, kind, self.now, self.now + 0.9, outcome, tuple(rows), seen=seen, **more))
        self.now += 1
        return name

    def stored(self) -> Stored:
        return Stored(
            dict(self.rows),
            list(self.entries),
            dict(self.accounts),
            {"list-0-0": list(self.items)},
            {"list-0-0": len(self.items)},
            {"counter-0-0": self.n},
        )

    def wrongs(self, troubles: Troubles | None = None, rules: Rules = RULES, stored: Stored | None = None):
        found = check(self.history, stored or self.stored(), troubles or Troubles(), rules)
        return [(violation.wrong, violation.operation) for violation in found]

    def _transfer(self, name: str, apply: bool) -> list[str]:
        for account, amount in ((0, -5), (1, 5)):
            if apply:
                version, balance = self.accounts[account]
                self.accounts[account] = version + 1, balance + amount
                self.entries.append(Entry(name, name, account, amount, version + 1, balance + amount))
        return self._store(name, apply, "transfer", "entry of 0", "entry of 1")

    def _append(self, name: str, apply: bool) -> list[str]:
        if apply:
            self.items.append((len(self.items) + 1, name))
        return self._store(name, apply, "item of list-0-0")

    def _count(self, name: str, apply: bool) -> list[str]:
        self.n += apply
        return self._store(name, apply, "tick of counter-0-0")

    def _note(self, name: str, apply: bool) -> list[str]:
        return self._store(name, apply, "note")

    def _call(self, name: str, apply: bool) -> list[str]:
        return self._store(name, apply, "post")

    def _audit(self, _name: str, _apply: bool) -> list[str]:
        return []

    _read_list = _read_counter = _audit

    def _store(self, name: str, apply: bool, *rows: str) -> list[str]:
        if apply:
            self.rows[name].update(rows)
        return list(rows)

    def _seen(self, kind: Kind) -> Seen | None:
        match kind:
            case Kind.AUDIT:
                return Seen(total=WORLD.accounts * WORLD.balance, accounts=dict(self.accounts))
            case Kind.READ_LIST:
                return Seen(name="list-0-0", items=list(self.items), number=len(self.items))
            case Kind.READ_COUNTER:
                return Seen(name="counter-0-0", number=self.n, logged=self.n)
            case _:
                return None


WRITES = (Kind.TRANSFER, Kind.APPEND, Kind.COUNT, Kind.NOTE)
READS = (Kind.AUDIT, Kind.READ_LIST, Kind.READ_COUNTER)


@pytest.fixture
def bank():
    """Every kind of operation three times, all of them well."""
    made = Bank()
    for _ in range(3):
        for kind in (*WRITES, *READS):
            made.do(kind)
    assert made.wrongs() == []
    return made


@given(st.lists(st.tuples(st.sampled_from(WRITES + READS), st.sampled_from(Outcome), st.booleans())), st.randoms())
def test_a_history_that_could_have_been_is_let_pass(steps, dice: random.Random):
    bank = Bank()
    for kind, outcome, applied in steps:
        done = {Outcome.OK: True, Outcome.FAILED: False}.get(outcome, applied)
        bank.do(kind, outcome, apply=done)
    dice.shuffle(bank.history)
    cuts = [Cut(0.0, 1, 1, 1, "COMMIT", one.id, "AFTER_FORWARD", "RST", ghost=False) for one in bank.history]
    notes = [replace(cut, verb="INSERT") for cut in cuts]
    assert bank.wrongs(Troubles(cuts=(*cuts, *notes))) == []


@given(st.lists(st.sampled_from(WRITES), min_size=1), st.data())
def test_wherever_a_write_is_taken_away_or_done_twice_it_is_seen(kinds, data):
    bank = Bank()
    for kind in kinds:
        bank.do(kind)
    victim = data.draw(st.sampled_from(sorted(bank.rows)))
    rows = dict(bank.rows)
    if data.draw(st.booleans()):
        rows[victim] = rows[victim] + rows[victim]
        assert (Wrong.DOUBLED, victim) in bank.wrongs(stored=replace(bank.stored(), rows=rows))
    else:
        del rows[victim]
        assert (Wrong.LOST, victim) in bank.wrongs(stored=replace(bank.stored(), rows=rows))


def test_an_acknowledged_write_that_is_not_there_is_lost(bank):
    name = bank.do(Kind.NOTE, apply=False)
    assert bank.wrongs() == [(Wrong.LOST, name)]


def test_a_part_of_a_write_is_half(bank):
    name = bank.do(Kind.NOTE)
    bank.history[-1] = replace(bank.history[-1], rows=("note", "leg 1"))
    assert bank.wrongs() == [(Wrong.HALF, name)]


def test_what_was_told_not_applied_must_not_be_there(bank):
    name = bank.do(Kind.APPEND, Outcome.FAILED)
    assert bank.wrongs() == [(Wrong.DENIED, name)]


def test_a_procedure_that_commits_by_itself_may_be_there_whatever_was_told(bank):
    bank.do(Kind.CALL, Outcome.FAILED)
    assert bank.wrongs() == []


def test_rows_of_nobody_are_strange(bank):
    bank.rows["op-9-9"].update(["note"])
    assert bank.wrongs() == [(Wrong.STRANGER, "op-9-9")]


def test_a_lost_update_breaks_the_chain_of_an_account(bank):
    entries = [
        replace(one, version=1, balance=95) if one.version == 2 and not one.account else one for one in bank.entries
    ]
    assert Wrong.BROKEN in [wrong for wrong, _ in bank.wrongs(stored=replace(bank.stored(), entries=entries))]


@pytest.mark.parametrize(
    "change",
    [
        {"accounts": {0: (3, 85), 1: (3, 116)}},
        {"lengths": {"list-0-0": 4}},
        {"counters": {"counter-0-0": 2}},
        {"lists": {"list-0-0": [(1, "op-1-2"), (1, "op-1-9"), (2, "op-1-16")]}},
    ],
)
def test_sums_and_positions_must_agree(bank, change):
    assert Wrong.BROKEN in [wrong for wrong, _ in bank.wrongs(stored=replace(bank.stored(), **change))]


def test_an_entry_of_another_transfer_is_broken(bank):
    entries = [replace(bank.entries[0], parent="op-1-8"), *bank.entries[1:]]
    assert bank.wrongs(stored=replace(bank.stored(), entries=entries)) == [(Wrong.BROKEN, "op-1-1")]


def test_what_was_acknowledged_first_stands_first(bank):
    first, second, third = bank.items
    bank.items[:] = [(1, second[1]), (2, first[1]), third]
    assert Wrong.BROKEN in [wrong for wrong, _ in bank.wrongs()]


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        pytest.param(Kind.AUDIT, Seen(total=199, accounts={0: (3, 85), 1: (3, 115)}), id="sum"),
        pytest.param(Kind.AUDIT, Seen(total=200, accounts={0: (3, 86), 1: (3, 114)}), id="balance that never was"),
        pytest.param(Kind.AUDIT, Seen(total=200, accounts={0: (2, 90), 1: (2, 110)}), id="old balances"),
        pytest.param(Kind.READ_LIST, Seen(name="list-0-0", items=[(1, "op-1-2")], number=1), id="old list"),
        pytest.param(Kind.READ_LIST, Seen(name="list-0-0", items=[(2, "op-1-2")], number=1), id="gap"),
        pytest.param(
            Kind.READ_LIST,
            Seen(name="list-0-0", items=[(1, "op-1-2"), (2, "op-1-9"), (3, "op-9-9")], number=3),
            id="item that never was",
        ),
        pytest.param(Kind.READ_COUNTER, Seen(name="counter-0-0", number=3, logged=2), id="half a step"),
        pytest.param(Kind.READ_COUNTER, Seen(name="counter-0-0", number=2, logged=2), id="old counter"),
        pytest.param(Kind.READ_COUNTER, Seen(name="counter-0-0", number=4, logged=4), id="future"),
    ],
)
def test_a_read_of_something_that_never_was_is_impossible(bank, kind, seen):
    name = bank.do(kind, seen=seen)
    assert bank.wrongs() == [(Wrong.IMPOSSIBLE, name)]


# -- doubt ------------------------------------------------------------------------------------------------


def cut(name: str, verb: str = "COMMIT", when: str = "AFTER_FORWARD", thread_id: int = 7, at: float = 21.5) -> Cut:
    return Cut(at, 1, 1, thread_id, verb, name, when, "RST", ghost=False)


@pytest.mark.parametrize(
    ("kind", "troubles", "really"),
    [
        (Kind.APPEND, lambda name: Troubles(cuts=[cut(name)]), True),
        (Kind.APPEND, lambda name: Troubles(cuts=[cut(name, "INSERT")]), False),
        (Kind.NOTE, lambda name: Troubles(cuts=[cut(name, "INSERT")]), True),
        (Kind.NOTE, lambda name: Troubles(cuts=[cut(name, "SET")]), False),
        (Kind.APPEND, lambda _name: Troubles(cuts=[cut("op-2-1")]), False),
        (Kind.NOTE, lambda _name: Troubles(cuts=[cut("op-2-1", "SET", "AFTER_REPLY")]), True),
        (Kind.NOTE, lambda _name: Troubles(cuts=[cut("op-2-1", "SET", "AFTER_REPLY", at=3.0)]), False),
        (Kind.APPEND, lambda _name: Troubles(kills=[(21.5, 7)]), True),
        (Kind.APPEND, lambda _name: Troubles(kills=[(21.5, 8)]), False),
        (Kind.APPEND, lambda _name: Troubles(kills=[(3.0, 7)]), False),
        (Kind.APPEND, lambda _name: Troubles(outages=[Outage(20.0, 22.0, crash=True)]), True),
        (Kind.APPEND, lambda _name: Troubles(outages=[Outage(3.0, 4.0, crash=True)]), False),
        (Kind.APPEND, lambda _name: Troubles(), False),
    ],
)
@pytest.mark.parametrize("applied", [False, True])
def test_unknown_must_be_really_ambiguous(bank, kind, troubles, really, applied):
    name = bank.do(kind, Outcome.UNKNOWN, apply=applied, losses=(LossSeen(7, "COMMIT", "COMMIT"),))
    assert bank.wrongs(troubles(name)) == ([] if really else [(Wrong.DOUBT, name)])


def test_with_the_witness_no_transaction_is_unknown(bank):
    rules = replace(RULES, witness=True)
    name = bank.do(Kind.APPEND, Outcome.UNKNOWN)
    note = bank.do(Kind.NOTE, Outcome.UNKNOWN)
    assert bank.wrongs(Troubles(cuts=[cut(name), cut(note, "INSERT")]), rules) == [(Wrong.UNSETTLED, name)]


# -- errors and time --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "wrong"),
    [
        (Known.RAW, Wrong.RAW),
        (Known.LOCK, Wrong.LOCK),
        (Known.POOL, Wrong.POOL),
        (Known.DEFECT, Wrong.DEFECT),
    ],
)
def test_errors_that_must_not_be_are_told(bank, known, wrong):
    name = bank.do(Kind.APPEND, Outcome.FAILED, apply=False, known=known)
    assert bank.wrongs() == [(wrong, name)]


def test_an_error_after_the_success_is_told(bank):
    name = bank.do(Kind.APPEND, late=True)
    assert bank.wrongs() == [(Wrong.LATE, name)]


@pytest.mark.parametrize(("outage", "stalls"), [(None, True), (Outage(21.0, 30.0, crash=False), False)])
def test_what_takes_too_long_is_told_unless_the_server_was_away(bank, outage, stalls):
    name = bank.do(Kind.AUDIT)
    bank.history[-1] = replace(bank.history[-1], ended=30.0)
    troubles = Troubles(outages=[outage] if outage else [])
    assert bank.wrongs(troubles) == ([(Wrong.STALL, name)] if stalls else [])
