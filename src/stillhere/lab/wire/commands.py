"""What a client asks for: commands, their kinds and the text of their statement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from stillhere.lab.wire.packets import length_encoded

KEPT = 65_536
"""So many bytes of a command are kept to recognise it by."""

KINDS = {
    0x01: "COM_QUIT",
    0x02: "COM_INIT_DB",
    0x03: "COM_QUERY",
    0x04: "COM_FIELD_LIST",
    0x08: "COM_SHUTDOWN",
    0x09: "COM_STATISTICS",
    0x0A: "COM_PROCESS_INFO",
    0x0C: "COM_PROCESS_KILL",
    0x0D: "COM_DEBUG",
    0x0E: "COM_PING",
    0x11: "COM_CHANGE_USER",
    0x12: "COM_BINLOG_DUMP",
    0x16: "COM_STMT_PREPARE",
    0x17: "COM_STMT_EXECUTE",
    0x18: "COM_STMT_SEND_LONG_DATA",
    0x19: "COM_STMT_CLOSE",
    0x1A: "COM_STMT_RESET",
    0x1B: "COM_SET_OPTION",
    0x1C: "COM_STMT_FETCH",
    0x1F: "COM_RESET_CONNECTION",
    0xFA: "COM_STMT_BULK_EXECUTE",
}

UNANSWERED = frozenset({"COM_QUIT", "COM_STMT_SEND_LONG_DATA", "COM_STMT_CLOSE"})
"""Kinds that a server never replies to."""

_WITH_TEXT = frozenset({"COM_QUERY", "COM_STMT_PREPARE", "COM_INIT_DB"})
_COMMENTS = re.compile(r"/\*.*?\*/|(?:--\s|#)[^\n]*(?:\n|$)", re.DOTALL)
_FIXED = {0x01: 1, 0x02: 2, 0x0D: 2, 0x03: 4, 0x09: 4, 0x04: 4, 0x05: 8, 0x08: 8, 0x06: 0}
_DATED = frozenset({0x07, 0x0A, 0x0B, 0x0C})


@dataclass(frozen=True)
class Command:
    """One command of a client.

    Attributes:
        kind: its name in the protocol, such as ``"COM_QUERY"``.
        body: its first bytes, the command byte among them; at most `KEPT`.
        attributes: whether query attributes may stand before the statement.
        connection: the wire's number of the connection it came on, in the order of opening, from 1; 0 for none.
        number: its own number on that connection, from 1.
        thread_id: the server's id of that connection.
    """

    kind: str
    body: bytes
    attributes: bool = False
    connection: int = 0
    number: int = 0
    thread_id: int = 0

    @classmethod
    def of(
        cls, body: bytes, *, attributes: bool = False, connection: int = 0, number: int = 0, thread_id: int = 0
    ) -> Command:
        """The command whose first bytes these are."""
        code = body[0] if body else 0
        return cls(KINDS.get(code) or f"COM_{code:#04x}", body, attributes, connection, number, thread_id)

    @property
    def answered(self) -> bool:
        """Whether the server replies to it."""
        return self.kind not in UNANSWERED

    @cached_property
    def text(self) -> str:
        """The statement as sent, the name of the database for ``COM_INIT_DB``, else nothing."""
        if self.kind not in _WITH_TEXT:
            return ""
        start = 1
        if self.attributes and self.kind == "COM_QUERY":
            start = after_attributes(self.body)
        return self.body[start:].decode("utf-8", "replace")

    @cached_property
    def bare(self) -> str:
        """The statement in upper case, without comments, with single spaces."""
        return " ".join(_COMMENTS.sub(" ", self.text).upper().replace(";", " ; ").split())

    def begins(self, words: str) -> bool:
        """Whether the statement begins with these words, in any case, whatever comments stand around."""
        return f"{self.bare} ".startswith(" ".join(words.upper().split()) + " ")


def after_attributes(body: bytes) -> int:
    """The index in a ``COM_QUERY`` at which the statement begins, behind its query attributes.

    The end of what is known where the attributes are cut short.
    """
    try:
        count, place = length_encoded(body, 1)
        _sets, place = length_encoded(body, place)
        if not count:
            return place
        nulls = body[place : place + (count + 7) // 8]
        place += len(nulls)
        place += 1  # new_params_bind_flag, always 1 here
        types = []
        for _ in range(count):
            types.append(body[place])
            size, place = length_encoded(body, place + 2)
            place += size
        for index, kind in enumerate(types):
            if not nulls[index // 8] >> index % 8 & 1:
                place = _after_value(body, place, kind)
    except IndexError:
        return len(body)
    return place


def _after_value(body: bytes, place: int, kind: int) -> int:
    if kind in _FIXED:
        return place + _FIXED[kind]
    if kind in _DATED:
        return place + 1 + body[place]
    size, place = length_encoded(body, place)
    return place + size
