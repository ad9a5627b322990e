"""What was handed to ``stillhere explain``: found out for what it is, and read."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import select
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, BinaryIO, cast

from stillhere import apptrace
from stillhere.causes.answer import LogView
from stillhere.causes.gather import Gathered, gather
from stillhere.causes.windows import LONG_AGO, NEAR
from stillhere.errorlog.reader import read, sniff
from stillhere.errorlog.source import unpacked
from stillhere.errorlog.summary import Summary
from stillhere.errors import ConfigurationError

__all__ = ["Materials", "piped", "read_all"]

_STDIN = "-"
_SAMPLE = 64 * 1024
_BLOCK = 1024 * 1024
_TRACEBACK = b"Traceback (most recent call last)"
_SPOOLED = 16 * 1024 * 1024  # bytes of standard input that stay in memory
_PATIENCE = 2.0  # seconds for the first byte of an input that nobody asked for by name


@dataclass(slots=True)
class Materials:
    """What the inputs held.

    Attributes:
        gathered: the application's reports.
        logs: the servers' logs.
        notes: what went wrong while they were read.
    """

    gathered: Gathered = field(default_factory=Gathered)
    logs: list[LogView] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_all(files: Sequence[str], logs: Sequence[str], zone: tzinfo | None) -> Materials:
    """Read everything: the reports first, since their times say which parts of the logs matter.

    Args:
        files: paths, or ``-`` for standard input: reports or logs, which is found out.
        logs: paths of servers' logs.
        zone: where times are local that name no zone; ``None`` is UTC.

    Raises:
        ConfigurationError: one is empty, or neither a report nor a log.
        OSError: one can't be read.
    """
    found = Materials()
    with ExitStack() as stack:
        inputs = [stack.enter_context(_opened(name)) for name in dict.fromkeys(files)]
        named = [stack.enter_context(_opened(name)) for name in dict.fromkeys(logs) if name not in files]
        also_logs = [one for one in inputs if not _take_reports(one, found.gathered, zone)]
        window = _window(found.gathered)
        for one in (*also_logs, *named):
            summary = _read_log(one, zone, window)
            if summary.counts or summary.unknown < summary.lines:
                found.logs.append(LogView(name=one.name, summary=summary, window=window))
            elif one in named or not one.report:
                raise ConfigurationError(_neither(one, log_only=one in named))
        found.notes += [one.damage for one in (*inputs, *named) if one.damage]
    return found


def _take_reports(one: _Input, gathered: Gathered, zone: tzinfo | None) -> bool:
    """Take in its reports; whether that was all there is to it. What nobody recognised is tried as both."""
    if one.log and not one.report and not _has_traceback(one):
        return False
    with one.stream() as stream:
        count = gather(apptrace.read(stream), one.name, gathered, zone)
    return not one.log and (count > 0 or one.report)


def _has_traceback(one: _Input) -> bool:
    """Whether a server's log has an application's beside it, as those of containers and journals do."""
    with one.stream() as stream:
        end = b""
        while block := stream.read(_BLOCK):
            if _TRACEBACK in end + block:
                return True
            end = block[-len(_TRACEBACK) :]
    return False


def _read_log(one: _Input, zone: tzinfo | None, window: tuple[datetime, datetime] | None) -> Summary:
    with one.stream() as stream:
        return read(stream, zone=zone or UTC, until=one.until, around=window)


def piped() -> bool:
    """Whether something comes in on standard input that nobody named: a pipe or a file in which there is a byte."""
    try:
        number = sys.stdin.fileno()
        mode = os.fstat(number).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    if stat.S_ISREG(mode):
        return os.fstat(number).st_size > 0
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return False
    ready, _, _ = select.select([number], [], [], _PATIENCE)
    return bool(ready)


class _Careful(io.RawIOBase):
    """A packed stream that ends where it is damaged, instead of raising.

    Attributes:
        damage: what was wrong; empty where nothing was.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self.damage = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.damage:
            return 0
        try:
            # read1, where there is one: what was unpacked before the damage is given first.
            given = getattr(self._stream, "read1", self._stream.read)(len(buffer))
        except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, ValueError) as error:
            self.damage = f"{self._name} is damaged, and was read as far as it goes: {error}"
            return 0
        except Exception as error:
            if type(error).__name__ != "ZstdError":  # its module is one of two, or absent
                raise
            self.damage = f"{self._name} is damaged, and was read as far as it goes: {error}"
            return 0
        buffer[: len(given)] = given
        return len(given)


@dataclass(slots=True, eq=False)
class _Input:
    """One open input that can be read again from its beginning.

    Attributes:
        name: as it was given; ``standard input`` for ``-``.
        file: its bytes, as they are.
        until: about when it ends.
        report: whether it looks like an application's report or log.
        log: whether it looks like a server's log.
        damage: why reading ended before the end; empty where it did not.
    """

    name: str
    file: BinaryIO
    until: datetime
    report: bool = False
    log: bool = False
    damage: str = ""

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """Its bytes from the beginning, unpacked."""
        self.file.seek(0)
        inner = unpacked(self.file, self.name)
        if inner is self.file:
            yield inner
            return
        careful = _Careful(inner, self.name)
        yield io.BufferedReader(careful, _SAMPLE)
        self.damage = careful.damage


@contextmanager
def _opened(name: str) -> Iterator[_Input]:
    with ExitStack() as stack:
        if name == _STDIN:
            shown, file, until = "standard input", _copied(sys.stdin.buffer, stack), datetime.now(UTC)
        else:
            if Path(name).is_dir():
                raise ConfigurationError(f"{name} is a directory; name the files in it")
            shown, file = name, cast("BinaryIO", stack.enter_context(Path(name).open("rb")))
            until = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
            if not file.seekable():  # a named pipe, such as the shell's <(…)
                file, until = _copied(file, stack), datetime.now(UTC)
        one = _Input(shown, file, until)
        samples = list(_samples(one))
        if not any(sample.strip() for sample in samples):
            if one.damage:
                raise ConfigurationError(one.damage)
            raise ConfigurationError(f"{shown} is empty: expected {_EXPECTED}")
        one.report = any(apptrace.sniff(sample) for sample in samples)
        one.log = any(sniff(sample) for sample in samples)
        yield one


def _copied(stream: BinaryIO, stack: ExitStack) -> BinaryIO:
    """What can be read only once, as a file on disk beyond some size, so that it can be read again."""
    copy = cast("BinaryIO", tempfile.SpooledTemporaryFile(_SPOOLED))  # noqa: SIM115 - the stack closes it
    stack.callback(copy.close)
    shutil.copyfileobj(stream, copy)
    return copy


def _samples(one: _Input) -> Iterator[bytes]:
    """The beginning, the middle and the end; of a packed one the beginning."""
    with one.stream() as stream:
        yield stream.read(_SAMPLE)
    if stream is not one.file:
        return
    size = one.file.seek(0, os.SEEK_END)
    for place in (size // 2, size - _SAMPLE):
        if place > _SAMPLE:
            one.file.seek(place)
            one.file.readline(_SAMPLE)  # the rest of a line
            yield one.file.read(_SAMPLE)


def _window(gathered: Gathered) -> tuple[datetime, datetime] | None:
    """The stretch of time of which every line is kept: a day before the latest losses, and what came with them.

    Earlier losses have to do with the lines that a summary keeps of a whole log.
    """
    bursts = [burst for group in gathered.groups.values() for burst in group.bursts]
    if not bursts:
        return None
    last = max(burst.last for burst in bursts)
    first = max(min(burst.first for burst in bursts), last - LONG_AGO)
    return first - LONG_AGO, last + NEAR


_EXPECTED = (
    "a traceback, an application's log with tracebacks in it, an error log of MySQL or MariaDB, or a kernel's or "
    "service manager's log about one"
)


def _neither(one: _Input, *, log_only: bool) -> str:
    if log_only:
        return f"{one.name} has no line that a MySQL or MariaDB server, a kernel or a service manager writes about one"
    return (
        f"{one.name} holds neither an error of a MySQL or MariaDB client nor lines of such a server: "
        f"expected {_EXPECTED}"
    )
