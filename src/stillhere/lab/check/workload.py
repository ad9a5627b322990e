"""What clients do: plans drawn from a seed, and how each is carried out through SQLAlchemy."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from stillhere.lab.check.history import Kind, Seen
from stillhere.lab.check.models import (
    PROCEDURE,
    Account,
    Count,
    Head,
    Item,
    Leg,
    Line,
    Note,
    Tick,
    Transfer,
)

__all__ = ["Conflict", "Deed", "Plan", "World", "carry_out", "plans"]

_WEIGHTS = {
    Kind.TRANSFER: 4,
    Kind.OPTIMISTIC: 2,
    Kind.APPEND: 3,
    Kind.COUNT: 3,
    Kind.NOTE: 2,
    Kind.SAVEPOINT: 2,
    Kind.CARELESS: 1,
    Kind.CALL: 1,
    Kind.AUDIT: 2,
    Kind.READ_LIST: 1,
    Kind.READ_COUNTER: 1,
}
_LEGS = (1, 2, 3)
_PER_CHAPTER = 50
_ROLLED_BACK = frozenset({1205, 1213})


class Conflict(Exception):
    """An optimistic transfer met another one; nothing of it is stored."""


@dataclass(frozen=True)
class World:
    """How much there is to work on; few of each, so that clients meet.

    Attributes:
        accounts: how many.
        balance: of each at first.
        lists: how many at a time, and counters likewise.
        chapters: lists and counters are left for fresh ones after so many operations of a client, so that they
            stay short; this many times, then the first come again.
    """

    accounts: int = 6
    balance: int = 1000
    lists: int = 2
    chapters: int = 40

    def names(self, kind: str) -> list[str]:
        """The names of all lists, or of all counters."""
        return [f"{kind}-{chapter}-{n}" for chapter in range(self.chapters) for n in range(self.lists)]


@dataclass(frozen=True)
class Plan:
    """One operation, decided before it is tried.

    Attributes:
        id: unique, of the form ``op-CLIENT-NUMBER``.
        kind: see there.
        source: account to take from.
        target: account to give to.
        amount: how much.
        name: list or counter.
        twist: whether a savepoint is rolled back, or a reading transaction committed.
    """

    id: str
    kind: Kind
    source: int = 0
    target: int = 0
    amount: int = 0
    name: str = ""
    twist: bool = False


@dataclass
class Deed:
    """How far a plan has come.

    Attributes:
        rows: labels of the rows that its success means.
        acknowledged: its COMMIT, or its one autocommitted statement, has returned.
        seen: what it read.
    """

    rows: list[str] = field(default_factory=list)
    acknowledged: bool = False
    seen: Seen | None = None


def plans(seed: int, client: int, world: World) -> Iterator[Plan]:
    """What a client does, one after the other, without end; the same for the same seed."""
    dice = random.Random(f"{seed}/client/{client}")  # noqa: S311 - to be repeated, not to be secret
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    number = 0
    while True:
        number += 1
        kind = dice.choices(kinds, weights)[0]
        source, target = dice.sample(range(world.accounts), 2)
        chapter = number // _PER_CHAPTER % world.chapters
        noun = "counter" if kind in {Kind.COUNT, Kind.READ_COUNTER} else "list"
        yield Plan(
            id=f"op-{client}-{number}",
            kind=kind,
            source=source,
            target=target,
            amount=dice.randint(1, 9),
            name=f"{noun}-{chapter}-{dice.randrange(world.lists)}",
            twist=bool(dice.getrandbits(1)),
        )


def carry_out(plan: Plan, engine: Engine, deed: Deed) -> None:
    """Try the plan once; raises what the database, or SQLAlchemy, raises.

    Args:
        plan: what to do.
        engine: through which.
        deed: told how far it has come.
    """
    _HOW[plan.kind](plan, engine, deed)


def _transfer(plan: Plan, engine: Engine, deed: Deed) -> None:
    with Session(engine) as session:
        wanted = select(Account).where(Account.id.in_([plan.source, plan.target])).order_by(Account.id)
        found = {account.id: account for account in session.scalars(wanted.with_for_update())}
        lines = []
        for number, amount in _legs(plan):
            account = found[number]
            account.balance += amount
            account.version += 1
            lines.append(_line(plan, number, amount, account.version, account.balance))
        _store_transfer(plan, session, deed, lines)


def _optimistic(plan: Plan, engine: Engine, deed: Deed) -> None:
    with Session(engine) as session:
        lines = []
        for number, amount in sorted(_legs(plan)):
            balance, version = session.execute(
                select(Account.balance, Account.version).where(Account.id == number)
            ).one()
            lines.append(_line(plan, number, amount, version + 1, balance + amount))
        for line in lines:
            change = update(Account).where(Account.id == line.account, Account.version == line.version - 1)
            done: Any = session.execute(change.values(balance=line.balance, version=line.version))
            if done.rowcount != 1:
                raise Conflict(f"account {line.account} was changed by another")
        _store_transfer(plan, session, deed, lines)


def _legs(plan: Plan) -> list[tuple[int, int]]:
    return [(plan.source, -plan.amount), (plan.target, plan.amount)]


def _line(plan: Plan, account: int, amount: int, version: int, balance: int) -> Line:
    return Line(op=plan.id, account=account, amount=amount, version=version, balance=balance)


def _store_transfer(plan: Plan, session: Session, deed: Deed, lines: list[Line]) -> None:
    session.add(Transfer(op=plan.id, lines=lines))
    _commit(session, deed, "transfer", *(f"entry of {line.account}" for line in lines))


def _append(plan: Plan, engine: Engine, deed: Deed) -> None:
    with Session(engine) as session:
        head = session.get_one(Head, plan.name, with_for_update=True)
        last = session.scalar(select(func.max(Item.pos)).where(Item.name == plan.name)) or 0
        head.length += 1
        session.add(Item(name=plan.name, pos=last + 1, op=plan.id))
        _commit(session, deed, f"item of {plan.name}")


def _count(plan: Plan, engine: Engine, deed: Deed) -> None:
    with Session(engine) as session:
        session.execute(update(Count).where(Count.name == plan.name).values(n=Count.n + 1))
        session.add(Tick(name=plan.name, op=plan.id))
        _commit(session, deed, f"tick of {plan.name}")


def _note(plan: Plan, engine: Engine, deed: Deed) -> None:
    deed.rows = ["note"]
    with engine.connect() as bare:
        connection = bare.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(insert(Note).values(op=plan.id))
        deed.acknowledged = True


def _savepoint(plan: Plan, engine: Engine, deed: Deed) -> None:
    with Session(engine) as session:
        session.add(Leg(op=plan.id, leg=1))
        nested = session.begin_nested()
        session.add(Leg(op=plan.id, leg=2))
        session.flush()
        if plan.twist:
            nested.rollback()
        else:
            nested.commit()
        session.add(Leg(op=plan.id, leg=3))
        _commit(session, deed, *(f"leg {leg}" for leg in _LEGS if leg != 2 or not plan.twist))  # noqa: PLR2004


def _careless(plan: Plan, engine: Engine, deed: Deed) -> None:
    with engine.connect() as bare:
        connection = bare.execution_options(stillhere_replay=False)
        for leg in _LEGS:
            try:
                connection.execute(insert(Leg).values(op=plan.id, leg=leg))
            except DBAPIError as error:
                if error.orig is not None and error.orig.args[:1] and error.orig.args[0] in _ROLLED_BACK:
                    raise
            else:
                deed.rows.append(f"leg {leg}")
        connection.commit()
        deed.acknowledged = True


def _call(plan: Plan, engine: Engine, deed: Deed) -> None:
    deed.rows = ["post"]
    with engine.connect() as connection:
        connection.execute(text(f"CALL {PROCEDURE}(:op)"), {"op": plan.id})
        connection.commit()
        deed.acknowledged = True


def _audit(plan: Plan, engine: Engine, deed: Deed) -> None:
    with Session(engine) as session:
        accounts = {
            number: (version, balance)
            for number, version, balance in session.execute(select(Account.id, Account.version, Account.balance))
        }
        total = session.scalar(select(func.sum(Account.balance)))
        _end_reading(plan, session, deed, Seen(total=int(total or 0), accounts=accounts))


def _read_list(plan: Plan, engine: Engine, deed: Deed) -> None:
    with Session(engine) as session:
        wanted = select(Item.pos, Item.op).where(Item.name == plan.name).order_by(Item.pos, Item.id)
        items = [(pos, op) for pos, op in session.execute(wanted)]
        length = session.scalar(select(Head.length).where(Head.name == plan.name)) or 0
        _end_reading(plan, session, deed, Seen(name=plan.name, items=items, number=length))


def _read_counter(plan: Plan, engine: Engine, deed: Deed) -> None:
    with Session(engine) as session:
        number = session.scalar(select(Count.n).where(Count.name == plan.name)) or 0
        logged = session.scalar(select(func.count()).select_from(Tick).where(Tick.name == plan.name)) or 0
        _end_reading(plan, session, deed, Seen(name=plan.name, number=number, logged=logged))


def _end_reading(plan: Plan, session: Session, deed: Deed, seen: Seen) -> None:
    if plan.twist:
        session.commit()
    else:
        session.rollback()
    deed.seen = seen
    deed.acknowledged = True


def _commit(session: Session, deed: Deed, *rows: str) -> None:
    deed.rows = list(rows)
    session.commit()
    deed.acknowledged = True


_HOW: dict[Kind, Callable[[Plan, Engine, Deed], None]] = {
    Kind.TRANSFER: _transfer,
    Kind.OPTIMISTIC: _optimistic,
    Kind.APPEND: _append,
    Kind.COUNT: _count,
    Kind.NOTE: _note,
    Kind.SAVEPOINT: _savepoint,
    Kind.CARELESS: _careless,
    Kind.CALL: _call,
    Kind.AUDIT: _audit,
    Kind.READ_LIST: _read_list,
    Kind.READ_COUNTER: _read_counter,
}
