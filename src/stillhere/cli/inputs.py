"""What was handed to ``stillhere explain``: found out for what it is, and read."""

from __future__ import annotations

import os
import select
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, BinaryIO, cast

from stillhere import apptrace, errorlog
from stillhere.causes.answer import LogView
from stillhere.causes.gather import Gathered, gather
from stillhere.causes.windows import LONG_AGO, NEAR
from stillhere.errorlog.source import unpacked
from stillhere.errors import ConfigurationError

__all__ = ["Materials", "piped", "read_all"]

_STDIN = "-"
_SAMPLE = 64 * 1024
_SPOOLED = 16 * 1024 * 1024  # bytes of standard input that stay in memory
_PATIENCE = 2.0  # seconds for the first byte of an input that nobody asked for by name


@dataclass(slots=True)
class Materials:
    """What the inputs held.

    Attributes:
        gathered: the application's reports.
        logs: the servers' logs.
    """

    gathered: Gathered = field(default_factory=Gathered)
    logs: list[LogView] = field(default_factory=list)


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
        given = [
            stack.enter_context(_opened(name)) for name in dict.fromkeys(logs) if name not in files or name == _STDIN
        ]
        as_log = [(one, True) for one in given]
        for one in inputs:
            if one.report or not one.log:
                count = gather(apptrace.read(one.stream()), one.name, found.gathered, zone)
                if one.log or (not one.report and not count):
                    as_log.append((one, one.log))
            else:
                as_log.append((one, True))
        around = _around(found.gathered)
        for one, sure in as_log:
            summary = errorlog.read(one.stream(), zone=zone or UTC, around=around)
            if not summary.counts and summary.unknown >= summary.lines and (not sure or one in given):
                raise ConfigurationError(_neither(one, log_only=one in given))
            found.logs.append(LogView(name=one.name, summary=summary, window=around))
    return found


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


@dataclass(slots=True, eq=False)
class _Input:
    """One open input that can be read again from its beginning.

    Attributes:
        name: as it was given; ``standard input`` for ``-``.
        report: whether it looks like an application's report or log.
        log: whether it looks like a server's log.
    """

    name: str
    file: BinaryIO
    report: bool = False
    log: bool = False

    def stream(self) -> BinaryIO:
        """Its bytes from the beginning, unpacked."""
        self.file.seek(0)
        return unpacked(self.file, self.name)


@contextmanager
def _opened(name: str) -> Iterator[_Input]:
    with ExitStack() as stack:
        if name == _STDIN:
            file: IO[bytes] = stack.enter_context(tempfile.SpooledTemporaryFile(_SPOOLED))
            shutil.copyfileobj(sys.stdin.buffer, file)
            shown = "standard input"
        else:
            path = Path(name)
            if path.is_dir():
                raise ConfigurationError(f"{name} is a directory; name the files in it")
            file = stack.enter_context(path.open("rb"))
            shown = name
            if not file.seekable():  # a named pipe, such as the shell's <(…)
                copy = stack.enter_context(tempfile.SpooledTemporaryFile(_SPOOLED))
                shutil.copyfileobj(file, copy)
                file = copy
        one = _Input(shown, cast("BinaryIO", file))
        samples = list(_samples(one))
        if not any(sample.strip() for sample in samples):
            raise ConfigurationError(f"{shown} is empty: expected {_EXPECTED}")
        one.report = any(apptrace.sniff(sample) for sample in samples)
        one.log = any(errorlog.sniff(sample) for sample in samples)
        yield one


def _samples(one: _Input) -> Iterator[bytes]:
    """The beginning, the middle and the end; of a packed one the beginning."""
    stream = one.stream()
    yield stream.read(_SAMPLE)
    if stream is not one.file:
        return
    size = one.file.seek(0, os.SEEK_END)
    for place in (size // 2, size - _SAMPLE):
        if place > _SAMPLE:
            one.file.seek(place)
            one.file.readline()  # the rest of a line
            yield one.file.read(_SAMPLE)


def _around(gathered: Gathered) -> tuple[datetime, datetime] | None:
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
