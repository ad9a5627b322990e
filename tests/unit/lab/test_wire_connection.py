"""A connection of the wire whose client is gone before it begins."""

from __future__ import annotations

import socket

import pytest

from stillhere.lab.wire.connection import Bundle, Connection
from stillhere.lab.wire.conversation import Conversation
from stillhere.lab.wire.loop import Loop


def test_a_client_that_is_gone_already_leaves_nothing_behind():
    loop = Loop("test")
    bundle = Bundle(loop)
    talk = Conversation(lambda _: None, lambda _: None, plain=False)
    with socket.socket() as gone, socket.socket() as server, pytest.raises(OSError, match="not connected"):
        Connection(bundle, gone, server, talk)
    assert not bundle.connections
    loop.start()
    loop.stop()
