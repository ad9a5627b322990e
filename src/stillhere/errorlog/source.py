"""A log's bytes, from wherever they come, unpacked and cut into blocks of whole lines, in constant memory."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import IO, Any, BinaryIO, Protocol, cast

from stillhere.errors import ConfigurationError

__all__ = ["BLOCK", "LINE_LIMIT", "Log", "Readable", "opened", "unpacked_head"]

BLOCK = 1 << 19
"""Bytes that are read at a time."""

LINE_LIMIT = 1 << 16
"""The bytes of a line that are looked at; the rest is skipped."""

Readable = str | os.PathLike[str] | BinaryIO
"""A file's path, or a stream of bytes."""

_MAGIC_LENGTH = 6
_GZIP, _BZIP2, _XZ, _ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"


class _Reads(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Log:
    """An open log.

    Attributes:
        name: of the file; ``"the log"`` for a stream without one.
        until: when the file was changed last; now, for a stream.
        size: bytes so far, after unpacking.
        damage: why reading ended before the end; empty where it did not.
    """

    def __init__(self, stream: _Reads, name: str, until: datetime) -> None:
        # What was unpacked before damage is given by read1 alone: read would go on until it meets the damage.
        self._read = getattr(stream, "read1", stream.read)
        self.name = name
        self.until = until
        self.size = 0
        self.damage = ""

    def blocks(self, size: int = BLOCK) -> Iterator[bytes]:
        """The log in blocks of whole lines, each line with a newline before it and none after it.

        Where the blocks are cut depends on ``size`` alone, not on the pieces in which the stream gives its bytes. Of a
        line that spans blocks, what lies beyond `LINE_LIMIT` bytes is dropped.
        """
        begun = b"\n"
        while piece := self._piece(size):
            cut = piece.rfind(b"\n")
            if cut >= 0:
                yield b"".join((begun, memoryview(piece)[:cut]))
                begun = piece[cut:]
            else:
                begun = (begun + piece)[: LINE_LIMIT + 1]
        if begun != b"\n":
            yield begun

    def _piece(self, size: int) -> bytes:
        """The next bytes: as many as asked for, fewer only at the end."""
        parts: list[bytes] = []
        missing = size
        while missing and not self.damage:
            try:
                part = self._read(missing)
            except Exception as error:
                if not _is_damage(error):
                    raise
                self.damage = f"{self.name} is damaged after {self.size + size - missing:,} bytes: {error}"
                break
            if not isinstance(part, bytes):
                raise ConfigurationError(f"{self.name} gives {type(part).__name__}, not bytes: open it in binary mode")
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        self.size += size - missing
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _is_damage(error: Exception) -> bool:
    """Whether an error is about what is packed, not about reading it."""
    if isinstance(error, OSError):
        return error.errno is None  # how gzip and bz2 say it
    # The class of zstd's errors is in one of two modules, or in none.
    return isinstance(error, EOFError | zlib.error | lzma.LZMAError) or type(error).__name__ == "ZstdError"


@contextmanager
def opened(source: Readable) -> Iterator[Log]:
    """The log, open and unpacked; a file is closed at the end, a stream is left to its owner.

    Raises:
        OSError: the file can't be read.
        ConfigurationError: it is packed in a way that this Python can't undo.
    """
    with ExitStack() as stack:
        if isinstance(source, str | os.PathLike):
            file: IO[bytes] = stack.enter_context(open(source, "rb", buffering=0))  # noqa: PTH123 - pathlib has no use here
            name, until = os.fspath(source), datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
            stream: _Reads = cast("_Reads", file)
        else:
            name, until = str(getattr(source, "name", "the log")), datetime.now(UTC)
            stream = source
        head = stream.read(_MAGIC_LENGTH) or b""
        if not isinstance(head, bytes):
            raise ConfigurationError(f"{name} gives {type(head).__name__}, not bytes: open it in binary mode")
        yield Log(_unpacked(head, _Rejoined(head, stream), name), name, until)


def unpacked_head(head: bytes) -> bytes:
    """The first bytes of a log, unpacked as far as they go."""
    log = Log(_unpacked(head, io.BytesIO(head), "the log"), "the log", datetime.now(UTC))
    return b"".join(log.blocks(LINE_LIMIT))


class _Rejoined(io.RawIOBase):
    """A stream of which the first bytes were read already."""

    def __init__(self, head: bytes, rest: _Reads) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._head:
            size = len(self._head) if size < 0 else size
            given, self._head = self._head[:size], self._head[size:]
            return given
        return self._rest.read(size) or b""

    def readinto(self, buffer: Any) -> int:
        given = self.read(len(buffer))
        buffer[: len(given)] = given
        return len(given)


def _unpacked(head: bytes, stream: Any, name: str) -> _Reads:
    if head.startswith(_GZIP):
        return cast("_Reads", gzip.GzipFile(fileobj=stream))
    if head.startswith(_BZIP2):
        return bz2.BZ2File(stream)
    if head.startswith(_XZ):
        return lzma.LZMAFile(stream)
    if head.startswith(_ZSTD):
        return _zstd(stream, name)
    return cast("_Reads", stream)


def _zstd(stream: Any, name: str) -> _Reads:
    if sys.version_info >= (3, 14):
        return cast("_Reads", importlib.import_module("compression.zstd").ZstdFile(stream))
    try:
        zstandard = importlib.import_module("zstandard")
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"{name} is packed with zstd, which this Python can't undo: pip install zstandard, or unpack it (zstd -d)"
        ) from None
    return cast("_Reads", zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True))
