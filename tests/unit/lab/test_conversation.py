"""What the wire understands of a conversation, fed with bytes and no server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhere.lab.wire.conversation import Conversation, Stage, Tally
from stillhere.lab.wire.cuts import ArmedCut, Cut, When
from stillhere.lab.wire.handshake import Capability, greeting

OFFERED = (
    Capability.PROTOCOL_41
    | Capability.SSL
    | Capability.COMPRESS
    | Capability.ZSTD
    | Capability.DEPRECATE_EOF
    | Capability.QUERY_ATTRIBUTES
)
PLAIN = Capability.PROTOCOL_41
OK = b"\x00\x00\x00\x02\x00\x00\x00"
MORE = b"\x00\x00\x00\x0a\x00\x00\x00"


def packet(body, sequence=0):
    return len(body).to_bytes(3, "little") + bytes([sequence]) + body


def hello(capabilities=OFFERED):
    low, high = capabilities & 0xFFFF, capabilities >> 16
    return packet(
        b"\x0a8.4.0\0" + (4711).to_bytes(4, "little") + b"saltsalt\0"
        + low.to_bytes(2, "little") + b"\xff\x02\x00" + high.to_bytes(2, "little") + b"\x15" + bytes(10)
        + b"saltsaltsalt\0mysql_native_password\0"
    )  # fmt: skip


def answer(capabilities):
    return packet(int(capabilities).to_bytes(4, "little") + bytes(28) + b"stillhere\0\0", 1)


def conversation(cuts=(), *, capabilities=PLAIN, plain=False):
    """One past its handshake, with what it counts."""
    tally = Tally()
    armed = [ArmedCut(cut) for cut in cuts]
    talk = Conversation(
        tally.add, lambda command: next((one for one in armed if one.chooses(command)), None), plain=plain
    )
    talk.from_server(hello())
    talk.from_client(answer(capabilities))
    talk.from_server(packet(OK, 2))
    return talk, tally


def query(text):
    return packet(b"\x03" + text.encode())


def test_the_greeting_tells_the_thread_id():
    talk, _tally = conversation()
    assert (talk.thread_id, talk.stage, talk.opaque) == (4711, Stage.COMMANDS, None)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [(Capability.SSL, "TLS"), (Capability.COMPRESS, "compression"), (Capability.ZSTD, "compression")],
)
def test_what_cant_be_read_is_passed_on_and_said_so(asked, reason):
    talk, tally = conversation([Cut("COMMIT", When.BEFORE)], capabilities=PLAIN | asked)
    assert (talk.opaque, talk.stage) == (reason, Stage.OPAQUE)
    assert talk.from_client(query("COMMIT")) == (query("COMMIT"), None)
    assert talk.from_server(b"\x16\x03") == (b"\x16\x03", None)
    assert talk.from_server(b"\x03") == (b"\x03", None)
    assert tally.round_trips == 0


def test_tls_begins_right_behind_the_request_for_it():
    talk = Conversation(Tally().add, lambda _: None, plain=False)
    talk.from_server(hello())
    request = packet(int(PLAIN | Capability.SSL).to_bytes(4, "little") + bytes(28), 1)
    assert talk.from_client(request + b"\x16\x03\x01") == (request + b"\x16\x03\x01", None)
    assert talk.opaque == "TLS"


@given(size=st.integers(min_value=1, max_value=120))
def test_plain_takes_tls_and_compression_out_of_the_offer(size):
    talk = Conversation(Tally().add, lambda _: None, plain=True)
    data = hello()
    passed = b"".join(talk.from_server(data[at : at + size])[0] for at in range(0, len(data), size))
    assert passed == hello(OFFERED & ~(Capability.SSL | Capability.COMPRESS | Capability.ZSTD))
    assert greeting(passed[4:]).thread_id == 4711


def test_a_refusal_instead_of_a_greeting_is_passed_on():
    talk = Conversation(Tally().add, lambda _: None, plain=True)
    refusal = packet(b"\xff\x10\x04Too many connections")
    assert talk.from_server(refusal) == (refusal, None)
    assert talk.stage is Stage.GREETING


def test_more_proof_asked_for_at_login_is_no_command():
    tally = Tally()
    talk = Conversation(tally.add, lambda _: None, plain=False)
    talk.from_server(hello())
    talk.from_client(answer(PLAIN))
    talk.from_server(packet(b"\xfemysql_native_password\0salt", 2))
    talk.from_client(packet(b"scramble", 3))
    assert talk.stage is Stage.AUTHENTICATION
    talk.from_server(packet(OK, 4))
    assert (talk.stage, tally.round_trips) == (Stage.COMMANDS, 0)


def test_commands_sent_at_once_are_answered_one_by_one():
    talk, tally = conversation()
    talk.from_client(query("DO 1") + packet(b"\x19\x01\x00\x00\x00") + query("DO 2"))
    assert tally.round_trips == 2
    assert tally.commands == {"COM_QUERY": 2, "COM_STMT_CLOSE": 1}
    assert talk.in_flight.text == "DO 1"
    talk.from_server(packet(OK, 1))
    assert talk.in_flight.text == "DO 2"
    talk.from_server(packet(MORE, 1))
    assert talk.in_flight
    talk.from_server(packet(OK, 2))
    assert talk.in_flight is None


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_nothing_of_a_command_passes_that_is_cut_before_it(size):
    talk, _tally = conversation([Cut("COMMIT", When.BEFORE)])
    data = query("DO 1") + query("COMMIT") + query("DO 2")
    passed, cut = b"", None
    for at in range(0, len(data), size):
        more, cut = talk.from_client(data[at : at + size])
        passed += more
        if cut:
            break
    assert cut
    assert passed == query("DO 1")


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(("when", "count"), [(When.HALF, 5), (When.AFTER_FORWARD, 11)])
def test_a_command_is_cut_at_the_byte(size, when, count):
    talk, _tally = conversation([Cut("COMMIT", when)])
    data = query("COMMIT") + query("DO 2")
    passed, cut = b"", None
    for at in range(0, len(data), size):
        more, cut = talk.from_client(data[at : at + size])
        passed += more
        if cut:
            break
    assert cut
    assert passed == query("COMMIT")[:count]


@pytest.mark.parametrize(("when", "passed"), [(When.AFTER_EXECUTED, 0), (When.AFTER_REPLY, 11)])
def test_a_reply_is_dropped_or_passed_on_whole(when, passed):
    talk, _tally = conversation([Cut("COMMIT", when)])
    assert talk.from_client(query("DO 1") + query("COMMIT"))[1] is None
    data, cut = talk.from_server(packet(OK, 1) + packet(OK, 1))
    assert cut
    assert len(data) == 11 + passed


def test_progress_reports_and_long_errors_end_where_they_end():
    talk, _tally = conversation([Cut("ALTER", When.AFTER_REPLY)])
    talk.from_client(query("ALTER TABLE t ENGINE=InnoDB"))
    report = packet(b"\xff\xff\xff\x01\x01\x02\x10\x00\x00\x05stage", 1)
    assert talk.from_server(report) == (report, None)
    error = packet(b"\xff\x28\x04#42000" + b"x" * 400, 2)
    first, cut = talk.from_server(error[:300])
    assert cut is None
    rest, cut = talk.from_server(error[300:])
    assert cut
    assert first + rest == error


def test_a_prepared_statement_ends_behind_its_definitions():
    talk, _tally = conversation(capabilities=PLAIN | Capability.DEPRECATE_EOF)
    talk.from_client(packet(b"\x16SELECT ?"))
    talk.from_server(packet(b"\x00\x01\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00", 1) + packet(b"\x03def", 2))
    assert talk.in_flight
    talk.from_server(packet(b"\x03def", 3))
    assert talk.in_flight is None


def test_rows_that_look_like_ends_are_told_from_ends():
    talk, _tally = conversation(capabilities=PLAIN)
    talk.from_client(query("SELECT LONGTEXT"))
    end = packet(b"\xfe\x00\x00\x02\x00", 9)
    talk.from_server(packet(b"\x01", 1) + packet(b"\x03def", 2) + end)
    talk.from_server(packet(b"\xfe" + bytes(20), 3))  # a value whose length takes eight bytes
    assert talk.in_flight
    talk.from_server(packet(b"\x02\xfe\xff", 4) + end)
    assert talk.in_flight is None
