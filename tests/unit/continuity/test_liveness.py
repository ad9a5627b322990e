"""A look at the socket: what it finds, and that it leaves no trace."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from pathlib import Path

import pytest

from stillhere.continuity.liveness import BLIND, Peek
from stillhere.continuity.verdict import Liveness


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.fixture
def tcp():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_nothing_to_read_is_alive(pair):
    peek = Peek(pair[0].fileno())
    assert [peek.look() for _ in range(3)] == [Liveness.ALIVE] * 3
    assert peek.last_words() == b""


def test_an_end_of_file_is_dead(pair):
    peek = Peek(pair[0].fileno())
    pair[1].close()
    assert peek.look() is Liveness.DEAD
    assert peek.last_words() == b""


def test_a_reset_is_dead(tcp):
    ours, theirs = tcp
    peek = Peek(ours.fileno())
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    assert peek.look() is Liveness.DEAD
    assert peek.last_words() == b""


def test_a_half_closed_peer_is_dead(tcp):
    peek = Peek(tcp[0].fileno())
    tcp[1].shutdown(socket.SHUT_WR)
    assert peek.look() is Liveness.DEAD


def test_a_stray_byte_is_dead_and_stays_to_be_read(pair):
    peek = Peek(pair[0].fileno())
    pair[1].send(b"\x01farewell")
    assert peek.look() is Liveness.DEAD
    assert peek.last_words() == b"\x01farewell"
    assert pair[0].recv(100) == b"\x01farewell"
    assert peek.look() is Liveness.ALIVE


@pytest.mark.parametrize("timeout", [None, 0.5, 0.0])
@pytest.mark.parametrize("default", [None, 3.0])
def test_the_drivers_socket_keeps_its_mode_whatever_the_default(pair, monkeypatch, timeout, default):
    ours = pair[0]
    ours.settimeout(timeout)
    before = fcntl.fcntl(ours.fileno(), fcntl.F_GETFL)
    monkeypatch.setattr(socket, "getdefaulttimeout", lambda: default)
    socket.setdefaulttimeout(default)
    try:
        assert Peek(ours.fileno()).look() is Liveness.ALIVE
    finally:
        socket.setdefaulttimeout(None)
    assert fcntl.fcntl(ours.fileno(), fcntl.F_GETFL) == before
    assert ours.gettimeout() == timeout


def test_a_look_needs_no_further_descriptor(pair):
    count = len(list(Path("/proc/self/fd").iterdir()))
    peek = Peek(pair[0].fileno())
    peek.look()
    peek.last_words()
    assert len(list(Path("/proc/self/fd").iterdir())) == count


def test_without_a_descriptor_nothing_is_guessed():
    assert BLIND.look() is Liveness.UNKNOWN
    assert BLIND.last_words() == b""


def test_last_words_of_a_descriptor_that_is_closed_are_none(pair):
    descriptor = os.dup(pair[0].fileno())
    peek = Peek(descriptor)
    os.close(descriptor)
    assert peek.last_words() == b""
