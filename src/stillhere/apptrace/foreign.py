"""Errors of other languages' clients, of which often only the server's or the library's words are left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stillhere.apptrace.dress import Line, moment
from stillhere.apptrace.report import Frame, Position, Report
from stillhere.apptrace.secrets import masked, masked_line
from stillhere.apptrace.wordings import Wording, worded

__all__ = ["foreign_reports"]

MOST_LINES = 80
MOST_FRAMES = 60
MOST_MESSAGE = 500
_FIRST_SERVER_ERROR = 1000

_OURS = re.compile(r"mysql|mariadb|sqlMessage|sqlState|fatal: true|\"fatal\": ?true|:3306\b|PROTOCOL_", re.IGNORECASE)
_STACK = re.compile(
    r"\s+at |\s*#\d{1,4} |\s+from /"
    r"|\s*(?:\.\.\. \d{1,5} more|Caused by: |The last packet |\[stacktrace\]|Stack trace:|--->|---|thrown in |MESSAGE:)"
    r"|\s+['\"]?(?:code|errno|syscall|fatal|sql|sqlState|sqlMessage|address|port|stack|type|message)['\"]?: |\s*[{}],?$"
    r"|\S{1,300}\.rb:\d{1,7}:in |goroutine \d|\t/|\s*\S{1,200}\.go:\d"
)
_CONTINUING = ("java", "dotnet")
"""Languages whose own stack lists further errors of the same wording."""
_IDLE = re.compile(r"last packet (?:successfully )?received from the server was ([\d,. ]{1,20}) ?milliseconds ago")
_SQL = (
    re.compile(
        r"\((?:Connection: [\w.-]{1,80},(?: Host: [^,]{0,100},)?(?: Port: \d{0,6},)?(?: Database: [^,]{0,80},)? )?"
        r"SQL: (.{1,4000}?)\)(?=$|\s)"
    ),
    re.compile(r"\[for Statement \"(.{1,4000}?)\"(?: with ParamValues: .{0,1000})?\]"),
    re.compile(r"\s['\"]?sql['\"]?: ['\"`](.{1,4000})['\"`],?$", re.MULTILINE),
)
_ERRNO_FIELD = re.compile(r"['\"]?errno['\"]?: ?(-?\d{1,5})\b")
_OS_FIELD = re.compile(r"\berrno[=:] ?(\d{1,3})\b|\bSocketException \((\d{1,5})\)")
_OS_NAMES = {"ECONNRESET": 104, "EPIPE": 32, "ETIMEDOUT": 110, "ECONNREFUSED": 111, "ECONNABORTED": 103}
_OS_WORDS = {
    "broken pipe": 32,
    "connection reset": 104,
    "connect: connection refused": 111,
    "Connection refused": 111,
}
_TIMEOUT = re.compile(r"SocketTimeoutException|Read timed out|i/o timeout|Command Timeout expired|Timeout expired")
_FRAMES = (
    re.compile(r"\s*at (?P<function>[\w.$<>/]{1,300})\((?P<path>[\w$.-]{1,120}):(?P<line>\d{1,7})\)"),
    re.compile(r"\s*at (?:(?P<function>[^\n()]{1,200}) \()?(?P<path>[^\s()]{1,300}):(?P<line>\d{1,7}):\d{1,7}\)?"),
    re.compile(r"\s*#\d{1,4} (?P<path>[^\s()][^\n()]{0,300})\((?P<line>\d{1,7})\): (?P<function>[\w\\:>-]{1,200})"),
    re.compile(r"\s*(?:from )?(?P<path>/?[^\s:]{1,300}\.rb):(?P<line>\d{1,7}):in ['`](?P<function>[^'`\n]{1,200})'"),
    re.compile(
        r"\s*at (?P<function>[^\n()]{1,200})\([^\n()]{0,300}\) in (?P<path>[^\n]{1,300}):line (?P<line>\d{1,7})"
    ),
    re.compile(r"\s+(?P<path>/[^\s:]{1,300}\.go):(?P<line>\d{1,7})(?P<function>)"),
)
_IN_FILE = re.compile(r" (?:in|at) (?P<path>/?[\w./\\-]{1,300}\.\w{1,5})(?::| on line | line )(?P<line>\d{1,7})")
_THEIRS = re.compile(
    r"node_modules|^node:|/vendor/|/gems/|/ruby/\d|^internal/|/go/pkg/mod/|/usr/local/go/|/src/runtime/|/usr/share/php|\.pm$"
    r"|^/_/"
)
_THEIR_CLASSES = re.compile(
    r"(?:java|javax|jakarta|jdk|sun|com\.sun|com\.mysql|org\.mariadb|com\.zaxxer|org\.springframework|org\.hibernate"
    r"|org\.apache|io\.netty|kotlin|kotlinx|scala|org\.eclipse|io\.undertow|reactor|System|MySql|Microsoft|MySqlConnector"
    r"|Dapper)\."
)


def foreign_reports(lines: Sequence[Line], covered: Sequence[tuple[int, int]]) -> Iterator[Report]:
    """Every report of another language's client in the lines that no other report covers."""
    at = 0
    while at < len(lines):
        line = lines[at]
        found = worded(line.text)
        if found is None or any(start <= line.number <= end for start, end in covered):
            at += 1
            continue
        after = _block(lines, at, found[0].language)
        report = _report(found[0], found[1], lines[at:after])
        if report is not None:
            yield report
        at = after


def _block(lines: Sequence[Line], start: int, language: str) -> int:
    """Where the lines that belong to the error on line ``start`` end."""
    at = start + 1
    while at < min(start + MOST_LINES, len(lines)):
        text = lines[at].text
        if not text.strip():
            if not (at + 1 < len(lines) and _STACK.match(lines[at + 1].text)):
                break
        elif _STACK.match(text) is None:
            other = worded(text)
            if other is None or other[0].language != language or language not in _CONTINUING:
                break
        at += 1
    return at


def _report(one: Wording, found: re.Match[str], lines: Sequence[Line]) -> Report | None:
    text = "\n".join(line.text for line in lines)
    if one.name == "node-socket" and not _OURS.search(text):
        return None  # any socket's error is worded so
    groups = [found.groupdict()]
    groups += [again[1].groupdict() for line in lines[1:] if (again := worded(line.text)) is not None]
    statement = groups[0].get("statement") or next((sql[1] for form in _SQL if (sql := form.search(text))), "")
    frames = tuple(_frames(lines, one.language))
    at, zoned = moment(lines[0].at) if lines[0].at else (None, False)
    errno = next((int(group["errno"]) for group in groups if group.get("errno")), None) or _errno_field(text)
    idle = _IDLE.search(text)
    return Report(
        line=lines[0].number,
        at=at,
        zoned=zoned,
        language=one.language,
        driver=one.driver,
        exception=next((group["exception"] for group in groups if group.get("exception")), ""),
        errno=errno,
        codes=() if errno is None else (errno,),
        os_error=_os_error(text),
        timed_out=_TIMEOUT.search(text) is not None and one.position is not Position.POOL,
        message=masked_line(found["message"].rstrip("\"'}\\"), MOST_MESSAGE),
        statement=masked(statement),
        statement_at_least=len(statement.encode("utf-8", "replace")) if "?" not in statement else 0,
        position=one.position,
        frame=next((frame for frame in frames if _own(frame)), None),
        frames=frames[:MOST_FRAMES],
        idle_ms=int(re.sub(r"\D", "", idle[1]) or 0) if idle else None,
        process=lines[0].process,
        thread=lines[0].thread,
    )


def _errno_field(text: str) -> int | None:
    """Node's ``errno`` field where it is the server's number: the system's are negative there."""
    found = _ERRNO_FIELD.search(text)
    return int(found[1]) if found and int(found[1]) >= _FIRST_SERVER_ERROR else None


def _os_error(text: str) -> int | None:
    """The system's number, where a text has it or its name; the names mean the same number in each report."""
    for name, number in _OS_NAMES.items():
        if name in text:
            return number
    for words, number in _OS_WORDS.items():
        if words in text or words.capitalize() in text:
            return number
    found = _OS_FIELD.search(text)
    return int(found[1] or found[2]) if found else None


def _frames(lines: Sequence[Line], language: str) -> Iterator[Frame]:
    """Frames in the order of these languages, the innermost first."""
    for line in lines:
        for form in _FRAMES:
            if found := form.match(line.text):
                yield Frame(masked(found["path"]), int(found["line"]), found["function"] or "")
                break
        else:
            if language in ("php", "perl") and (found := _IN_FILE.search(line.text)) is not None:
                yield Frame(masked(found["path"]), int(found["line"]), "")


def _own(frame: Frame) -> bool:
    return not _THEIRS.search(frame.path) and not _THEIR_CLASSES.match(frame.function)
