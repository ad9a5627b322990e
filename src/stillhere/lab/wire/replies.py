"""Where a server's reply ends: result sets, several of them, prepared statements, uploads."""

from __future__ import annotations

from enum import Enum

from stillhere.lab.wire.commands import Command
from stillhere.lab.wire.packets import FULL, Packet, length_encoded

_OK, _UPLOAD, _EOF, _ERR = 0x00, 0xFB, 0xFE, 0xFF
_MORE_RESULTS, _CURSOR = 0x0008, 0x0040
_SHORT_EOF = 9  # an EOF packet of the old kind has fewer bytes
_PROGRESS = b"\xff\xff\xff"  # MariaDB's progress report, an error packet with the number 65535
_ROWS_ONLY = frozenset({"COM_STMT_FETCH", "COM_FIELD_LIST", "COM_BINLOG_DUMP"})
_RESULTS = frozenset({"COM_QUERY", "COM_STMT_EXECUTE", "COM_STMT_BULK_EXECUTE", "COM_PROCESS_INFO"})


class Part(Enum):
    """Which packet of a reply comes next."""

    FIRST = "OK, an error, an upload request or a column count"
    DEFINITIONS = "the definition of a column or a parameter"
    DEFINITIONS_END = "the EOF behind definitions"
    ROWS = "rows, until EOF or an error"
    DONE = "none"


class Reply:
    """The reply to one command, followed packet by packet.

    Clients that ask for optional result-set metadata are not understood.

    Args:
        command: what was asked.
        short: whether the EOF behind definitions is left out (``CLIENT_DEPRECATE_EOF``).
    """

    def __init__(self, command: Command, *, short: bool) -> None:
        self._kind = command.kind
        self._short = short
        self._left: list[int] = []  # definitions that are to come, group by group
        self.part = Part.ROWS if command.kind in _ROWS_ONLY else Part.FIRST
        self.uploading = False

    def packet(self, packet: Packet) -> bool:
        """Take in the server's next packet; true when it was the last of the reply."""
        if packet.continues:
            return False
        body = packet.prefix
        first = body[0] if body else _OK
        if first == _ERR and self.part is not Part.DEFINITIONS:
            if not body.startswith(_PROGRESS):
                self.part = Part.DONE
        elif self.part is Part.FIRST:
            self._first(first, body)
        elif self.part is Part.DEFINITIONS:
            self._left[0] -= 1
            if not self._left[0]:
                self._definitions_over()
        elif self.part is Part.DEFINITIONS_END:
            self._left.pop(0)
            self._group_over(int.from_bytes(body[3:5], "little"))
        elif first == _EOF and packet.length < (FULL if self._short else _SHORT_EOF):
            self._over(self._status(body))
        return self.part is Part.DONE

    def _first(self, first: int, body: bytes) -> None:
        self.uploading = False
        if self._kind == "COM_CHANGE_USER":
            self.part = Part.DONE if first == _OK else Part.FIRST  # else the server asks for more proof
        elif self._kind == "COM_STMT_PREPARE":
            columns, parameters = (int.from_bytes(body[at : at + 2], "little") for at in (5, 7))
            self._define([count for count in (parameters, columns) if count])
        elif self._kind not in _RESULTS:
            self.part = Part.DONE
        elif first == _OK:
            self._over(self._status(body))
        elif first == _UPLOAD:
            self.uploading = True
        else:
            count, after = length_encoded(body, 0)
            if body[after : after + 1] == b"\0":  # MariaDB: the client has the definitions already
                self.part = Part.ROWS if self._short else Part.DEFINITIONS_END
                self._left = [0]
            else:
                self._define([count])

    def _define(self, groups: list[int]) -> None:
        self._left = groups
        self.part = Part.DEFINITIONS if groups else Part.DONE

    def _definitions_over(self) -> None:
        if self._short:
            self._left.pop(0)
            self._group_over(0)
        else:
            self.part = Part.DEFINITIONS_END

    def _group_over(self, status: int) -> None:
        if self._left:
            self.part = Part.DEFINITIONS
        elif self._kind == "COM_STMT_PREPARE" or status & _CURSOR:
            self.part = Part.DONE
        else:
            self.part = Part.ROWS

    def _over(self, status: int) -> None:
        self.part = Part.FIRST if status & _MORE_RESULTS else Part.DONE

    def _status(self, body: bytes) -> int:
        """The server's status flags in an OK or EOF packet."""
        place = 1
        if body[0] == _EOF and not self._short:
            place = 3
        else:
            for _ in ("affected rows", "last insert id"):
                _number, place = length_encoded(body, place)
        return int.from_bytes(body[place : place + 2], "little")
