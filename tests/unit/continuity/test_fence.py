"""The fence: whom it may KILL, what it waits for, and that a ghost is never forgotten."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from stillhere.continuity import fence as fence_module
from stillhere.continuity.facts import UNKNOWN_FACTS, learn
from stillhere.continuity.fence import Ghost, fence, is_alive
from stillhere.server.versions import Flavour
from stillhere.testing.fake_driver import FAKE, Connection, OperationalError
from stillhere.testing.fake_server import FakeServer, Step
from stillhere.testing.fake_tables import Reply, ServerError


@pytest.fixture(autouse=True)
def no_grace(monkeypatch):
    monkeypatch.setattr(fence_module, "_GRACE", 0.0)
    monkeypatch.setattr(fence_module, "_POLL", 0.001)
    monkeypatch.setattr(fence_module, "_COPY_KEPT", 0.001)


class Haunted:
    """A server with a ghost on it, and a new connection beside it."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        lost = Connection(server=server)
        lost.query("UPDATE t SET x = 5 WHERE id = 1")
        self.facts = learn(FAKE, lost)
        self.number = lost.thread_id()
        server.sessions[self.number].ghost = True
        FAKE.discard(lost)
        self.connection = Connection(server=server)
        self.kills = 0

    def note_kill(self) -> None:
        self.kills += 1

    def fence(self, *, facts=None, now=None, seconds: float = 0.02, transaction: bool = True) -> bool:
        return fence(
            FAKE,
            self.connection,
            now or learn(FAKE, self.connection),
            Ghost(facts or self.facts, transaction=transaction),
            deadline=time.monotonic() + seconds,
            on_kill=self.note_kill,
        )


@pytest.fixture
def haunted(server):
    made = Haunted(server)
    yield made
    made.connection.close()


def test_a_ghost_is_killed_by_its_number_and_its_locks_are_gone(haunted):
    assert haunted.fence() is True
    assert haunted.server.sent(b"KILL CONNECTION %d" % haunted.number) == 1
    assert haunted.kills == 1
    assert haunted.server.tables.locks == {}


def test_a_ghost_that_went_by_itself_is_not_killed(haunted):
    haunted.server.cut(haunted.number)
    assert haunted.fence() is True
    assert haunted.kills == 0
    assert haunted.server.sent(b"KILL") == 0


@pytest.mark.parametrize("field", ["user", "host"])
def test_a_stranger_with_the_same_number_is_not_killed(haunted, field):
    setattr(haunted.server.sessions[haunted.number], field, "somebody else")
    haunted.fence()
    assert haunted.server.sent(b"KILL") == 0
    assert haunted.number in haunted.server.sessions


def test_nobody_is_killed_after_a_restart(haunted):
    now = replace(learn(FAKE, haunted.connection), uptime=1, learned_at=time.monotonic() + 60)
    assert haunted.fence(now=now) is True
    assert haunted.server.sent(b"KILL") == 0


def test_a_number_below_the_ghosts_is_a_restart(haunted):
    assert haunted.fence(facts=replace(haunted.facts, thread_id=10_000)) is True
    assert haunted.server.sent(b"KILL") == 0


@pytest.mark.parametrize("unknown", [{"identity": "another"}, {"user": ""}, {"identity": "", "user": "app"}])
def test_nobody_is_killed_where_it_isnt_known_to_be_the_same_server(haunted, unknown):
    assert haunted.fence(facts=replace(haunted.facts, **unknown)) is False
    assert haunted.server.sent(b"KILL") == 0


def test_a_ghost_that_ended_before_its_kill_is_as_good(haunted):
    def gone(_session, _sql):
        haunted.server.cut(haunted.number)
        return ServerError(1094, "Unknown thread id")

    haunted.server.answer(b"KILL", gone)
    assert haunted.fence() is True


def test_a_kill_that_is_denied_is_told(haunted):
    haunted.server.answer(b"KILL", ServerError(1095, "You are not owner of thread"))
    with pytest.raises(OperationalError, match="not owner"):
        haunted.fence()


def test_a_ghost_that_wont_go_is_waited_for_until_the_deadline(haunted):
    haunted.server.answer(b"KILL", lambda *_: Reply())
    before = time.monotonic()
    assert haunted.fence(seconds=0.03) is False
    assert 0.02 < time.monotonic() - before < 1


def test_its_transaction_is_waited_for_after_its_thread_is_gone(haunted):
    own = haunted.connection.thread_id()
    rows = iter([Reply.of((haunted.number,), (own,)), Reply.of((haunted.number,)), Reply.of((own,))])
    haunted.server.answer(b"INNODB_TRX", lambda *_: next(rows))
    assert haunted.fence() is True
    assert haunted.server.sent(b"INNODB_TRX") == 3


def test_a_transaction_that_wont_end_leaves_it_open_whether_its_locks_are_gone(haunted):
    haunted.server.answer(b"INNODB_TRX", Reply.of((haunted.number,)))
    assert haunted.fence() is False


def test_without_the_right_to_look_the_locks_are_not_known_to_be_gone(haunted):
    haunted.server.privileged = False
    assert haunted.fence(now=learn(FAKE, haunted.connection)) is False
    assert haunted.kills == 1


def test_a_loss_while_looking_for_locks_is_a_loss(haunted):
    haunted.server.break_at(Step.REPLY, b"INNODB_TRX")
    with pytest.raises(OperationalError) as caught:
        haunted.fence()
    assert caught.value.args[0] == 2013


def test_mariadb_takes_the_thread_off_the_list_last(haunted):
    assert haunted.fence(now=replace(learn(FAKE, haunted.connection), flavour=Flavour.MARIADB)) is True
    assert haunted.server.sent(b"INNODB_TRX") == 0


def test_without_a_transaction_there_are_no_locks_to_wait_for(haunted):
    assert haunted.fence(transaction=False) is True
    assert haunted.server.sent(b"INNODB_TRX") == 0


def test_names_may_come_as_bytes(haunted):
    answer = Reply.of((haunted.facts.user.encode(), haunted.facts.host.encode()))
    haunted.server.answer(b"PROCESSLIST", answer)
    assert is_alive(FAKE, haunted.connection, Ghost(haunted.facts))


def test_an_unknown_ghost_is_left_alone(haunted):
    assert haunted.fence(facts=UNKNOWN_FACTS) is False


@pytest.mark.parametrize("error", [2013, KeyboardInterrupt()])
def test_a_ghost_is_given_back_when_the_fence_fails(rig, server, run, error):
    connection = rig.connect()
    run(connection, "UPDATE t SET x = 5 WHERE id = 1")
    server.break_at(Step.SEND, b"ROLLBACK", ghost=True)
    connection.rollback()
    server.break_at(Step.REPLY, b"PROCESSLIST WHERE ID = 8", error=error)
    if error == 2013:
        run(connection, "UPDATE t SET x = 6 WHERE id = 1")
    else:
        with pytest.raises(KeyboardInterrupt):
            run(connection, "UPDATE t SET x = 6 WHERE id = 1")
        assert rig.endpoint.haunted
        return
    assert server.sent(b"KILL CONNECTION 8") == 1
    assert not rig.endpoint.haunted
