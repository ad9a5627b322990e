"""The incidents of this machine, in one SQLite file that several processes write: bounded, private, never in the way.

Nothing here is called on an application's own thread. A store that is locked, full, read-only, corrupt or written by
a later release costs the incidents that it can't take, and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stillhere.events import Incident
from stillhere.findings import Evidence

__all__ = ["DIRECTORY_VARIABLE", "Store", "Unreadable", "state_directory", "store_path"]

DIRECTORY_VARIABLE = "STILLHERE_STATE"
_FILE = "incidents.sqlite3"
_VERSION = 1
_MAX_ROWS = 10_000
_MAX_BYTES = 16 * 1024**2
_MAX_TEXT = 1_000
_SHARE = 10  # of the rows, the oldest, are dropped when there are too many bytes
_PAUSE = 0.02
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS incidents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        server TEXT NOT NULL,
        cause TEXT NOT NULL,
        facts TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS incidents_at ON incidents (at)",
    f"PRAGMA user_version = {_VERSION}",
)

# Held while SQLite is at work, never while it is waited for: a child must not be forked with a lock of SQLite's held
# by a thread that doesn't exist there.
_at_work = threading.Lock()
_FORK_WAITS = 0.5


class Unreadable(Exception):
    """The store is there and can't be read; the argument says why."""


def state_directory() -> Path | None:
    """Where stillhere keeps what outlives a process; None where the account has no home.

    ``STILLHERE_STATE`` where it is set, else ``$XDG_STATE_HOME/stillhere``, else ``~/.local/state/stillhere`` (XDG
    Base Directory Specification 0.8).
    """
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named:
        return Path(named)
    # The specification has relative paths ignored.
    base = os.environ.get("XDG_STATE_HOME", "")
    if base.startswith("/"):
        return Path(base) / "stillhere"
    try:
        return Path.home() / ".local" / "state" / "stillhere"
    except RuntimeError:
        return None


def store_path() -> Path | None:
    """The store's file, whether it exists or not; None where there is no place for it."""
    directory = state_directory()
    return directory / _FILE if directory is not None else None


@dataclass(slots=True)
class Store:
    """One file of incidents. Each call opens and closes it, so that nothing is open over a fork.

    Attributes:
        path: the file; its directory is made when it is first written.
        max_rows: how many incidents it holds; the oldest are dropped.
        max_bytes: how large it grows, about; the oldest are dropped.
        patience: seconds that a call waits for other processes.
        set_aside: whether this process has put a damaged file aside already: it does so once.
    """

    path: Path
    max_rows: int = _MAX_ROWS
    max_bytes: int = _MAX_BYTES
    patience: float = 1.0
    set_aside: bool = False

    def add(self, incidents: Sequence[Incident]) -> str:
        """Append them all, or none.

        Returns:
            Why they were not taken; empty where they were.
        """
        rows = [_row(one) for one in incidents]
        try:
            return self._add(rows)
        except sqlite3.Error as error:
            if not _damaged(error) or self.set_aside:
                return f"{type(error).__name__}: {error}"
            self.set_aside = True
        except OSError as error:
            return f"{type(error).__name__}: {error.strerror or error}"
        try:
            self._put_aside()
            return self._add(rows)
        except (sqlite3.Error, OSError) as error:
            return f"{type(error).__name__}: {error}"

    def read(self, *, since: datetime | None = None, server: str = "", limit: int = 0) -> list[Incident]:
        """The incidents, newest first.

        Args:
            since: no older ones.
            server: only of that address.
            limit: at most so many; 0 for all.

        Raises:
            Unreadable: it is there and can't be read.
        """
        query = "SELECT at, server, cause, facts FROM incidents WHERE at >= ?"
        values: list[Any] = [_seconds(since)]
        if server:
            query = f"{query} AND server = ?"
            values.append(server)
        try:
            if not self.path.exists():
                return []
            with contextlib.closing(self._connect(f"{self.path.resolve().as_uri()}?mode=ro")) as connection:
                connection.execute(f"PRAGMA busy_timeout = {int(self.patience * 1000)}")
                version = int(connection.execute("PRAGMA user_version").fetchone()[0])
                if not version:
                    return []
                if version > _VERSION:
                    raise Unreadable(f"{self.path} was written by a later release of stillhere (schema {version})")
                found = connection.execute(f"{query} ORDER BY at DESC, id DESC LIMIT ?", [*values, limit or -1])
                return [_incident(*row) for row in found]
        except (sqlite3.Error, OSError, ValueError, TypeError) as error:
            raise Unreadable(f"{self.path} can't be read: {error}") from error

    def _add(self, rows: Sequence[tuple[Any, ...]]) -> str:
        self._make()
        deadline = time.monotonic() + self.patience
        while True:
            try:
                with _at_work, contextlib.closing(self._connect(str(self.path))) as connection:
                    return self._insert(connection, rows)
            except sqlite3.OperationalError as error:
                if not _busy(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(_PAUSE)

    def _make(self) -> None:
        """The directory and the empty file, for the owner alone: SQLite makes its other files with the same mode."""
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def _connect(self, name: str) -> sqlite3.Connection:
        # Waiting is done above, with the lock let go.
        return sqlite3.connect(name, timeout=0.0, isolation_level=None, uri=name.startswith("file:"))

    def _insert(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> str:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > _VERSION:
            return f"it was written by a later release of stillhere (schema {version})"
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {self.max_bytes // 4}")
        with _transaction(connection):
            if not version:
                for statement in _SCHEMA:
                    connection.execute(statement)
            connection.executemany("INSERT INTO incidents (at, server, cause, facts) VALUES (?, ?, ?, ?)", rows)
            self._drop_oldest(connection)
        return ""

    def _drop_oldest(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "DELETE FROM incidents WHERE id <= (SELECT MAX(id) FROM incidents) - ?",
            (self.max_rows,),
        )
        while _used(connection) > self.max_bytes:
            count = int(connection.execute("SELECT COUNT(*) FROM incidents").fetchone()[0])
            if not count:
                return
            connection.execute(
                "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents ORDER BY id LIMIT ?)",
                (max(1, count // _SHARE),),
            )

    def _put_aside(self) -> None:
        """Keep a damaged file under another name; what is left of its write-ahead log goes with it."""
        aside = self.path.with_name(f"{self.path.name}.damaged")
        self.path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(f"{self.path.name}{suffix}").unlink(missing_ok=True)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _used(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _damaged(error: sqlite3.Error) -> bool:
    return _primary(error) in _DAMAGED


def _busy(error: sqlite3.Error) -> bool:
    return _primary(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; an extended one has it in its lowest byte."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else -1


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0


def _row(one: Incident) -> tuple[Any, ...]:
    facts = {
        "certainty": one.certainty,
        "sentence": one.sentence[:_MAX_TEXT],
        "done": one.done[:_MAX_TEXT],
        "error": one.error,
        "phase": one.phase,
        "verdict": one.verdict,
        "errno": one.errno,
        "statement": one.statement,
        "thread_id": one.thread_id,
        "idle": one.idle,
        "age": one.age,
        "in_transaction": one.in_transaction,
        "seconds": one.seconds,
        "driver": one.driver,
        "process": one.process,
        "evidence": [[fact.fact[:_MAX_TEXT], fact.source, fact.supports] for fact in one.evidence],
        "remedy": one.remedy[:_MAX_TEXT],
        "commands": [text[:_MAX_TEXT] for text in one.commands],
        "collect": [text[:_MAX_TEXT] for text in one.collect],
    }
    return one.at.timestamp(), one.server, one.cause, json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _incident(at: float, server: str, cause: str, text: str) -> Incident:
    facts: dict[str, Any] = json.loads(text)
    return Incident(
        **{
            **facts,
            "at": datetime.fromtimestamp(at, UTC),
            "server": server,
            "cause": cause,
            "evidence": tuple(Evidence(*fact) for fact in facts["evidence"]),
            "commands": tuple(facts["commands"]),
            "collect": tuple(facts["collect"]),
        }
    )


def _before_fork() -> None:
    _forking.held = _at_work.acquire(timeout=_FORK_WAITS)


def _after_fork_in_parent() -> None:
    if _forking.held:
        _forking.held = False
        _at_work.release()


def _after_fork_in_child() -> None:
    global _at_work  # noqa: PLW0603 - the parent's may be held by a thread that doesn't exist here
    _at_work = threading.Lock()


class _Forking(threading.local):
    """Whether this thread, which forks, holds the lock."""

    held: bool = False


_forking = _Forking()
os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
