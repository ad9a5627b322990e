"""What a message of the server says: one table row for each sort of line.

Rows match at the message's start, after the names in front of it (a program's, ``InnoDB:``, ``WSREP:``, ``Plugin
group_replication reported:``) were taken off, so that a row's first words tell a fast reader which lines it need not
look at. Sources: share/messages_to_error_log.txt and share/errmsg-utf8.txt of the servers' sources, the binaries of
MySQL 9.7 and MariaDB 10.11, and what they wrote in the lab.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from stillhere.errorlog.entry import TEXT_LIMIT, Entry, Kind
from stillhere.errorlog.formats import Line
from stillhere.masking import mask_sql, mask_urls

__all__ = ["BARE_REASONS", "SAYINGS", "Abort", "abort_of", "entry_of", "harmless", "is_full", "shown"]

_MASKED_LENGTH = 4 * TEXT_LIMIT  # what is masked: a bound on the work, with room for what masking shortens


@dataclass(frozen=True, slots=True)
class Saying:
    """A sort of line.

    Attributes:
        kind: what it is about.
        opening: the words that every such message begins with.
        pattern: the whole, from the message's start; its named groups are fields of `Entry`.
    """

    kind: Kind
    opening: str
    pattern: re.Pattern[str]


def _says(kind: Kind, opening: str, rest: str = "") -> Saying:
    return Saying(kind, opening, re.compile(re.escape(opening) + rest, re.DOTALL))


_ACCOUNT = r"[`'](?P<user>[^`'\n]*)[`']@[`'](?P<host>[^`'\n]*)[`']"

SAYINGS = (
    _says(Kind.START, "starting as process ", r"(?P<pid>\d+)"),
    _says(Kind.START, "Starting MariaDB ", r"(?P<version>\S+) source revision .* as process (?P<pid>\d+)"),
    _says(Kind.READY, "ready for connections"),
    _says(Kind.SHUTDOWN_BEGUN, "Normal shutdown"),
    _says(Kind.SHUTDOWN_BEGUN, "Received SHUTDOWN from user ", r"(?P<user>.*?)\. Shutting down"),
    _says(Kind.SHUTDOWN_BEGUN, "Received signal SIGUSR2. Restarting"),
    _says(Kind.FORCED_CLOSE, "Forcing close of thread ", r"(?P<thread_id>\d+) +user: '(?P<user>[^']*)"),
    _says(Kind.SHUTDOWN_DONE, "Shutdown complete", r"(?!d)"),
    _says(Kind.CRASH, "got signal ", r"(?P<signal>\d+)"),
    _says(Kind.CRASH, "got exception 0x"),
    _says(Kind.CRASH, "Assertion failure"),
    _says(Kind.CRASH_RECOVERY, "Database was not shut", r" ?down normally"),
    _says(Kind.CRASH_RECOVERY, "Starting crash recovery"),
    _says(Kind.HANG, "Semaphore wait has lasted > ", r"(?P<seconds>\d+) seconds\. We intentionally crash"),
    _says(Kind.HANG, "innodb_fatal_semaphore_wait_threshold was exceeded for "),
    _says(Kind.IDLE_TIMEOUT, "'wait_timeout' period of ", rf"(?P<seconds>\d+) seconds was exceeded for {_ACCOUNT}"),
    _says(
        Kind.IDLE_TIMEOUT,
        "A connection from ",
        rf"{_ACCOUNT} was closed by the server due to a timeout .*?\) (?P<seconds>\d+) seconds after",
    ),
    _says(Kind.PACKET_TOO_LARGE, "Got a packet bigger than 'max_allowed_packet' bytes"),
    _says(Kind.TOO_MANY_CONNECTIONS, "Too many connections"),
    _says(Kind.THREAD_LIMIT, "Can't create thread to handle new connection", r"(?P<reason>\(errno[^)]*\))?"),
    _says(Kind.THREAD_LIMIT, "Can't create a new thread (errno"),
    _says(Kind.THREAD_LIMIT, "Error log throttle: ", r" *\d+ 'Can't create thread to handle new connection'"),
    _says(Kind.ACCEPT_FAILED, "Error in accept", r"(?:: (?P<reason>[^\n]*))?"),
    _says(Kind.HOST_BLOCKED, "Host '", r"(?P<host>[^']*)' is blocked because of many connection errors"),
    _says(Kind.ACCESS_DENIED, "Access denied for ", rf"(?:user {_ACCOUNT})?"),
    _says(Kind.NAME_RESOLUTION, "IP address '", r"(?P<host>[^']*)"),
    _says(Kind.NAME_RESOLUTION, "Host name '", r"(?P<host>[^']*)' could not be resolved"),
    _says(Kind.NAME_RESOLUTION, "Hostname '", r"(?P<host>[^']*)' does not resolve to"),
    _says(Kind.INSECURE_TRANSPORT, "Connections using insecure transport are prohibited"),
    _says(Kind.DISK_FULL, "Disk is full writing "),
    _says(Kind.DISK_FULL, "Disk full ("),
    _says(Kind.DISK_FULL, "The table '", r".*' is full"),
    _says(Kind.READ_ONLY, "Setting super_read_only"),
    _says(Kind.READ_ONLY, "Setting read_only"),
    _says(Kind.READ_ONLY, "The server was automatically set into read only mode"),
    _says(Kind.ROLE_CHANGE, "A new primary with address "),
    _says(Kind.ROLE_CHANGE, "Primary server with address "),
    _says(Kind.ROLE_CHANGE, "This server is working as "),
    _says(Kind.ROLE_CHANGE, "Group membership changed"),
    _says(Kind.ROLE_CHANGE, "Member with address ", r".* (?:has become unreachable|is reachable again)"),
    _says(Kind.ROLE_CHANGE, "The member lost contact with a majority"),
    _says(Kind.ROLE_CHANGE, "The member has resumed contact with a majority"),
    _says(Kind.ROLE_CHANGE, "The member has left the group"),
    _says(Kind.ROLE_CHANGE, "This member could not reach a majority"),
    _says(Kind.ROLE_CHANGE, "Member was expelled from the group"),
    _says(Kind.CLUSTER, "Received NON-PRIMARY"),
    _says(Kind.CLUSTER, "Shifting "),
    _says(Kind.CLUSTER, "Synchronized with group, ready for connections"),
    _says(Kind.CLUSTER, "Server status change "),
    _says(Kind.CLUSTER, "New cluster view: ", r".*\bnon-Primary"),
    _says(Kind.CLUSTER, "no nodes coming from prim view"),
    _says(Kind.CLUSTER, "view(view_id(NON_PRIM"),
    _says(Kind.UPGRADE_REFUSED, "Upgrade after a crash is not supported"),
    _says(Kind.UPGRADE_REFUSED, "Upgrade is not supported after a crash"),
    _says(Kind.UPGRADE_REFUSED, "Invalid MySQL server ", r"(?:up|down)grade"),
    _says(Kind.UPGRADE_REFUSED, "Upgrading the ", r".* is not supported"),
    _says(Kind.UPGRADE_REFUSED, "Cannot upgrade server earlier than"),
    _says(Kind.UPGRADE_REFUSED, "Cannot boot server with lower version than"),
    _says(Kind.UPGRADE_REFUSED, "Data Dictionary version '", r"\d+' not supported"),
    _says(Kind.BLOB_OVER_REDO, "The total blob data length"),
)

_OPENING = re.compile("|".join(sorted(re.escape(saying.opening) for saying in SAYINGS)))

BARE_REASONS = (
    "Got an error reading",
    "Got an error writing",
    "Got timeout reading",
    "Got timeout writing",
    "Got packets out of",
)
"""How MySQL 8 begins all that it says of a connection that was lost before it had logged in."""

_ABORTED = re.compile(r"Aborted connection (?P<thread>\d{1,20}) (?P<tail>to db: .*)", re.DOTALL)
_BARE = re.compile(rf"(?:{'|'.join(BARE_REASONS)}) [\w ]{{1,40}}\.?\s*\Z")
_TAIL_LENGTH = 2000
_NAMES_LENGTH = 500  # where a program's name is looked for: a bound on the work that a hostile line makes
# What servers allow themselves, or more; a bound on what is remembered of hostile lines.
_USER, _HOST, _DATABASE, _REASON = 128, 255, 192, 200
_TAIL = re.compile(
    r"to db: '(?P<db>[^'\n]*)' user: '(?P<user>[^'\n]*)'(?: host: '(?P<host>[^'\n]*)'[^(\n]{0,80})? ?"
    r"(?:\((?P<reason>[^\n]*)\)\.?)?\s*\Z"
)
_PROGRAM = re.compile(
    r"(?:[^\s(]*|[A-Z]:\\[^:\n]{0,200}?)(?:mysqld|mariadbd)[\w.-]*(?: \((?P<inside>[^)]{0,80})\))?:? "
)
_VERSION = re.compile(r"(?:mysqld|mariadbd|server) (\S+)")
_COMPONENT = re.compile(
    r"(?:InnoDB|WSREP|\[FATAL\]|Plugin group_replication reported|\[Warning\]|\[ERROR\])(?::|(?<=\])) ?'?"
)
_READY_VERSION = re.compile(r"Version: '([^']*)'")
# Words anywhere in an error that say more than its beginning does.
# MySQL unloads its JSON sink before the end: of a shutdown that is done, that log's last word is InnoDB's.
_JSON_ENDS = "Shutdown completed; log sequence number"
_FULL = re.compile(r"Errcode: 28\b|\bOS errno 28\b|\berrno: 28\b|No space left on device|Error number 28 means")
# Lines without a head that servers write as a matter of course.
_HARMLESS = re.compile(
    r"Version: '|Tcp port: |Time +Id Command +Argument|\S*(?:mysqld|mariadbd)\S*, Version: |Version: \d"
    r"|InnoDB: |(?:nohup|mysqld_safe|mariadbd-safe)\b|--? ?\w[\w-]* is deprecated"
)


def entry_of(line: Line, number: int) -> Entry | None:
    """The entry of a line of the server's, without what a crash's dump adds; ``None`` for a line of no interest."""
    message = line.message
    named = _ABORTED.match(message)
    abort = abort_of(named["tail"] if named else message)
    if abort is not None:
        entry = _entry(abort.kind, {"user": abort.user, "host": abort.host, "reason": abort.reason}, "", line, number)
        thread = _int(named["thread"]) if named else 0
        return replace(entry, database=abort.database, thread_id=thread or entry.thread_id)
    stripped, inside = _stripped(message)
    for saying in SAYINGS if _OPENING.match(stripped) else ():
        if stripped.startswith(saying.opening) and (found := saying.pattern.match(stripped)):
            return _entry(saying.kind, found.groupdict(), inside, line, number)
    if line.style == "mysql json" and message.startswith(_JSON_ENDS):
        return _entry(Kind.SHUTDOWN_DONE, {}, "", line, number)
    if line.severity in {"ERROR", "Error", "error"}:
        kind = Kind.DISK_FULL if is_full(message) else Kind.OTHER
        return _entry(kind, {}, "", line, number)
    return None


def shown(text: str) -> str:
    """A text as it may be shown: one line, masked, at most `TEXT_LIMIT` characters."""
    text = mask_urls(mask_sql(text[:_MASKED_LENGTH]))
    text = " ".join(text.replace("\0", " ").split())
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def harmless(message: str) -> bool:
    """Whether servers write that line, which has no head, as a matter of course."""
    return _HARMLESS.match(message) is not None


def is_full(message: str) -> bool:
    """Whether an error speaks of a full disk, wherever in its text."""
    return _FULL.search(message) is not None


@dataclass(frozen=True, slots=True)
class Abort:
    """What the line of an aborted connection says of it."""

    kind: Kind
    user: str = ""
    host: str = ""
    database: str = ""
    reason: str = ""


def abort_of(tail: str) -> Abort | None:
    """What a line says after ``Aborted connection 7``, or all that MySQL 8 says instead; ``None`` if it isn't that."""
    if _BARE.match(tail):
        return Abort(Kind.ABORTED_CONNECT, reason=tail.strip().rstrip("."))
    if not tail.startswith("to db: "):
        return None
    found = _TAIL.match(tail[:_TAIL_LENGTH])
    if found is None:
        return Abort(Kind.ABORTED)
    user, host, reason = found["user"][:_USER], (found["host"] or "")[:_HOST], shown(found["reason"] or "")[:_REASON]
    database = "" if found["db"] == "unconnected" else found["db"][:_DATABASE]
    if user != "unauthenticated":
        return Abort(_kind_of(reason), user, host, database, reason)
    quiet = reason.startswith("This connection closed normally")
    return Abort(Kind.UNAUTHENTICATED if quiet else Kind.ABORTED_CONNECT, "", host, database, reason)


def _kind_of(reason: str) -> Kind:
    if "because of inactivity" in reason:
        return Kind.IDLE_TIMEOUT
    return Kind.PACKET_TOO_LARGE if reason.startswith("Got a packet bigger than") else Kind.ABORTED


def _stripped(message: str) -> tuple[str, str]:
    """The message without the names in front of it, and what the program's name had in brackets."""
    inside = ""
    if program := _PROGRAM.match(message, 0, _NAMES_LENGTH):
        message, inside = message[program.end() :], program["inside"] or ""
        if message.startswith("("):  # MariaDB: mariadbd (initiated by: root[root] @ localhost []): Normal shutdown
            message = message.partition("): ")[2] if "): " in message[:_NAMES_LENGTH] else message
    for _ in range(3):
        component = _COMPONENT.match(message)
        if component is None:
            break
        message = message[component.end() :]
    return message, inside


def _entry(kind: Kind, parts: dict[str, str | None], inside: str, line: Line, number: int) -> Entry:
    reason = parts.get("reason") or ""
    if kind is Kind.START:
        version = parts.get("version") or _first(_VERSION, inside)
        reason = f"{version} as process {parts.get('pid')}"
    elif kind is Kind.READY:
        reason = _first(_READY_VERSION, line.message)
    return Entry(
        kind=kind,
        line=number,
        at=line.at,
        severity=line.severity,
        code=line.code,
        thread_id=_int(parts.get("thread_id")) or line.thread_id,
        user=parts.get("user") or "",
        host=parts.get("host") or "",
        reason=reason,
        seconds=float(_int(parts.get("seconds"))),
        signal=_int(parts.get("signal")),
        text=shown(line.message),
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _int(text: str | None) -> int:
    return int(text) if text and len(text) <= 20 else 0  # noqa: PLR2004 - what fits 64 bits
