"""MySQL packets in a byte stream: a three-byte length, a sequence number, a body."""

from __future__ import annotations

from typing import NamedTuple

FULL = 0xFFFFFF
"""The length of a packet that the next one continues."""

_HEADER = 4


class Packet(NamedTuple):
    """One packet whose first bytes have arrived.

    Attributes:
        offset: where its header begins, in bytes from the beginning of the stream.
        length: bytes of its body.
        sequence: its sequence number, 0 for the first of a command.
        prefix: the first bytes of its body, as many as the stream keeps.
        continues: it is the second or later part of a body that one packet couldn't hold.
    """

    offset: int
    length: int
    sequence: int
    prefix: bytes
    continues: bool

    @property
    def end(self) -> int:
        """The offset of the first byte after it."""
        return self.offset + _HEADER + self.length


class PacketStream:
    """Finds the packets in one direction of a connection, keeping no more of each than its first bytes.

    The bytes themselves are handed out again by `take`, each exactly once and in order. Those of a packet
    whose first bytes are still incomplete are held back, so that whoever reads the packet can stop it.

    Args:
        prefix: how many bytes of a body are needed to judge a packet.
    """

    def __init__(self, prefix: int) -> None:
        self.prefix = prefix
        self._data = b""
        self._base = 0  # the offset of _data[0]
        self._place = 0  # index in _data up to which packets were read
        self._body = 0  # bytes of the last packet's body that are still ahead
        self._continues = False

    @property
    def settled(self) -> int:
        """The offset up to which all bytes belong to packets that were read."""
        return self._base + self._place

    def feed(self, chunk: bytes) -> None:
        """Add bytes as they came from the network."""
        self._data = self._data + chunk if self._data else chunk

    def read(self) -> Packet | None:
        """The next packet, or nothing until more bytes come."""
        data, place, size = self._data, self._place, len(self._data)
        if self._body:
            step = min(self._body, size - place)
            self._body -= step
            place += step
            self._place = place
        if self._body or size - place < _HEADER:
            return None
        length = data[place] | data[place + 1] << 8 | data[place + 2] << 16
        body = place + _HEADER
        wanted = min(length, self.prefix)
        if size - body < wanted:
            return None
        packet = Packet(self._base + place, length, data[place + 3], data[body : body + wanted], self._continues)
        self._continues = length == FULL
        self._body = length
        self._place = body
        return packet

    def skip_rows(self) -> None:
        """Pass over complete packets that are rows: no full ones, none that begins with 0xFE or 0xFF."""
        data, size = self._data, len(self._data)
        if self._continues or self._body > size - self._place:
            return
        place = self._place + self._body
        while place + _HEADER < size:
            length = data[place] | data[place + 1] << 8 | data[place + 2] << 16
            after = place + _HEADER + length
            if after > size or data[place + _HEADER] >= 0xFE or length in (0, FULL):  # noqa: PLR2004 - the mark of an end
                break
            place = after
        self._place, self._body = place, 0

    def take(self, until: int | None = None) -> bytes:
        """The bytes that weren't taken yet, up to an offset; up to `settled` if none is given."""
        count = (self.settled if until is None else until) - self._base
        data = self._data
        self._base += count
        self._place -= count
        if count == len(data):
            self._data = b""
            return data
        self._data = data[count:]
        return data[:count]

    def drain(self) -> bytes:
        """All bytes that weren't taken yet, packets or not. Nothing can be read afterwards."""
        data, self._data = self._data, b""
        return data


def length_encoded(data: bytes, place: int) -> tuple[int, int]:
    """A length-encoded integer and the index after it; ``IndexError`` where it is cut short."""
    first = data[place]
    if first < 0xFB:  # noqa: PLR2004 - up to here the byte is the number
        return first, place + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first)
    if size is None or place + 1 + size > len(data):
        raise IndexError(f"no length-encoded integer at {place}")
    return int.from_bytes(data[place + 1 : place + 1 + size], "little"), place + 1 + size
