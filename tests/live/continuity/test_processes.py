"""Forks, threads and interruptions: nobody speaks on another's socket, nobody reads another's rows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import stillhere

PRELUDE = """
import json, os, signal, sys, threading, time
import {module} as dbapi
import stillhere
connection = stillhere.connect(dbapi, **json.loads(sys.argv[1]))

def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()

def child(act):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = json.dumps(act())
        except BaseException as error:
            answer = json.dumps([type(error).__name__, str(error)])
        os.write(writer, answer.encode())
        import gc
        gc.collect()
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = json.load(pipe)
    os.waitpid(pid, 0)
    return answer
"""


@pytest.fixture
def program(room):
    """Run a program of its own with a connection to the room; what it printed as JSON."""

    def run(body, **kwargs):
        source = PRELUDE.format(module=room.dbapi.__name__) + body
        done = subprocess.run(
            [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", source,
             json.dumps(room.arguments(**kwargs))],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_child_gets_a_connection_of_its_own_and_the_parents_goes_on(program):
    before, child, after = program(
        """
before = ask("SELECT CONNECTION_ID()")[0][0]
of_child = child(lambda: ask("SELECT CONNECTION_ID()")[0][0])
print(json.dumps([before, of_child, ask("SELECT CONNECTION_ID()")[0][0]]))
""",
        autocommit=True,
    )
    assert before == after != child
    assert isinstance(child, int)


def test_a_child_does_not_continue_its_parents_transaction(room, rows, program):
    child, total = program(
        """
ask("UPDATE t SET v = 0 WHERE id = 1")
of_child = child(lambda: ask("SELECT SUM(v) FROM t"))
connection.commit()
print(json.dumps([of_child, int(ask("SELECT SUM(v) FROM t")[0][0])]))
"""
    )
    assert child[0] == "TransactionLost"
    assert "parent process" in child[1]
    assert total == 50
    assert room.ask("SELECT SUM(v) FROM t") == [(50,)]


def test_a_child_that_ends_without_using_the_connection_leaves_it_alone(program):
    before, after = program(
        """
before = ask("SELECT CONNECTION_ID()")[0][0]
def forget():
    global connection
    connection = None
    return 1
child(forget)
print(json.dumps([before, ask("SELECT CONNECTION_ID()")[0][0]]))
""",
        autocommit=True,
    )
    assert before == after


@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupted_query_never_hands_its_rows_to_the_next(room, rows, program, begun):
    interrupted, lost, rows_of_next, same = program(
        f"""
begun = {begun}
if begun:
    ask("UPDATE t SET v = 0 WHERE id = 1")
before = connection.thread_id()
def interrupt():
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
interrupted = lost = ""
try:
    ask("SELECT 'of the first', SLEEP(1.5)")
except KeyboardInterrupt:
    interrupted = "KeyboardInterrupt"
try:
    ask("SELECT 'of the second'")
except stillhere.TransactionLost as error:
    lost = str(error)
    connection.rollback()
rows = [ask("SELECT 'of the next'") for _ in range(3)]
connection.rollback()
print(json.dumps([interrupted, lost, rows, connection.thread_id() == before]))
""",
        autocommit=not begun,
    )
    assert interrupted == "KeyboardInterrupt"
    if room.driver == "pymysql":  # the other's call returns, with its whole reply, before Python sees the signal
        assert not same
        assert ("KeyboardInterrupt interrupted" in lost) is begun
    assert rows_of_next == [[["of the next"]]] * 3


def test_a_second_thread_inside_a_call_is_refused_by_name(room, run):
    connection = room.connect(autocommit=True)
    busy = room.meanwhile(lambda: run(connection, "SELECT SLEEP(0.8)"))
    room.in_flight("SELECT SLEEP")
    for act in (lambda: run(connection, "SELECT 1"), connection.commit, connection.ping):
        with pytest.raises(stillhere.ConnectionMisused, match=rf"thread {busy.ident} is inside a call") as caught:
            act()
        assert isinstance(caught.value, room.dbapi.ProgrammingError)
    busy.join()
    assert run(connection, "SELECT 1") == ((1,),)


def test_closing_under_a_call_of_another_thread_ends_it(room, run):
    connection = room.connect(autocommit=True)
    busy = room.meanwhile(lambda: run(connection, "SELECT SLEEP(20)"))
    room.in_flight("SELECT SLEEP")
    connection.close()
    with pytest.raises(room.dbapi.Error):
        busy.join(10)
