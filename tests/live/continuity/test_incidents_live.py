"""Real losses on real servers: the cause that is named, what is kept of it, and that nobody waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from stillhere import Policy, events
from stillhere.causes.incidents import Store, store_path
from stillhere.errors import CommitOutcomeUnknown
from stillhere.lab.wire import When

SETTLED_AFTER = 4
IDLE_LIMIT = "SET SESSION wait_timeout = 1"


@pytest.fixture
def inquiring(room, tmp_path, monkeypatch):
    """The thread inquires; how to wait for the incidents of so many losses."""
    monkeypatch.setenv("STILLHERE_STATE", str(tmp_path))

    def incidents(count=1):
        room.wait_until(lambda: len(room.recorded(events.Incident)) >= count, 20.0)
        return room.recorded(events.Incident)

    return incidents


@pytest.fixture
def connect(room, run, inquiring):
    """A connection whose counters have been read, so that there is something to compare with."""

    def connect(**options):
        # The clock of a server that was started just now can't tell whether it was started again.
        room.wait_until(lambda: int(room.server.execute("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]) >= SETTLED_AFTER)
        connection = room.connect(Policy(**options.pop("policy", {})), **{"autocommit": True, **options})
        dossier = connection._stillhere.endpoint.dossier
        opened = connection._stillhere.facts
        room.wait_until(lambda: dossier.last_sample is not None and dossier.last_sample.facts is not opened)
        time.sleep(0.3)  # counters from within the time in which a killed thread may still reply prove nothing
        run(connection, "SELECT 1")
        return connection

    return connect


def store():
    path = store_path()
    assert path is not None
    return Store(path)


def test_a_session_limit_that_ended_an_idle_connection_is_named_with_where_it_differs(room, run, connect, inquiring):
    connection = connect(init_command=IDLE_LIMIT)
    room.wait_until(lambda: not room.processes(f"ID = {connection._stillhere.facts.thread_id}"))
    run(connection, "SELECT 1")
    [incident] = inquiring()
    assert incident.cause in {"session_timeout", "idle_timeout"}
    assert "wait_timeout is 1 s" in incident.sentence
    assert (incident.done, incident.error) == ("Replaced; nothing lost", "")


def test_a_kill_of_an_idle_connection_is_named(room, run, connect, inquiring):
    connection = connect()
    room.kill(connection._stillhere.facts.thread_id)
    run(connection, "SELECT 1")
    [incident] = inquiring()
    assert incident.cause == "killed"


def test_our_own_kill_of_a_ghost_is_nobodys(room, rows, run, connect, inquiring):
    connection = connect(autocommit=False, policy={"detect_within": 0.5})
    run(connection, "UPDATE t SET v = 0 WHERE id = 1")
    room.wire.black_hole(to_server=True, to_client=True)
    run(connection, "SELECT v FROM t WHERE id = 2")
    assert connection._stillhere.endpoint.own_kills == 1
    assert [one.cause for one in inquiring()] == ["network_lost"]


def test_a_reset_is_the_networks(room, run, connect, inquiring):
    connection = connect()
    room.lose_idle()
    run(connection, "SELECT 1")
    [incident] = inquiring()
    assert incident.cause == "network_lost"
    assert "the server ran on" in incident.sentence


def test_a_lost_reply_to_commit_is_noted_at_once_and_named_later(room, rows, run, connect, inquiring):
    connection = connect(autocommit=False)
    run(connection, "UPDATE t SET v = 0 WHERE id = 1")
    room.cut("COMMIT", When.AFTER_EXECUTED)
    with pytest.raises(CommitOutcomeUnknown) as caught:
        connection.commit()
    [note] = caught.value.__notes__
    assert note.startswith("stillhere: ")
    assert "Not sent again: it may have been committed." in note
    [incident] = inquiring()
    assert (incident.cause, incident.error, incident.statement) == ("network_lost", "CommitOutcomeUnknown", "COMMIT")


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["crash", "server_restart"])
def test_a_crash_and_a_shutdown_in_order_are_told_apart(room, run, connect, inquiring, ending):
    connection = connect()
    time.sleep(2.5)  # the server's clock tells lives apart by whole seconds
    if ending == "crash":
        room.server.crash()
    else:
        room.server.stop()
    room.server.start()
    run(connection, "SELECT 1")
    assert {one.cause for one in inquiring()} == {ending}


def test_what_was_found_is_kept_without_a_value_of_the_applications(room, rows, run, connect, inquiring):
    connection = connect()
    room.cut("SELECT", When.BEFORE)
    run(connection, "SELECT v FROM t WHERE v = %s", ("hunter2",))
    [incident] = inquiring()
    room.wait_until(lambda: store().read())
    [kept] = store().read()
    assert kept.sentence == incident.sentence
    assert b"hunter2" not in store().path.read_bytes()


def test_nothing_is_asked_over_the_applications_own_connection(room, run, connect, inquiring):
    connection = connect()
    own = connection._stillhere.facts.thread_id
    heard = []
    room.cut(lambda command: heard.append((command.thread_id, command.bare)) or False)
    room.kill(own)
    run(connection, "SELECT 1")
    inquiring()
    successor = connection._stillhere.facts.thread_id
    asked = [words for thread, words in heard if thread in {own, successor}]
    assert not any("GLOBAL STATUS" in words for words in asked)
    assert any("GLOBAL STATUS" in words for _, words in heard)


def test_an_account_without_rights_still_learns_what_it_may(room, run, connect, inquiring):
    room.ask("CREATE USER IF NOT EXISTS poor@'127.0.0.1' IDENTIFIED BY 'poor'")
    room.ask(f"GRANT SELECT ON {room.database}.* TO poor@'127.0.0.1'")
    connection = connect(user="poor", password="poor")
    room.kill(connection._stillhere.facts.thread_id)
    run(connection, "SELECT 1")
    [incident] = inquiring()
    assert incident.cause == "killed", incident


PROGRAM = """
import json, sys, threading
import {module} as dbapi
import stillhere
from stillhere.continuity import asking
asked = threading.Event()

def hang(*_):
    asked.set()
    threading.Event().wait()

asking.ask = hang
connection = stillhere.connect(dbapi, autocommit=True, **json.loads(sys.argv[1]))
cursor = connection.cursor()
cursor.execute("SELECT CONNECTION_ID()")
try:
    cursor.execute("KILL %d" % cursor.fetchone())
except Exception:
    pass
cursor.execute("SELECT 1")
print(asked.wait(20), cursor.fetchone()[0])
"""


def test_an_inquiry_that_hangs_holds_up_neither_statements_nor_exit(room):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=room.dbapi.__name__), json.dumps(room.arguments())],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("True 1\n", "", 0)
