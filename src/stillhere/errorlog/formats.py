"""The formats of lines: what containers and service managers put around them, and the server's own heads.

Sources: "Error Log Output Format" of the MySQL manual, "Error Log" of the MariaDB documentation, RFC 3164 and 5424,
journalctl(1), the container runtime interface's log format, and lines that the lab's servers wrote.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from stillhere.errorlog.moments import hour_of, hour_part, moment, moment_without_year

__all__ = ["Clock", "Line", "Source", "read_line"]

_CODES, _NUMBERS = 10**6, 1 << 64
_DIGITS = 20  # more than 64 bits hold is no number of a thread
_LAYERS = 4  # a container's log of a journal's log has three
_PRIORITIES = {0: "System", 1: "ERROR", 2: "Warning", 3: "Note"}
_SERVER = re.compile(r"(?:mysqld|mariadbd|mysql|mariadb|percona)(?:[-_@][\w.-]*)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How times without a year or a zone are read.

    Attributes:
        zone: of times that don't name one.
        until: about when the log ends, which settles the year of times that don't name one.
    """

    zone: tzinfo = UTC
    until: datetime = datetime(2999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who wrote a line, as the wrapping says: ``kernel``, ``systemd``, the server, or somebody else."""

    program: str = ""

    @property
    def server(self) -> bool:
        """Whether it is the server itself."""
        return _SERVER.match(self.program) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line taken apart.

    Attributes:
        message: what is left when wrapping and head are off.
        headed: whether the server's own head was there.
        wrapping: the names of the wrappings, outermost first.
        style: the head's style, such as ``"mysql 8"``; empty without a head.
        source: who wrote it, as far as the wrapping tells.
        at: the head's time, else the wrapping's.
        hour: the start of its hour by the clock that wrote it, in UTC; ``None`` where that is no time.
        zone: the zone that the head's time names; empty where it names none.
        thread_id: the head's thread; 0 without one.
        severity: the head's label.
        code: the head's code.
    """

    message: str
    headed: bool = False
    wrapping: tuple[str, ...] = ()
    style: str = ""
    source: Source = Source()
    at: datetime | None = None
    hour: datetime | None = None
    zone: str = ""
    thread_id: int = 0
    severity: str = ""
    code: str = ""


_TIME = r"\d{4}-\d\d-\d\d[T ][ \d]\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_ZONED = rf"{_TIME}(?:Z|[+-]\d\d:?\d\d)"
_WHO = r"\S+ (?P<program>[^\s:\[\]]{1,64})(?:\[\d+\])?:(?: |\Z)"

_WRAPPINGS = (
    ("compose", re.compile(r"(?:\x1b\[[\d;]*m)*[\w.-]{1,128} +\| ?(?:\x1b\[[\d;]*m)*")),
    ("cri", re.compile(rf"(?P<at>{_ZONED}) std(?:out|err) [FP] ")),
    ("syslog", re.compile(rf"(?:<\d{{1,3}}>)?(?P<yearless>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?) {_WHO}")),
    ("syslog", re.compile(rf"(?P<at>{_ZONED}) {_WHO}")),
    ("syslog", re.compile(rf"[A-Z][a-z]{{2}} (?P<at>{_TIME} UTC|{_TIME})(?: [A-Z]{{2,5}})? {_WHO}")),
    (
        "syslog",
        re.compile(
            rf"<\d{{1,3}}>1 (?:(?P<at>{_ZONED})|-) \S+ (?P<program>\S+) \S+ \S+ "
            r"(?:-|(?:\[(?:[^\]\\]|\\.)*+\])+)(?: \ufeff?|\Z)"
        ),
    ),
    ("dmesg", re.compile(r"(?:<\d{1,3}>)?\[ *\d+\.\d{6}\] ")),
    ("dmesg", re.compile(r"\[[A-Z][a-z]{2} (?P<ctime>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})\] ")),
    # What "kubectl logs --timestamps", "docker logs -t" and CloudWatch's tail put before a line.
    ("timestamped", re.compile(rf"(?P<at>{_ZONED})(?:[ \t]+(?!\d)[^\s\[\]]+)?[ \t]+(?=\d{{4}}-\d\d-\d\d|\d{{6}} )")),
)

_HEADS = (
    (
        "mysql 8",
        re.compile(
            rf"(?P<at>{_TIME}(?:Z|[+-]\d\d:\d\d)?) (?P<thread>\d+) \[(?P<severity>\w+)\] "
            r"\[(?P<code>MY-\d+)\] ?(?:\[\w*\] ?)?"
        ),
    ),
    ("mysql 5.7", re.compile(rf"(?P<at>{_ZONED}) (?P<thread>\d+) \[(?P<severity>\w+)\] ?")),
    ("mariadb", re.compile(rf"(?P<at>{_TIME}) (?P<thread>\d+) \[(?P<severity>\w+)\] ?")),
    ("entrypoint", re.compile(rf"(?P<at>{_ZONED}) \[(?P<severity>\w+)\] \[Entrypoint\]: ?")),
    ("mysqld_safe", re.compile(rf"(?P<at>{_TIME}Z?|\d{{6}} [ \d]\d:\d\d:\d\d) (?:mysqld|mariadbd?)_safe ")),
    ("old", re.compile(r"(?P<at>\d{6} [ \d]\d:\d\d:\d\d) \[(?P<severity>\w+)\] ?")),
    ("innodb", re.compile(rf"(?P<at>{_TIME}Z?) (?:0x)?[0-9a-fA-F]{{4,16}}  ?(?=InnoDB: )")),
    ("dump", re.compile(rf"(?P<at>{_TIME}Z|\d\d:\d\d:\d\d) UTC - (?=\S+ got )")),
)
# What the heads begin with: a quick no for all other lines.
_BEGINS = re.compile(r"\d\d(?:\d\d-\d\d-|\d{4} |:\d\d:)")


def read_line(text: str, clock: Clock) -> Line | None:
    """The line taken apart; ``None`` where it has neither a known wrapping nor a server's head."""
    if not text:
        return None
    wrapping: list[str] = []
    program, at = "", None
    for _ in range(_LAYERS):
        if text.startswith("{"):
            layer = _from_json(text, clock)
            if isinstance(layer, Line):
                return _wrapped(layer, wrapping, program, at)
        else:
            head = _head(text, clock)
            if head is not None:
                return _wrapped(head, wrapping, program, at)
            layer = _unwrapped(text, clock)
        if layer is None:
            break
        name, said, when, text = layer
        wrapping.append(name)
        program, at = said or program, when or at
    if not wrapping:
        return None
    return Line(message=text, wrapping=tuple(wrapping), source=Source(program=program), at=at, hour=_utc_hour(at))


def _wrapped(line: Line, wrapping: list[str], program: str, at: datetime | None) -> Line:
    if not wrapping:
        return line
    return replace(line, wrapping=tuple(wrapping), source=Source(program=program), at=line.at or at)


def _utc_hour(at: datetime | None) -> datetime | None:
    return at.replace(minute=0, second=0, microsecond=0) if at else None


def _head(text: str, clock: Clock) -> Line | None:
    if not _BEGINS.match(text):
        return None
    for style, pattern in _HEADS:
        if found := pattern.match(text):
            parts = found.groupdict()
            hour, zone = hour_part(parts["at"])
            return Line(
                message=text[found.end() :],
                headed=True,
                style=style,
                at=moment(parts["at"], clock.zone),
                hour=hour_of(hour, zone, clock.zone),
                zone=zone,
                thread_id=_number(parts.get("thread")),
                severity=parts.get("severity") or "",
                code=parts.get("code") or "",
            )
    return None


_Layer = tuple[str, str, datetime | None, str]


def _unwrapped(text: str, clock: Clock) -> _Layer | None:
    for name, pattern in _WRAPPINGS:
        if found := pattern.match(text):
            parts = found.groupdict()
            program = parts.get("program") or ("kernel" if name == "dmesg" else "")
            return name, program, _when(parts, clock), text[found.end() :]
    return None


def _when(parts: dict[str, str | None], clock: Clock) -> datetime | None:
    if at := parts.get("at"):
        return moment(at, clock.zone)
    if yearless := parts.get("yearless"):
        return moment_without_year(yearless, clock.until, clock.zone)
    if ctime := parts.get("ctime"):
        date, _, year = ctime.rpartition(" ")
        end = moment(f"{year}-12-31 00:00:00")
        return moment_without_year(date, end, clock.zone) if end else None
    return None


def _from_json(text: str, clock: Clock) -> _Layer | Line | None:
    """A line of Docker's json-file, of journalctl's JSON output, or of MySQL's JSON sink."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    match fields:
        case {"log": str() as inner}:
            return "docker", "", moment(_text(fields.get("time")), clock.zone), inner.rstrip("\r\n")
        case {"MESSAGE": str() as inner}:
            stamp = _text(fields.get("__REALTIME_TIMESTAMP"))
            program = _text(fields.get("SYSLOG_IDENTIFIER")) or _text(fields.get("_COMM"))
            return "journal", program, _from_microseconds(stamp), inner
        case {"err_code": int() as code, "msg": str() as message}:
            time = _text(fields.get("time"))
            return Line(
                message=message,
                headed=True,
                style="mysql json",
                at=moment(time, clock.zone),
                hour=hour_of(*hour_part(time), clock.zone),
                thread_id=_number(fields.get("thread")),
                severity=_text(fields.get("label")) or _PRIORITIES.get(_number(fields.get("prio")), ""),
                code=f"MY-{code:06}" if 0 <= code < _CODES else "",
            )
    return None


def _from_microseconds(stamp: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(stamp) / 1e6, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    if isinstance(value, int):
        return value if 0 <= value < _NUMBERS else 0
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS else 0
