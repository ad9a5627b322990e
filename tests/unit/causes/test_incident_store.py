"""The file of incidents: what it keeps and for whom, and that nothing that is wrong with it reaches a caller."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillhere.causes.incidents import Store, Unreadable, state_directory, store_path
from stillhere.events import Incident
from stillhere.findings import Evidence

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def incident(**changes):
    facts = {
        "at": NOW, "server": "db:3306", "cause": "killed", "certainty": 0.75, "sentence": "killed while idle",
        "done": "Replaced; nothing lost", "statement": "SELECT", "errno": 2013, "in_transaction": True,
        "evidence": (Evidence("Com_kill grew once", "SHOW GLOBAL STATUS"), Evidence("reset", "socket", supports=False)),
        "commands": ("SELECT 1",), "collect": ("the general log",),
    }  # fmt: skip
    return Incident(**{**facts, **changes})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "state" / "incidents.sqlite3", patience=0.2)


def run(code, *args):
    """A program of its own that has `Store`, `incident` and its arguments."""
    prelude = """
        import json, os, resource, sqlite3, sys, threading, time
        from datetime import datetime, timezone
        from pathlib import Path
        from stillhere.causes.incidents import Store
        from stillhere.events import Incident

        def incident(sentence="s"):
            facts = {"server": "db:1", "cause": "c", "certainty": 0.5, "done": "d"}
            return Incident(at=datetime.now(timezone.utc), sentence=sentence, **facts)

        store = Store(Path(sys.argv[1]))
    """
    source = textwrap.dedent(prelude) + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", source, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process):
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(out)


def test_what_was_added_is_read_back_newest_first(store):
    older, newer = incident(at=NOW - timedelta(hours=2)), incident()
    assert store.add([newer, older]) == ""
    assert store.read() == [newer, older]


def test_it_can_be_asked_for_a_time_a_server_and_a_number(store):
    one, two, three = (
        incident(server=server, at=NOW - timedelta(hours=age)) for server, age in (("a:1", 3), ("b:1", 2), ("a:1", 1))
    )
    store.add([one, two, three])
    assert store.read(server="a:1") == [three, one]
    assert store.read(since=NOW - timedelta(hours=2, minutes=30)) == [three, two]
    assert store.read(limit=1) == [three]


def test_a_store_that_is_not_there_has_no_incidents(store):
    assert store.read() == []
    assert not store.path.exists()


def test_it_is_its_owners_alone(store):
    store.add([incident()])
    assert {path.stat().st_mode & 0o777 for path in store.path.parent.iterdir()} == {0o600}
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_rows_are_bounded_and_the_oldest_go(store):
    store.max_rows = 10
    for number in range(25):
        store.add([incident(sentence=str(number), at=NOW + timedelta(seconds=number))])
    assert [one.sentence for one in store.read()] == [str(number) for number in range(24, 14, -1)]


def test_bytes_are_bounded_and_the_oldest_go(store):
    store.max_bytes = 300_000
    for number in range(40):
        store.add([incident(sentence=f"{number} {'x' * 900}", at=NOW + timedelta(seconds=number))] * 20)
    assert store.path.stat().st_size < 600_000
    kept = store.read()
    assert kept[0].sentence.startswith("39 ")
    assert 0 < len(kept) < 400


def test_texts_are_cut(store):
    store.add([incident(sentence="x" * 5000)])
    assert len(store.read()[0].sentence) == 1000


def test_locked_by_another_it_refuses_within_its_patience_and_takes_the_next(store):
    store.add([incident()])
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in store.add([incident()])
        other.execute("ROLLBACK")
    assert store.add([incident()]) == ""
    assert len(store.read()) == 2


def test_two_processes_write_ten_thousand_each(store):
    store.max_rows = 50_000
    code = """
        store.max_rows, store.patience = 50_000, 30.0
        refused = [store.add([incident(sys.argv[2])] * 100) for _ in range(100)]
        print(json.dumps([why for why in refused if why]))
    """
    writers = [run(code, store.path, name) for name in "ab"]
    assert [told(writer) for writer in writers] == [[], []]
    sentences = [one.sentence for one in store.read()]
    assert (sentences.count("a"), sentences.count("b")) == (10_000, 10_000)


def test_a_full_disk_costs_the_incidents_that_do_not_fit(store):
    code = """
        first = store.add([incident()])
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        full = [store.add([incident("x" * 900)] * 50) for _ in range(5)]
        print(json.dumps([first, [bool(why) for why in full]]))
    """
    first, full = told(run(code, store.path))
    assert first == ""
    assert full[-1] is True
    assert store.read()[-1].sentence == "s"


def test_garbage_is_put_aside_once(store):
    store.path.parent.mkdir()
    store.path.write_bytes(b"no database " * 1000)
    assert store.add([incident()]) == ""
    assert store.read() == [incident()]
    aside = store.path.with_name("incidents.sqlite3.damaged")
    assert aside.read_bytes().startswith(b"no database")
    store.path.write_bytes(b"again" * 1000)
    assert "DatabaseError" in store.add([incident()])
    assert store.path.read_bytes().startswith(b"again")


def test_garbage_that_is_only_read_is_named(store):
    store.path.parent.mkdir()
    store.path.write_bytes(b"no database " * 1000)
    with pytest.raises(Unreadable, match=r"incidents\.sqlite3 can't be read"):
        store.read()


def test_a_page_that_was_overwritten_is_damage_too(store):
    store.add([incident(sentence="x" * 900)] * 200)
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(store.path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 8] = b"\xff" * 8
    store.path.write_bytes(data)
    assert store.add([incident()]) == ""
    assert len(store.read()) == 1


def test_a_directory_in_its_place_is_left_alone(store):
    (store.path / "something").mkdir(parents=True)
    assert store.add([incident()]) != ""
    assert (store.path / "something").is_dir()
    with pytest.raises(Unreadable):
        store.read()


def test_a_file_in_its_directorys_place_is_left_alone(store):
    store.path.parent.write_text("a file")
    assert store.add([incident()]) != ""
    assert store.path.parent.read_text() == "a file"


def test_without_the_right_to_write_nothing_is_written(store):
    store.add([incident()])
    store.path.chmod(0o644)
    store.path.parent.chmod(0o755)
    code = """
        if os.geteuid() == 0:
            os.setuid(65534)
        else:
            Path(sys.argv[1]).chmod(0o444), Path(sys.argv[1]).parent.chmod(0o555)
        print(json.dumps(store.add([incident()])))
    """
    assert told(run(code, store.path)) != ""
    store.path.parent.chmod(0o755)
    assert len(store.read()) == 1


def test_what_a_later_release_wrote_is_not_touched(store):
    store.add([incident()])
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    assert "later release" in store.add([incident()])
    with pytest.raises(Unreadable, match="later release"):
        store.read()


def test_children_forked_while_it_is_written_can_write_it(store):
    code = """
        stop = threading.Event()
        def write():
            while not stop.is_set():
                store.add([incident("parent")] * 20)
        writer = threading.Thread(target=write)
        writer.start()
        children = []
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                store.patience = 20.0
                os._exit(1 if store.add([incident("child")]) else 0)
            children.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        stop.set()
        writer.join()
        print(json.dumps(codes))
    """
    assert told(run(code, store.path)) == [0] * 20
    assert [one.sentence for one in store.read()].count("child") == 20


@pytest.mark.parametrize(
    ("surroundings", "expected"),
    [
        ({"STILLHERE_STATE": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/s"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/stillhere"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/stillhere"),
        ({"HOME": "/h"}, "/h/.local/state/stillhere"),
    ],
)
def test_where_it_is_kept(monkeypatch, surroundings, expected):
    for name in ("STILLHERE_STATE", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    assert state_directory() == Path(expected)
    assert store_path() == Path(expected) / "incidents.sqlite3"


def test_an_account_without_a_home_keeps_nothing(monkeypatch):
    def no_home():
        raise RuntimeError("no home")

    monkeypatch.delenv("STILLHERE_STATE", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert store_path() is None


def test_the_lock_is_free_after_a_fork_in_both(store):
    store.add([incident()])
    pid = os.fork()
    if pid == 0:
        os._exit(1 if store.add([incident()]) else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert store.add([incident()]) == ""
    assert len(store.read()) == 3
