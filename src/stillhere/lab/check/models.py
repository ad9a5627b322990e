"""The bank, its lists and its counters: tables, their first rows, and reading all of it back.

No operation id is unique in its table: a write that is applied twice is to be seen, not to be refused.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict

from sqlalchemy import Engine, ForeignKey, String, insert, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from stillhere.lab.check.history import Entry, Stored

__all__ = [
    "Account",
    "Base",
    "Count",
    "Head",
    "Item",
    "Leg",
    "Line",
    "Note",
    "Post",
    "Tick",
    "Transfer",
    "fill",
    "read_back",
]

_ID = String(40)


class Base(DeclarativeBase):
    """The tables of a check."""


class Account(Base):
    """A balance; its version counts the entries that made it."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    balance: Mapped[int]
    version: Mapped[int]


class Transfer(Base):
    """Money from one account to another."""

    __tablename__ = "transfers"
    id: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str] = mapped_column(_ID, index=True)
    lines: Mapped[list[Line]] = relationship()


class Line(Base):
    """One of a transfer's two legs."""

    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfers.id"))
    op: Mapped[str] = mapped_column(_ID)
    account: Mapped[int]
    amount: Mapped[int]
    version: Mapped[int]
    balance: Mapped[int]


class Head(Base):
    """A list: whoever appends to it locks this row."""

    __tablename__ = "lists"
    name: Mapped[str] = mapped_column(_ID, primary_key=True)
    length: Mapped[int]


class Item(Base):
    """An element of a list."""

    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(_ID, index=True)
    pos: Mapped[int]
    op: Mapped[str] = mapped_column(_ID)


class Count(Base):
    """A counter."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(_ID, primary_key=True)
    n: Mapped[int]


class Tick(Base):
    """One step of a counter."""

    __tablename__ = "ticks"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(_ID, index=True)
    op: Mapped[str] = mapped_column(_ID)


class Note(Base):
    """What is inserted with autocommit."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str] = mapped_column(_ID)


class Leg(Base):
    """A part of an operation in several statements."""

    __tablename__ = "legs"
    id: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str] = mapped_column(_ID)
    leg: Mapped[int]


class Post(Base):
    """What the stored procedure inserts and commits."""

    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str] = mapped_column(_ID)


PROCEDURE = "post_and_commit"
"""Inserts into `Post`, and commits."""


def fill(engine: Engine, accounts: int, balance: int, lists: list[str], counters: list[str]) -> None:
    """Make the tables anew, with their first rows."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text(f"DROP PROCEDURE IF EXISTS {PROCEDURE}"))
        connection.execute(
            text(
                f"CREATE PROCEDURE {PROCEDURE}(given VARCHAR(40)) MODIFIES SQL DATA "  # noqa: S608 - a constant
                "BEGIN INSERT INTO posts (op) VALUES (given); COMMIT; END"
            )
        )
        connection.execute(
            insert(Account), [{"id": number, "balance": balance, "version": 0} for number in range(accounts)]
        )
        connection.execute(insert(Head), [{"name": name, "length": 0} for name in lists])
        connection.execute(insert(Count), [{"name": name, "n": 0} for name in counters])


def read_back(engine: Engine) -> Stored:
    """All that is stored, in one snapshot."""
    with engine.connect() as connection:
        run = connection.execute
        rows: defaultdict[str, Tally[str]] = defaultdict(Tally)
        parents = {row[0]: row[1] for row in run(select(Transfer.id, Transfer.op))}
        for op in parents.values():
            rows[op]["transfer"] += 1
        entries = []
        for line in run(select(Line.op, Line.transfer_id, Line.account, Line.amount, Line.version, Line.balance)):
            entries.append(Entry(line.op, parents.get(line.transfer_id, ""), *line[2:]))
            rows[line.op][f"entry of {line.account}"] += 1
        lists: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for name, pos, op in run(select(Item.name, Item.pos, Item.op).order_by(Item.name, Item.pos, Item.id)):
            lists[name].append((pos, op))
            rows[op][f"item of {name}"] += 1
        for name, op in run(select(Tick.name, Tick.op)):
            rows[op][f"tick of {name}"] += 1
        for op, leg in run(select(Leg.op, Leg.leg)):
            rows[op][f"leg {leg}"] += 1
        for label, column in (("note", Note.op), ("post", Post.op)):
            for (op,) in run(select(column)):
                rows[op][label] += 1
        return Stored(
            rows=dict(rows),
            entries=entries,
            accounts={
                number: (version, balance)
                for number, version, balance in run(select(Account.id, Account.version, Account.balance))
            },
            lists=dict(lists),
            lengths={row[0]: row[1] for row in run(select(Head.name, Head.length))},
            counters={row[0]: row[1] for row in run(select(Count.name, Count.n))},
        )
