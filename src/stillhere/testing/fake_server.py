"""A server in memory that can be broken at any step: the far end of `stillhere.testing.fake_driver`.

It has threads with numbers, a processlist, transactions with row locks, auto-increments that aren't given back,
an uptime and an identity; and it answers what stillhere itself asks. Each connection is a real socket pair, so
that a look at the descriptor finds what it would find on a real one: an end of file, a stray byte, nothing.

Example::

    server = FakeServer()
    server.table("account", "id", "balance").rows[1] = (1, 100)
    server.break_at(Step.REPLY, b"COMMIT", ghost=True)   # committed or not? The reply never came
    server.answer(b"SELECT audit()", ServerError(1792))   # a scripted answer
    assert server.sent(b"COMMIT") == 1                    # what arrived, in order, is in server.log
"""

from __future__ import annotations

import itertools
import re
import socket
import time
from collections.abc import Callable
from typing import Any

from stillhere.testing.fake_session import Break, FakeSession, Step
from stillhere.testing.fake_tables import Reply, ServerError, Table, Tables, literal

__all__ = ["Break", "FakeServer", "FakeSession", "Step"]

_FIRST_THREAD = 8
_UPTIME = 5000
_KILL = re.compile(r"KILL\s+(?:CONNECTION\s+)?(\d+)\s*\Z", re.IGNORECASE)
_SET = re.compile(r"SET\s+(?:SESSION\s+|@@(?:session\.)?)?(\w+)\s*=\s*(\S+)\s*\Z", re.IGNORECASE)
_THREAD = re.compile(
    r"SELECT (.+?) FROM information_schema\.PROCESSLIST WHERE ID (?:=|IN) (CONNECTION_ID|[\d(, ]+)", re.DOTALL
)
_TRX = re.compile(r"INNODB_TRX WHERE trx_mysql_thread_id IN \((\d+), (\d+)\)")
_TABLE_NAMES = re.compile(r"'(\w+)'")
_FUNCTIONS: dict[str, Callable[[FakeSession], Any]] = {
    "LAST_INSERT_ID()": lambda session: session.last_id,
    "CONNECTION_ID()": lambda session: session.thread_id,
    "DATABASE()": lambda session: session.database,
    "VERSION()": lambda session: session.server.version,
}
_IMPLICIT = ("CREATE", "ALTER", "DROP", "TRUNCATE", "LOCK", "UNLOCK", "GRANT", "RENAME")


class FakeServer:
    """See the module's text.

    Args:
        version: as the handshake says it; one with "MariaDB" in it makes a MariaDB.
        identity: what tells this server from another.
        wait_timeout: as the session sees it.
        max_allowed_packet: as above.
        clock: monotonic seconds, for the uptime.

    Attributes:
        tables: the data.
        sessions: by thread id, those that live.
        log: (thread id, statement) in the order in which the server executed them.
        down: the error number that connecting ends in; 0 while it is up.
        refusals: connecting fails so many times yet.
        variables: system variables, for ``SELECT @@name``.
        privileged: whether PROCESS is granted, without which transactions of others can't be looked at.
    """

    def __init__(
        self,
        version: str = "8.4.0",
        identity: str = "11111111-aaaa",
        *,
        wait_timeout: int = 28800,
        max_allowed_packet: int = 64 * 1024**2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.version: str = version
        self.identity = identity
        self.wait_timeout = wait_timeout
        self.max_allowed_packet = max_allowed_packet
        self.tables = Tables()
        self.sessions: dict[int, FakeSession] = {}
        self.log: list[tuple[int, bytes]] = []
        self.breaks: list[Break] = []
        self.down = 0
        self.privileged = True
        self.kills = 0
        self.variables: dict[str, Any] = {"sql_mode": "", "lower_case_table_names": 0}
        self.triggers: list[tuple[str, str]] = []
        self._answers: list[tuple[bytes, Any]] = []
        self._clock = clock
        self._started = clock() - _UPTIME
        self._threads = itertools.count(_FIRST_THREAD)
        self._ports = itertools.count(40000)

    # -- the script ------------------------------------------------------------------------------------

    def table(self, name: str, *columns: str, auto: bool = True, engine: str = "InnoDB") -> Table:
        """Make a table; its first column is the primary key."""
        made = self.tables[name] = Table(columns, auto, engine)
        return made

    def answer(self, match: bytes, answer: Any) -> None:
        """Answer statements that contain ``match`` with a `Reply`, a `ServerError`, or what a call gives.

        A function is called with the `FakeSession` and the statement. The latest answer to match wins.
        """
        self._answers.insert(0, (match, answer))

    def break_at(self, step: Step, match: bytes = b"", **options: Any) -> Break:
        """Plan a `Break`."""
        planned = Break(step, match, **options)
        self.breaks.append(planned)
        return planned

    def sent(self, match: bytes) -> int:
        """How many statements with these bytes in them were executed."""
        return sum(match in sql for _, sql in self.log)

    def statements(self, thread_id: int | None = None) -> list[bytes]:
        """The statements executed, by all threads or by one."""
        return [sql for number, sql in self.log if thread_id in (None, number)]

    # -- what happens to a server -------------------------------------------------------------------------

    def cut(self, thread_id: int = 0, *, ghost: bool = False, words: bytes = b"") -> None:
        """End idle connections, all or one, as a timeout or a KILL does.

        Args:
            thread_id: which; 0 for all.
            ghost: the server goes on with the thread, only the wire is cut.
            words: what is said before.
        """
        for number, session in list(self.sessions.items()):
            if thread_id in (0, number):
                if words:
                    session.wire.send(words)
                session.wire.shutdown(socket.SHUT_RDWR)
                if ghost:
                    session.ghost = True
                else:
                    self._end(session)

    def restart(self) -> None:
        """Every thread ends, numbers and uptime start again."""
        for session in list(self.sessions.values()):
            self._end(session)
        self._threads = itertools.count(_FIRST_THREAD)
        self._started = self._clock()
        self.kills = 0

    def become_another(self, identity: str = "22222222-bbbb") -> None:
        """Another server answers at the address from now on."""
        for session in list(self.sessions.values()):
            self._end(session)
        self.identity = identity

    def close(self) -> None:
        """End every thread and let nobody in any more; the fake's own sockets are closed."""
        for session in list(self.sessions.values()):
            self._end(session)
        self.down = 2003

    def connect(self, user: str, *, autocommit: bool) -> tuple[FakeSession, socket.socket]:
        """Let a client in; the session, and the client's end of its wire."""
        if self.down:
            raise ServerError(self.down, "Can't connect to the fake server")
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - the standard library's own
        host = f"192.0.2.1:{next(self._ports)}"
        session = FakeSession(self, next(self._threads), user, host, ours, autocommit)
        self.sessions[session.thread_id] = session
        return session, theirs

    def breaking(self, step: Step, sql: bytes) -> Break | None:
        """The break that is due, if one is."""
        return next((planned for planned in self.breaks if planned.due(step, sql)), None)

    def broke(self, planned: Break, session: FakeSession) -> None:
        """What a break leaves behind on the server."""
        if planned.ghost:
            session.ghost = True
            session.command = "Query"
        elif session.alive:
            self._end(session)
        if planned.then is not None:
            planned.then()

    # -- executing -----------------------------------------------------------------------------------------

    def execute(self, session: FakeSession, sql: bytes) -> Reply:
        """Run one statement; raises `ServerError` for an ERR packet."""
        self.log.append((session.thread_id, sql))
        for match, answer in self._answers:
            if match in sql:
                given = answer(session, sql) if callable(answer) else answer
                if isinstance(given, ServerError):
                    raise ServerError(*given.args)
                if isinstance(given, Reply):
                    return given
        text = sql.decode("utf-8", "replace").strip()
        reply = self._own(text, session) or self._control(text, session)
        if reply is None:
            if session.read_only and not text.upper().startswith("SELECT"):
                raise ServerError(1792, "Cannot execute statement in a READ ONLY transaction.")
            reply = self.tables.run(text, session.work, session.forced_id)
            if reply is None:
                raise ServerError(1064, "You have an error in your SQL syntax")
            session.forced_id = 0 if text.upper().startswith("INSERT") else session.forced_id
            session.last_id = reply.lastrowid or session.last_id
            session.settle()
        return reply

    def _own(self, text: str, session: FakeSession) -> Reply | None:
        """What stillhere asks by itself."""
        self._reap()
        if match := _THREAD.search(text):
            return self._processlist(match, session)
        if text.startswith("SELECT @@"):
            names = [part.strip().removeprefix("@@").removeprefix("session.") for part in text[6:].split(",")]
            return Reply.of(tuple(self._value(name, session) for name in names), columns=names)
        if match := _TRX.search(text):
            self._need_privilege()
            ghost, own = self.sessions.get(int(match[1])), int(match[2])
            rows = ((int(match[1]),), (own,)) if ghost is not None and ghost.work.changes else ((own,),)
            return Reply(rows, ("trx_mysql_thread_id",))
        if match := _KILL.match(text):
            return self._kill(int(match[1]))
        if "information_schema." in text:
            return self._schema(text)
        return None

    def _processlist(self, match: re.Match[str], session: FakeSession) -> Reply:
        names = re.sub(r"\(SELECT[^)]*VARIABLE_NAME = '(\w+)'\)", r"\1", match[1])
        names = re.sub(r"CONCAT_WS\([^)]*\)", "identity", names)
        wanted = [name.strip().removeprefix("@@").removeprefix("session.") for name in names.split(",")]
        numbers = [session.thread_id] if match[2].startswith("C") else map(int, re.findall(r"\d+", match[2]))
        found = [self.sessions[number] for number in numbers if number in self.sessions]
        rows = tuple(tuple(self._value(name, one) for name in wanted) for one in found)
        return Reply(rows, tuple(wanted), len(rows))

    def _value(self, name: str, session: FakeSession) -> Any:
        known = {
            "wait_timeout": self.wait_timeout,
            "max_allowed_packet": self.max_allowed_packet,
            "CONNECTION_ID()": session.thread_id,
            "server_uuid": self.identity,
            "identity": self.identity,
            "Uptime": str(int(self._clock() - self._started)),
            "Com_kill": str(self.kills),
            "ID": session.thread_id,
            "USER": session.user,
            "HOST": session.host,
            "COMMAND": session.command,
            "last_insert_id": session.last_id,
            "autocommit": int(session.autocommit),
        }
        if name in session.variables:
            return literal(session.variables[name])
        return known[name] if name in known else self.variables.get(name, "")

    def _kill(self, number: int) -> Reply:
        self.kills += 1
        if number not in self.sessions:
            raise ServerError(1094, f"Unknown thread id: {number}")
        self._end(self.sessions[number])
        return Reply()

    def _schema(self, text: str) -> Reply:
        named = set(_TABLE_NAMES.findall(text))
        if "information_schema.COLUMNS" in text:
            auto = [(table.columns[0],) for name, table in self.tables.items() if name in named and table.auto]
            return Reply(tuple(auto), ("COLUMN_NAME",))
        if "information_schema.TABLES" in text:
            escaping = [("app", name, t.engine, 1) for name, t in self.tables.items() if t.engine != "InnoDB"]
            return Reply(tuple(escaping), ("TABLE_SCHEMA", "TABLE_NAME", "ENGINE", "here"))
        kind = ("trigger",) if "'trigger'" in text else ()
        found = tuple((*kind, trigger) for table, trigger in self.triggers if table in named)
        return Reply(found, (*("kind" for _ in kind), "TRIGGER_NAME"))

    def _control(self, text: str, session: FakeSession) -> Reply | None:  # noqa: C901 - one branch a verb
        words = text.upper().split()
        verb = words[0] if words else ""
        if verb in ("BEGIN", "START"):
            session.finish(commit=True)
            session.explicit, session.read_only = True, words[-2:] == ["READ", "ONLY"]
        elif words[:2] == ["ROLLBACK", "TO"]:
            del session.work.changes[self._savepoint(session, words[-1]) :]
        elif verb in ("COMMIT", "ROLLBACK"):
            session.finish(commit=verb == "COMMIT")
        elif verb == "SAVEPOINT":
            session.work.savepoints[words[-1]] = len(session.work.changes)
        elif verb == "RELEASE":
            self._savepoint(session, words[-1])
            del session.work.savepoints[words[-1]]
        elif verb == "USE":
            session.database = text.split()[1].strip("`")
        elif verb == "SET":
            self._set(text, session)
        elif verb in _IMPLICIT:
            session.finish(commit=True)
        elif len(words) == len(("SELECT", "F()")) and words[1] in _FUNCTIONS:
            return Reply.of((_FUNCTIONS[words[1]](session),), columns=words[1:])
        elif words[:2] == ["SHOW", "VARIABLES"]:
            named = self.variables.items() if "LIKE" not in words else ()
            return Reply(tuple(named), ("Variable_name", "Value"))
        elif verb == "SELECT" and re.fullmatch(r"SELECT\s+('[^']*'|[-\d.]+)", text, re.IGNORECASE):
            return Reply.of((literal(text[6:]),))
        else:
            return None
        return Reply()

    def _set(self, text: str, session: FakeSession) -> None:
        match = _SET.match(text)
        if match is None:
            return
        name, value = match[1].lower(), match[2]
        session.variables[name] = value
        if name == "autocommit":
            session.variables.pop(name)
            session.autocommit = value == "1"
            if session.autocommit:
                session.finish(commit=True)
        elif name == "insert_id":
            session.forced_id = int(value)

    def _savepoint(self, session: FakeSession, name: str) -> int:
        if name not in session.work.savepoints:
            raise ServerError(1305, f"SAVEPOINT {name} does not exist")
        return session.work.savepoints[name]

    def _need_privilege(self) -> None:
        if not self.privileged:
            raise ServerError(1227, "Access denied; you need (at least one of) the PROCESS privilege(s)")

    def _reap(self) -> None:
        """Threads whose client has closed its end are over, unless they are ghosts."""
        for session in list(self.sessions.values()):
            if not session.ghost and not session.read_wire():
                self._end(session)

    def _end(self, session: FakeSession) -> None:
        session.end()
        self.sessions.pop(session.thread_id, None)
