"""How the clients of other languages word an error on one line: one entry of the registry for each wording."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stillhere.apptrace.report import Position
from stillhere.registry import Registry

__all__ = ["WORDINGS", "Wording", "worded"]


@dataclass(frozen=True, slots=True)
class Wording:
    """One client's way of saying that something went wrong.

    Attributes:
        name: unique; what is before its first hyphen is the language, or ``any``.
        driver: the client's own name; empty where the wording is shared by several.
        marks: strings of which one must be on the line; looked for before the expression.
        pattern: with a group ``message``, and ``exception``, ``errno``, ``statement`` where the wording has them.
        position: what the wording itself says was being done.
    """

    name: str
    driver: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    position: Position = Position.UNKNOWN

    @property
    def language(self) -> str:
        """As in `Report.language`."""
        language = self.name.partition("-")[0]
        return "" if language == "any" else language


def worded(text: str) -> tuple[Wording, re.Match[str]] | None:
    """The first wording that a line fits, and how it fits it."""
    if _ANY.search(text) is None:
        return None
    for one in WORDINGS:
        if any(mark in text for mark in one.marks) and (found := one.pattern.search(text)) is not None:
            return one, found
    return None


def _wording(
    name: str, driver: str, marks: tuple[str, ...], *pattern: str, position: Position = Position.UNKNOWN
) -> Wording:
    return Wording(name, driver, marks, re.compile("".join(pattern)), position)


_CLASS = r"(?P<exception>(?:[A-Za-z_]\w{0,80}[.:\\]{1,2}){0,10}[A-Za-z_]\w{0,60}(?:Exception|Error|Invalid|Timeout)\b)"
_NAMED = rf"(?:{_CLASS}: )?"
_PHP_MESSAGE = r"(?P<message>.{1,2000}?)(?= in /\S{1,300}(?::\d| on line)| \((?:Connection|SQL): | \{\"|$)"

WORDINGS: Registry[Wording] = Registry(
    "wording",
    (
        _wording(
            "php-pdo-connect",
            "PDO",
            ("SQLSTATE[",),
            _NAMED,
            r"SQLSTATE\[\w{5}\] \[(?P<errno>\d{1,5})\] ",
            _PHP_MESSAGE,
            position=Position.CONNECT,
        ),
        _wording(
            "php-pdo",
            "PDO",
            ("SQLSTATE[",),
            _NAMED,
            r"SQLSTATE\[\w{5}\]: [A-Za-z0-9 :<>]{0,80}?: (?P<errno>\d{1,5}) ",
            _PHP_MESSAGE,
        ),
        _wording(
            "php-mysqli-number",
            "mysqli",
            ("mysqli",),
            r"(?P<exception>mysqli\w{0,40}(?:::\w{1,40})?)\(\): \(\w{5}/(?P<errno>\d{1,5})\): ",
            _PHP_MESSAGE,
        ),
        _wording(
            "php-mysqli",
            "mysqli",
            ("mysqli",),
            r"(?:(?P<exception>mysqli_sql_exception): |mysqli\w{0,40}(?:::\w{1,40})?\(\): )"
            r"(?=MySQL server has gone away"
            r"|Error while sending \w{1,20} packet|Lost connection|Error reading result set|Connection refused"
            r"|Connection timed|Too many connections|Premature end of data)",
            _PHP_MESSAGE,
        ),
        _wording(
            "java-mysql",
            "MySQL Connector/J",
            ("com.mysql.", "Communications link failure", "after connection closed"),
            _NAMED,
            r"(?P<message>Communications link failure|No operations allowed after (?:connection|statement) closed\.?"
            r"|The last packet successfully received from the server was .{0,2000}"
            r"|Packet for query is too large.{0,300}|Could not create connection to database server.{0,300})",
        ),
        _wording(
            "java-mysql-class",
            "MySQL Connector/J",
            ("com.mysql.",),
            r"(?P<exception>com\.mysql\.(?:cj\.)?(?:\w{1,40}\.){1,6}\w{1,80}(?:Exception|Error)): ",
            r"(?P<message>.{1,2000})",
        ),
        _wording(
            "java-mariadb",
            "MariaDB Connector/J",
            ("(conn=", "org.mariadb"),
            _NAMED,
            r"(?P<message>\(conn=\d{1,12}\) .{1,2000}|Socket fail to connect.{0,2000})",
        ),
        _wording(
            "java-pool",
            "HikariCP",
            ("Pool",),
            _NAMED,
            r"(?P<message>[\w.-]{0,60}Pool[\w-]{0,30} - Connection is not available, request timed out after "
            r"\d{1,12}ms.{0,300})",
            position=Position.POOL,
        ),
        _wording(
            "node-lost",
            "mysql2",
            ("Connection lost: The server closed the connection",),
            r"(?:(?P<exception>Error): )?(?P<message>Connection lost: The server closed the connection\.?)",
        ),
        _wording(
            "node-socket",
            "mysql2",
            ("ECONN", "EPIPE", "ETIMEDOUT", "PROTOCOL_", "Cannot enqueue"),
            r"(?P<exception>Error): (?P<message>(?:(?:read|write|connect) (?:ECONNRESET|EPIPE|ETIMEDOUT|ECONNREFUSED"
            r"|ECONNABORTED)\b.{0,200}|PROTOCOL_\w{1,60}.{0,300}|Cannot enqueue \w{1,30} after .{1,100}))",
        ),
        _wording(
            "node-closed",
            "mysql2",
            ("closed state",),
            r"(?:(?P<exception>Error): )?(?P<message>Can't add new command when connection is in closed state)",
        ),
        _wording(
            "shell-client",
            "mysql",
            ("ERROR ",),
            r"^(?:mysql: |mariadb: )?ERROR (?P<errno>\d{4}) \(\w{5}\)",
            r"(?: at line \d{1,12}(?: in file: '[^']{0,300}')?)?: ",
            r"(?P<message>.{1,2000})",
        ),
        _wording(
            "shell-tool",
            "",
            ("mysql", "mariadb"),
            r"^(?P<exception>(?:mysql|mariadb)-?(?:dump|import|admin|check|binlog|slap)): (?:Error:?|Got error:) ",
            r"(?P<errno>\d{4}):? (?P<message>.{1,1000})",
        ),
        _wording("go-bad", "go-sql-driver", ("driver: bad connection",), r"(?P<message>driver: bad connection)"),
        _wording(
            "go-invalid",
            "go-sql-driver",
            ("invalid connection",),
            r"(?:^|[\s:=\"])(?P<message>invalid connection)(?=$|[\"\\]|\s*$)",
        ),
        _wording(
            "go-log",
            "go-sql-driver",
            ("[mysql]",),
            r"\[mysql\] (?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(?P<message>\w{1,40}\.go:\d{1,6}: .{1,1000})",
        ),
        _wording(
            "go-error",
            "go-sql-driver",
            ("Error 1", "Error 2", "Error 3", "Error 4"),
            r"(?:^|[\s:\"=])Error (?P<errno>\d{4}) \(\w{5}\): (?P<message>.{1,2000})",
        ),
        _wording(  # of go-sql-driver before 1.7, and of several tools
            "any-number",
            "",
            ("Error 1", "Error 2", "Error 3", "Error 4"),
            r"(?:^|[\s:\"=])Error (?P<errno>\d{4}): (?P<message>.{1,2000})",
        ),
        _wording(
            "ruby-mysql2",
            "mysql2",
            ("Mysql2::",),
            r"(?P<exception>(?:ActiveRecord::\w{1,60}|Sequel::\w{1,60}))?(?:: )?Mysql2::Error(?:::\w{1,60})?: ",
            r"(?P<message>[^:]{1,300})(?:: (?P<statement>.{1,4000}))?",
        ),
        _wording(
            "ruby-mysql2-class",
            "mysql2",
            ("Mysql2::",),
            r"(?P<message>.{1,300}) \((?P<exception>Mysql2::Error(?:::\w{1,60})?)\)",
        ),
        _wording(
            "ruby-trilogy",
            "trilogy",
            ("Trilogy::",),
            r"(?P<exception>Trilogy::\w{1,60}): (?:(?P<errno>\d{4}): )?(?P<message>.{1,1000})",
        ),
        _wording(
            "ruby-pool",
            "",
            ("could not obtain a connection from the pool",),
            _NAMED,
            r"(?P<message>could not obtain a connection from the pool within .{1,300})",
            position=Position.POOL,
        ),
        _wording(
            "perl-dbd",
            "DBD::mysql",
            ("DBD::mysql::", "DBD::MariaDB::"),
            r"(?P<exception>DBD::(?:mysql|MariaDB)::\w{1,10} \w{1,40} failed): ",
            r"(?P<message>.{1,1000}?)(?= \[for Statement| at /\S{1,300} line \d|$)",
        ),
        _wording(
            "dotnet-connector",
            "",
            ("MySqlException",),
            r"(?P<exception>(?:MySql\.Data\.MySqlClient|MySqlConnector)\.MySqlException)(?: \(0x[0-9a-fA-F]{8}\))?: ",
            r"(?P<message>.{1,2000})",
        ),
    ),
)

_ANY = re.compile("|".join(sorted(re.escape(mark) for mark in {mark for one in WORDINGS for mark in one.marks})))
