"""After a fork: the child neither speaks on its parent's sockets nor ends them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import stillhere

SOURCE = Path(stillhere.__file__).parents[1]
PREAMBLE = """
import gc, os, sys
sys.path.insert(0, {source!r})
from stillhere.continuity import watchdog
from stillhere.continuity.endpoint import Endpoint
from stillhere.continuity.states import LinkState
from stillhere.errors import TransactionLost
from stillhere.policy import Policy
from stillhere.testing import fake_driver
from stillhere.testing.fake_driver import FAKE
from stillhere.testing.fake_server import FakeServer

server = FakeServer()
server.table("t", "id", "x").rows[1] = (1, 10)
endpoint = Endpoint(FAKE, Policy(detect_within=0), "forked:3306")
connection = endpoint.connect(lambda: fake_driver.connect(server=server, autocommit=AUTOCOMMIT))
connection._stillhere.ledger.end_prologue()

def run(sql):
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor

def inodes():
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink("/proc/self/fd/" + name))
        except OSError:
            pass
    return found

def wire():
    return os.readlink(f"/proc/self/fd/{{connection.fileno()}}")

def in_child(body):
    number = os.fork()
    if number == 0:
        try:
            body()
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0, "the child failed"
"""


def script(body: str, *, autocommit: bool = True) -> None:
    """Run it in a process of its own, which may fork without taking the test runner along."""
    text = PREAMBLE.format(source=str(SOURCE)).replace("AUTOCOMMIT", str(autocommit)) + textwrap.dedent(body)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_child_has_no_hold_on_the_parents_socket_and_writes_nothing_to_it():
    script("""
        run("SELECT x FROM t")
        mine, session = wire(), server.sessions[connection.thread_id()]
        session.read_wire()
        before = session.written

        def child():
            assert mine not in inodes()
            assert connection._stillhere.state is LinkState.DETACHED
            assert not connection.open
            globals().pop("connection").close()
            gc.collect()

        in_child(child)
        assert session.read_wire(), "the parent's connection was ended"
        assert session.written == before
        assert run("SELECT x FROM t").fetchall() == ((10,),)
        assert wire() == mine
    """)


def test_a_connection_that_was_just_being_opened_is_given_up_silently_as_well():
    script("""
        mine, session = wire(), server.sessions[connection.thread_id()]
        connection._stillhere.state = LinkState.OPENING
        in_child(lambda: None)
        assert session.read_wire(), "the parent's connection was ended"
        connection._stillhere.state = LinkState.READY
        assert run("SELECT x FROM t").fetchall() == ((10,),)
    """)


def test_the_child_goes_on_with_a_connection_of_its_own():
    script("""
        run("SET lock_wait_timeout = 5")
        number = connection.thread_id()

        def child():
            assert run("SELECT x FROM t").fetchall() == ((10,),)
            assert connection.thread_id() != number
            assert connection.session.variables == {"lock_wait_timeout": "5"}
            assert server.sent(b"KILL") == 0

        in_child(child)
        assert run("SELECT x FROM t").fetchall() == ((10,),)
        assert connection.thread_id() == number
    """)


def test_a_transaction_stays_the_parents():
    script(
        """
        run("UPDATE t SET x = 11 WHERE id = 1")

        def child():
            try:
                connection.commit()
            except TransactionLost as lost:
                assert "parent process" in str(lost)
            else:
                raise AssertionError("committed")
            connection.rollback()
            run("SELECT 1")

        in_child(child)
        connection.commit()
        assert server.tables["t"].rows[1] == (1, 11)
        """,
        autocommit=False,
    )


@pytest.mark.parametrize("lock", ["connection._stillhere.lock", "connection._stillhere.watching", "endpoint._lock"])
def test_a_lock_that_was_held_at_the_fork_is_free_in_the_child(lock):
    script(f"""
        def child():
            import signal
            signal.alarm(5)
            run("SELECT x FROM t")
            endpoint.suspect(b"SELECT 1")
            endpoint.dossier.note_own_kill()
            connection._stillhere.let_go(-100.0)

        with {lock}:
            in_child(child)
        run("SELECT x FROM t")
    """)
