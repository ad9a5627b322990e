"""Errors of other languages' clients, of which often only the server's or the library's words are left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stillhere.apptrace.dress import Line, moment
from stillhere.apptrace.report import Frame, Position, Report
from stillhere.apptrace.secrets import masked, masked_line
from stillhere.registry import Registry

__all__ = ["WORDINGS", "Wording", "foreign_reports"]

MOST_LINES = 80
MOST_FRAMES = 60
MOST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Wording:
    """How one client words an error on one line.

    Attributes:
        name: what users of the registry call it.
        language: as in `Report.language`.
        driver: the client's own name; empty where the wording is shared by several.
        marks: strings of which one must be on the line; looked for before the expression.
        pattern: groups ``exception``, ``errno``, ``message``, ``statement`` where the wording has them.
        position: what the wording itself says was being done.
    """

    name: str
    language: str
    driver: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    position: Position = Position.UNKNOWN


def _wording(name: str, driver: str, marks: str, pattern: str, position: Position = Position.UNKNOWN) -> Wording:
    return Wording(name, name.partition("-")[0], driver, tuple(marks.split("|")), re.compile(pattern), position)


_CLASS = r"(?P<exception>(?:[A-Za-z_]\w{0,80}[.:\\]{1,2}){0,10}[A-Za-z_]\w{0,80})"

WORDINGS: Registry[Wording] = Registry(
    "wording",
    (
        _wording("php-pdo-connect", "PDO", "SQLSTATE[",
                 rf"(?:{_CLASS}: )?SQLSTATE\[\w{{5}}\] \[(?P<errno>\d{{1,5}})\] (?P<message>.{{1,4000}})", Position.CONNECT),
        _wording("php-pdo", "PDO", "SQLSTATE[",
                 rf"(?:{_CLASS}: )?SQLSTATE\[\w{{5}}\]: [A-Za-z0-9 :<>]{{0,80}}?: (?P<errno>\d{{1,5}}) (?P<message>.{{1,4000}})"),
        _wording("php-mysqli-number", "mysqli", "mysqli",
                 r"(?P<exception>mysqli\w{0,40}(?:::\w{1,40})?)\(\): \(\w{5}/(?P<errno>\d{1,5})\): (?P<message>.{1,2000})"),
        _wording("php-mysqli", "mysqli", "mysqli",
                 r"(?:(?P<exception>mysqli_sql_exception): |mysqli\w{0,40}(?:::\w{1,40})?\(\): )(?P<message>(?:MySQL server has"
                 r" gone away|Error while sending \w{1,20} packet|Lost connection|Error reading result set|Connection "
                 r"(?:refused|timed out)|Too many connections|Premature end of data).{0,2000})"),
        _wording("java-connector", "MySQL Connector/J", "com.mysql.|Communications link failure",
                 rf"(?:{_CLASS}: )?(?P<message>Communications link failure|No operations allowed after connection closed\.?"
                 r"|The last packet successfully received from the server was .{0,2000}|Packet for query is too large.{0,300}"
                 r"|Connection is closed\.|Could not create connection to database server.{0,300})"),
        _wording("java-class", "MySQL Connector/J", "com.mysql.",
                 r"(?P<exception>com\.mysql\.(?:cj\.)?jdbc\.exceptions\.(?:\w{1,40}\.){0,3}\w{1,80}): (?P<message>.{1,2000})"),
        _wording("java-mariadb", "MariaDB Connector/J", "(conn=|org.mariadb",
                 rf"(?:{_CLASS}: )(?P<message>\(conn=\d{{1,12}}\) .{{1,2000}}|Socket fail to connect.{{0,2000}})"),
        _wording("java-pool", "HikariCP", "Pool",
                 rf"(?:{_CLASS}: )?(?P<message>[\w.-]{{0,60}}Pool[\w-]{{0,30}} - Connection is not available, request timed out"
                 r" after \d{1,12}ms.{0,300})", Position.POOL),
        _wording("node-lost", "mysql2", "Connection lost: The server closed the connection",
                 r"(?:(?P<exception>Error): )?(?P<message>Connection lost: The server closed the connection\.?)"),
        _wording("node-socket", "mysql2", "ECONN|EPIPE|ETIMEDOUT|PROTOCOL_",
                 r"(?P<exception>Error): (?P<message>(?:(?:read|write|connect) (?:ECONNRESET|EPIPE|ETIMEDOUT|ECONNREFUSED"
                 r"|ECONNABORTED)\b.{0,200}|PROTOCOL_\w{1,60}.{0,300}|Cannot enqueue \w{1,30} after .{1,100}))"),
        _wording("node-closed", "mysql2", "closed state",
                 r"(?:(?P<exception>Error): )?(?P<message>Can't add new command when connection is in closed state)"),
        _wording("go-bad", "go-sql-driver", "driver: bad connection", r"(?P<message>driver: bad connection)"),
        _wording("go-invalid", "go-sql-driver", "invalid connection",
                 r"(?:^|[\s:=\"])(?P<message>invalid connection)(?=$|[\"\\]|\s*$)"),
        _wording("go-log", "go-sql-driver", "[mysql]",
                 r"\[mysql\] (?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(?P<message>\w{1,40}\.go:\d{1,6}: .{1,1000})"),
        _wording("go-error", "go-sql-driver", "Error 1|Error 2|Error 3|Error 4",
                 r"(?:^|[\s:\"=])Error (?P<errno>\d{4})(?: \(\w{5}\))?: (?P<message>.{1,2000})"),
        _wording("ruby-statement", "mysql2", "Mysql2::",
                 rf"(?:{_CLASS}(?: \(|: ))?Mysql2::Error(?:::\w{{1,60}})?: (?P<message>[^:]{{1,300}})(?:: (?P<statement>.{{1,4000}}))?"),
        _wording("ruby-class", "mysql2", "Mysql2::", r"(?P<message>.{1,300}) \((?P<exception>Mysql2::Error(?:::\w{1,60})?)\)"),
        _wording("ruby-trilogy", "trilogy", "Trilogy::",
                 r"(?P<exception>Trilogy::\w{1,60}): (?:(?P<errno>\d{4}): )?(?P<message>.{1,1000})"),
        _wording("ruby-pool", "", "could not obtain a connection from the pool",
                 rf"(?:{_CLASS}: )?(?P<message>could not obtain a connection from the pool within .{{1,300}})", Position.POOL),
        _wording("perl-dbd", "DBD::mysql", "DBD::mysql::|DBD::MariaDB::",
                 r"(?P<exception>DBD::(?:mysql|MariaDB)::\w{1,10} \w{1,40} failed): (?P<message>.{1,1000})"),
        _wording("dotnet", "", "MySqlException",
                 r"(?P<exception>(?:MySql\.Data\.MySqlClient|MySqlConnector)\.MySqlException)(?: \(0x[0-9a-fA-F]{8}\))?:"
                 r" (?P<message>.{1,2000})"),
        _wording("shell-client", "mysql", "ERROR ",
                 r"^(?:mysql: )?ERROR (?P<errno>\d{4}) \(\w{5}\)(?: at line \d{1,12}(?: in file: '[^']{0,300}')?)?: (?P<message>.{1,2000})"),
        _wording("shell-tool", "", "mysql|mariadb",
                 r"^(?P<exception>(?:mysql|mariadb)(?:dump|-dump|import|-import|admin|-admin|check|-check|binlog|-binlog|slap)):"
                 r" (?:Error|Got error): (?P<errno>\d{4}):? (?P<message>.{1,1000})"),
        _wording("shell-dump", "", "mysqldump: Error|mariadb-dump: Error",
                 r"^(?P<exception>mysqldump|mariadb-dump): Error (?P<errno>\d{4}): (?P<message>.{1,1000})"),
    ),
)  # fmt: skip

_ANY = re.compile("|".join(re.escape(mark) for mark in {mark for one in WORDINGS for mark in one.marks}))
_OURS = re.compile(r"mysql|mariadb|sqlMessage|sqlState|fatal: true|\"fatal\": ?true|:3306\b", re.IGNORECASE)
_STACK = re.compile(
    r"\s+at |\s*#\d{1,4} |\s+from /|\s*(?:\.\.\. \d{1,5} more|Caused by: |The last packet |\[stacktrace\]|Stack trace:|--->|---)"
    r"|\s+['\"]?(?:code|errno|syscall|fatal|sql|sqlState|sqlMessage|address|port|stack|type|message)['\"]?: |\s*[{}],?$|\s*thrown in"
    r"|\S{1,300}\.rb:\d{1,7}:in |goroutine \d|\t/|\s*\S{1,200}\.go:\d|\s*MESSAGE:|\s*STACKTRACE"
)
_IDLE = re.compile(r"last packet (?:successfully )?received from the server was ([\d,.  ]{1,20}) ?milliseconds ago")
_SQL = (
    re.compile(r"\((?:Connection: [\w.-]{1,80},(?: Host: [^,]{1,100},)?(?: Port: \d{0,6},)?(?: Database: [^,]{0,80},)? )?SQL: (.{1,4000})\)"),
    re.compile(r"\[for Statement \"(.{1,4000})\"(?: with ParamValues: .{0,1000})?\]"),
    re.compile(r"\s['\"]?sql['\"]?: ['\"`](.{1,4000})['\"`],?$"),
)
_ERRNO_FIELD = re.compile(r"['\"]?errno['\"]?: ?(-?\d{1,5})\b")
_OS_NAMES = {"ECONNRESET": 104, "EPIPE": 32, "ETIMEDOUT": 110, "ECONNREFUSED": 111, "ECONNABORTED": 103}
_OS_WORDS = (
    ("broken pipe", 32),
    ("connection reset by peer", 104),
    ("connect: connection refused", 111),
)
_TIMEOUT = re.compile(r"SocketTimeoutException|Read timed out|i/o timeout|Command Timeout expired|Timeout expired|TimeoutError")
_FRAMES = (
    re.compile(r"\s*at (?P<function>[\w.$<>/]{1,300})\((?P<path>[\w$.-]{1,120}):(?P<line>\d{1,7})\)"),
    re.compile(r"\s*at (?:(?P<function>[^\n()]{1,200}) \()?(?P<path>[^\s()]{1,300}):(?P<line>\d{1,7}):\d{1,7}\)?"),
    re.compile(r"\s*#\d{1,4} (?P<path>[^\s()][^\n()]{0,300})\((?P<line>\d{1,7})\): (?P<function>[\w\\:>-]{1,200})"),
    re.compile(r"\s*(?:from )?(?P<path>/?[^\s:]{1,300}\.rb):(?P<line>\d{1,7}):in ['`](?P<function>[^'`\n]{1,200})'"),
    re.compile(r"\s*at (?P<function>[^\n()]{1,200})\([^\n()]{0,300}\) in (?P<path>[^\n]{1,300}):line (?P<line>\d{1,7})"),
    re.compile(r"\s+(?P<path>/[^\s:]{1,300}\.go):(?P<line>\d{1,7})(?P<function>)"),
)
_IN_FILE = re.compile(r" (?:in|at) (?P<path>/?[\w./\\:-]{1,300}\.\w{1,5})(?::| on line | line )(?P<line>\d{1,7})")
_THEIRS = re.compile(
    r"node_modules|^node:|/vendor/|/gems/|/ruby/\d|^internal/|/go/pkg/mod/|/usr/local/go/|/src/runtime/|/usr/share/php|\.pm$"
)
_THEIR_CLASSES = re.compile(
    r"(?:java|javax|jakarta|jdk|sun|com\.sun|com\.mysql|org\.mariadb|com\.zaxxer|org\.springframework|org\.hibernate|org\.apache"
    r"|io\.netty|kotlin|kotlinx|scala|org\.eclipse|io\.undertow|reactor|System|MySql|Microsoft|MySqlConnector|Dapper)\."
)


def foreign_reports(lines: Sequence[Line], covered: Sequence[tuple[int, int]]) -> Iterator[Report]:
    """Every report of another language's client in the lines that no other report covers."""
    at = 0
    while at < len(lines):
        line = lines[at]
        found = None
        if _ANY.search(line.text) and not any(start <= line.number <= end for start, end in covered):
            found = _worded(line.text)
        if found is None:
            at += 1
            continue
        after = _block(lines, at, found[0].language)
        report = _report(found[0], found[1], lines[at:after])
        if report is not None:
            yield report
        at = after


def _worded(text: str) -> tuple[Wording, re.Match[str]] | None:
    for one in WORDINGS:
        if any(mark in text for mark in one.marks) and (found := one.pattern.search(text)) is not None:
            return one, found
    return None


def _block(lines: Sequence[Line], start: int, language: str) -> int:
    """Where the lines that belong to the error on line ``start`` end."""
    at = start + 1
    while at < min(start + MOST_LINES, len(lines)):
        text = lines[at].text
        blank = not text.strip()
        if blank and not (at + 1 < len(lines) and _STACK.match(lines[at + 1].text)):
            break
        if not blank and _STACK.match(text) is None:
            other = _worded(text)
            if other is None or other[0].language != language or language not in ("java", "dotnet"):
                break
        at += 1
    return at


def _report(one: Wording, found: re.Match[str], lines: Sequence[Line]) -> Report | None:
    text = "\n".join(line.text for line in lines)
    if one.name == "node-socket" and not _OURS.search(text):
        return None  # any socket's error is worded so
    groups = found.groupdict()
    statement = groups.get("statement") or next((sql[1] for form in _SQL if (sql := form.search(text))), "")
    frames = tuple(_frames(lines, one.language))
    first = lines[0]
    at, zoned = moment(first.at) if first.at else (None, False)
    errno = int(groups["errno"]) if groups.get("errno") else _errno_field(text)
    idle = _IDLE.search(text)
    return Report(
        line=first.number,
        at=at,
        zoned=zoned,
        language=one.language,
        driver=one.driver,
        exception=groups.get("exception") or "",
        errno=errno,
        codes=() if errno is None else (errno,),
        os_error=_os_error(text),
        timed_out=_TIMEOUT.search(text) is not None and one.position is not Position.POOL,
        message=masked_line(groups["message"].rstrip("\"'}\\"), MOST_MESSAGE),
        statement=masked(statement),
        statement_at_least=len(statement.encode("utf-8", "replace")) if statement and "?" not in statement else 0,
        position=one.position,
        frame=next((frame for frame in frames if _own(frame)), None),
        frames=frames[:MOST_FRAMES],
        idle_ms=int(re.sub(r"\D", "", idle[1]) or 0) if idle else None,
        process=first.process,
        thread=first.thread,
    )


def _errno_field(text: str) -> int | None:
    """Node's ``errno`` field where it is the server's number: the system's are negative there."""
    found = _ERRNO_FIELD.search(text)
    return int(found[1]) if found and int(found[1]) >= 1000 else None  # noqa: PLR2004 - the servers' numbers begin there


def _os_error(text: str) -> int | None:
    for name, number in _OS_NAMES.items():
        if name in text:
            return number
    lower = text.lower()
    for words, number in _OS_WORDS:
        if words in lower:
            return number
    found = re.search(r"\berrno[=:] ?(\d{1,3})\b", text)
    return int(found[1]) if found else None


def _frames(lines: Sequence[Line], language: str) -> Iterator[Frame]:
    """Frames in the order of these languages: the innermost first, so that the first own one is the innermost."""
    for line in lines:
        for form in _FRAMES:
            if found := form.match(line.text):
                yield Frame(masked(found["path"]), int(found["line"]), found["function"] or "")
                break
        else:
            if (found := _IN_FILE.search(line.text)) is not None and language in ("php", "perl"):
                yield Frame(masked(found["path"]), int(found["line"]), "")


def _own(frame: Frame) -> bool:
    return not _THEIRS.search(frame.path) and not _THEIR_CLASSES.match(frame.function)


def with_line(report: Report, number: int) -> Report:
    """The same report as it stands on another line."""
    return replace(report, line=number)
