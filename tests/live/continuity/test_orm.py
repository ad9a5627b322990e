"""A unit of work of the ORM, cut at every statement of it in turn: the application can't tell."""

from __future__ import annotations

import pytest

from stillhere.lab.wire import When

sqlalchemy = pytest.importorskip("sqlalchemy")
from sqlalchemy import ForeignKey, String, exc, select  # noqa: E402 - after the line that skips without it
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship  # noqa: E402 - as above

import stillhere  # noqa: E402 - as above
from stillhere.continuity.witness_table import creation  # noqa: E402 - as above


class Base(DeclarativeBase):
    """The models of this module."""


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), unique=True)
    books: Mapped[list[Book]] = relationship(back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(20))
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


def unit_of_work(engine):
    """Flushes, lazy loads, savepoints kept and undone, an expected error; what the application saw of it all."""
    seen = []
    with Session(engine) as session:
        author = Author(name="Le Guin", books=[Book(title="A"), Book(title="B")])
        session.add(author)
        session.flush()
        seen.append(len(author.books))
        with session.begin_nested():
            author.books.append(Book(title="C"))
        nested = session.begin_nested()
        author.books[0].title = "undone"
        session.flush()
        nested.rollback()
        try:
            with session.begin_nested():
                session.add(Author(name="old"))
                session.flush()
        except exc.IntegrityError:
            seen.append("refused")
        session.refresh(author)
        seen.append([book.title for book in author.books])
        old = session.scalars(select(Author).where(Author.name == "old")).one()
        seen.append([book.title for book in old.books])
        session.delete(old.books[0])
        session.commit()
    with Session(engine) as session:
        seen.append(sorted((b.title, b.author.name) for b in session.scalars(select(Book))))
    return seen


class Shelf:
    """The tables, put back to their first state before each run; an engine with one warm connection."""

    def __init__(self, room, **options):
        self.room = room
        self.engine = room.engine(stillhere.Policy(**options), pool_size=1)
        Base.metadata.create_all(self.engine)

    def reset(self):
        self.room.ask("DELETE FROM book")
        self.room.ask("DELETE FROM author")
        self.room.ask("INSERT INTO author (id, name) VALUES (1, 'old')")
        self.room.ask("INSERT INTO book (title, author_id) VALUES ('O', 1)")
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    def stored(self):
        return self.room.ask(
            "SELECT a.name, b.title FROM author a LEFT JOIN book b ON b.author_id = a.id ORDER BY 1, 2"
        )


def statement(command):
    return command.kind == "COM_QUERY"


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER_EXECUTED])
def test_a_unit_of_work_survives_a_cut_at_every_statement(room, when):
    """Without a witness the COMMIT alone is unknown, and says so; what is stored agrees with what was cut."""
    shelf = Shelf(room)
    shelf.reset()
    heard = room.overhear()
    expected = unit_of_work(shelf.engine)
    stored = shelf.stored()
    statements = [text for text in heard if text != "SELECT 1"]
    assert len(statements) >= 20
    unknown = 0
    for number, text in enumerate(statements, 1):
        shelf.reset()
        cut = room.cut(statement, when, every=number)
        if text == "COMMIT":
            before = shelf.stored()
            with pytest.raises(exc.OperationalError) as caught:
                unit_of_work(shelf.engine)
            assert isinstance(caught.value.orig, stillhere.CommitOutcomeUnknown)
            assert shelf.stored() == (before if when is When.BEFORE else stored)
            unknown += 1
        else:
            assert unit_of_work(shelf.engine) == expected, f"cut at {number}: {text}"
            assert shelf.stored() == stored, f"cut at {number}: {text}"
        assert cut.hits == 1, f"cut at {number}: {text}"
    assert unknown == 1


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER_EXECUTED])
def test_with_a_witness_a_unit_of_work_survives_a_cut_around_its_commit_too(room, when):
    for sql in creation(room.database):
        room.ask(sql)
    shelf = Shelf(room, witness=True)
    shelf.reset()
    heard = room.overhear()
    expected = unit_of_work(shelf.engine)
    stored = shelf.stored()
    statements = [text for text in heard if text != "SELECT 1"]
    commit = statements.index("COMMIT") + 1
    for number in (commit - 2, commit - 1, commit):
        shelf.reset()
        cut = room.cut(statement, when, every=number)
        assert unit_of_work(shelf.engine) == expected, f"cut at {number}: {statements[number - 1]}"
        assert shelf.stored() == stored
        assert cut.hits == 1
