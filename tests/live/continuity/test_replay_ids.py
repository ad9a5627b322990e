"""Generated ids over a replay: they are those that the application has seen, whatever others took meanwhile."""

from __future__ import annotations

import pytest

sqlalchemy = pytest.importorskip("sqlalchemy")
from sqlalchemy import ForeignKey, select  # noqa: E402 - after the line that skips without it
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column  # noqa: E402 - as above

INSERTS = {
    "one row": "INSERT INTO t (v) VALUES (1)",
    "several rows": "INSERT INTO t (v) VALUES (1), (2), (3)",
    "from a query": "INSERT INTO t (v) SELECT v FROM source",
}


@pytest.fixture
def source(room, table):
    """``source (v)`` with the rows 7, 8, 9; and one row in ``t``."""
    room.ask("CREATE TABLE source (v INT)")
    room.ask("INSERT INTO source VALUES (7), (8), (9)")
    room.ask("INSERT INTO t (v) VALUES (0)")


def take_ids(room, count=5):
    """Another session takes the next ids, and keeps them; none of them is the application's."""
    for _ in range(count):
        room.ask("INSERT INTO t (v) VALUES (-1)")


@pytest.mark.parametrize("increment", [1, 2])
@pytest.mark.parametrize("sql", INSERTS.values(), ids=INSERTS)
def test_ids_come_out_the_same_though_others_took_some(room, source, run, sql, increment):
    connection = room.connect()
    if increment > 1:
        run(connection, f"SET auto_increment_increment = {increment}")
    take_ids(room)
    run(connection, sql)
    seen = run(connection, "SELECT id, v FROM t WHERE v > 0 ORDER BY id")
    take_ids(room)
    run(connection, sql)
    room.lose_idle()
    take_ids(room, 2)
    assert run(connection, "SELECT id, v FROM t WHERE v > 0 ORDER BY id")[: len(seen)] == seen
    connection.commit()
    assert room.actions == ["REPLAY"]
    stored = room.ask("SELECT id, v FROM t WHERE v > 0 ORDER BY id")
    assert tuple(stored[: len(seen)]) == seen
    assert len(stored) == 2 * len(seen)


def test_the_id_after_a_replay_is_a_fresh_one(room, table, run):
    """A forced id must not be left over for the application's next INSERT."""
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (1)")
    room.lose_idle()
    run(connection, "INSERT INTO t (v) VALUES (2)")
    run(connection, "INSERT INTO t (v) VALUES (3)")
    connection.commit()
    ids = [i for (i,) in room.ask("SELECT id FROM t ORDER BY id")]
    assert ids[0] == 1
    assert len(set(ids)) == 3


def test_an_id_that_the_application_gave_is_not_forced(room, table, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (id, v) VALUES (77, 1)")
    run(connection, "INSERT INTO t VALUES (78, 2)")
    room.lose_idle()
    run(connection, "INSERT INTO t (v) VALUES (3)")
    connection.commit()
    assert [v for (v,) in room.ask("SELECT v FROM t ORDER BY id")] == [1, 2, 3]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO u (k, v) VALUES (1, 5) ON DUPLICATE KEY UPDATE v = v + 1",
        "INSERT IGNORE INTO u (k, v) VALUES (1, 5)",
        "REPLACE INTO u (id, k, v) VALUES (1, 1, 6)",
    ],
    ids=lambda sql: " ".join(sql.split()[:2]),
)
def test_what_may_meet_an_existing_row_is_replayed_without_a_forced_id(room, run, sql):
    room.ask("CREATE TABLE u (id INT AUTO_INCREMENT PRIMARY KEY, k INT UNIQUE, v INT)")
    room.ask("INSERT INTO u (k, v) VALUES (1, 10), (2, 20)")
    connection = room.connect()
    run(connection, sql)
    seen = run(connection, "SELECT id, k, v FROM u ORDER BY id")
    room.lose_idle()
    heard = room.overhear()
    assert run(connection, "SELECT id, k, v FROM u ORDER BY id") == seen
    connection.commit()
    assert not [text for text in heard if "INSERT_ID" in text]


@pytest.mark.parametrize("way", ["execute", "executemany"])
def test_several_rows_with_on_duplicate_key_update_are_refused(room, run, way):
    room.ask("CREATE TABLE u (id INT AUTO_INCREMENT PRIMARY KEY, k INT UNIQUE, v INT)")
    connection = room.connect()
    if way == "execute":
        run(connection, "INSERT INTO u (k, v) VALUES (1, 1), (2, 2) ON DUPLICATE KEY UPDATE v = 0")
    else:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO u (k, v) VALUES (%s, %s) ON DUPLICATE KEY UPDATE v = 0", [(1, 1), (2, 2)])
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT 1")
    assert any("ON DUPLICATE KEY UPDATE" in note for note in caught.value.__notes__)
    connection.rollback()


@pytest.mark.parametrize("lock_mode", [1, 2])
def test_ids_are_the_same_under_either_lock_mode(room, source, run, lock_mode):
    before = room.ask("SELECT @@innodb_autoinc_lock_mode")[0][0]
    if before != lock_mode:
        pytest.skip(f"the server runs with lock mode {before}")
    connection = room.connect()
    run(connection, "INSERT INTO t (v) SELECT v FROM source")
    take_ids(room)
    seen = run(connection, "SELECT id FROM t WHERE v >= 7 ORDER BY id")
    room.lose_idle()
    assert run(connection, "SELECT id FROM t WHERE v >= 7 ORDER BY id") == seen
    connection.rollback()


class Base(DeclarativeBase):
    """The models of this module."""


class Parent(Base):
    __tablename__ = "parent"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sqlalchemy.String(20))


class Child(Base):
    __tablename__ = "child"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parent.id"))


def test_ids_that_the_orm_reads_from_returning_come_out_the_same(room):
    """On MariaDB the ORM inserts with RETURNING, on MySQL it reads ``lastrowid``."""
    engine = room.engine()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        parents = [Parent(name=f"p{n}") for n in range(3)]
        session.add_all(parents)
        session.flush()
        ids = [parent.id for parent in parents]
        session.add_all(Child(parent_id=number) for number in ids)
        session.flush()
        room.lose_idle()
        room.ask("INSERT INTO parent (name) VALUES ('other')")
        assert session.scalars(select(Parent.id).where(Parent.name != "other").order_by(Parent.id)).all() == ids
        session.commit()
    assert "REPLAY" in room.actions
    assert [i for (i,) in room.ask("SELECT parent_id FROM child ORDER BY id")] == ids
