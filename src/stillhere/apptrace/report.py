"""What an application's traceback or error report says: facts as frozen records, nothing guessed.

Whatever a text doesn't say is ``None``, an empty string or ``UNKNOWN``. Every text in here is masked: no record
carries a password.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

__all__ = ["Frame", "PoolFacts", "Position", "Report"]


class Position(Enum):
    """What the application was doing when the error came, as its frames show it."""

    CONNECT = "connect"
    """Opening a new connection to the server."""
    CHECKOUT = "checkout"
    """Taking a connection out of the pool: its ping, its validation, its listeners."""
    FIRST_STATEMENT = "first statement"
    """The statement that began the transaction, on a connection that was taken out of the pool for it."""
    STATEMENT = "statement"
    """A statement; whether it was the first is not shown."""
    FLUSH = "flush"
    """The ORM writing its pending changes."""
    COMMIT = "commit"
    ROLLBACK = "rollback"
    FETCH = "fetch"
    """Reading rows of a result."""
    POOL = "pool"
    """Waiting for a connection of an exhausted pool: the server had no part in it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a traceback.

    Attributes:
        path: as written; empty where the report names none.
        line: from 1; 0 where the report names none.
        function: as written, empty where the report names none.
        code: the source line shown, stripped and masked; empty where none is shown.
    """

    path: str
    line: int
    function: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What an exhausted pool said of itself.

    Attributes:
        size: connections that it keeps.
        overflow: connections that it may open beyond them; ``None`` where it didn't say.
        timeout: seconds that the caller waited; ``None`` where it didn't say.
    """

    size: int
    overflow: int | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One error as an application, its framework or its log wrote it down.

    Attributes:
        line: the line of the input on which it starts, from 1.
        at: when, aware; from a log prefix or a field of the report. A time without a zone is taken for UTC.
        zoned: whether the text itself named the zone of `at`.
        language: ``"python"``, ``"php"``, ``"go"``, ``"node"``, ``"java"``, ``"ruby"``, ``"perl"``, ``"dotnet"``,
            ``"shell"``; empty where the text doesn't show it.
        driver: by the frames, else by the class: aiomysql raises PyMySQL's. ``"mysqlclient"``, ``"PyMySQL"``,
            ``"mysql-connector-python"``, ``"mariadb"``, ``"asyncmy"``, ``"aiomysql"``, or another language's own name
            for its driver; empty where the text doesn't show it.
        exception: class name as written, of the innermost database exception, such as ``"MySQLdb.OperationalError"``.
        errno: that exception's error number; ``None`` where it has none.
        codes: every database error number in the chain, the innermost first.
        os_error: the operating system's error number in the chain: 32 for ``BrokenPipeError(32, …)``.
        timed_out: whether the driver's chain says that the client's own timeout passed.
        message: the database exception's text, on one line, at most 500 characters.
        statement: the SQL shown, empty where none is.
        statement_bytes: its length with its parameters, only where all of it is known.
        statement_at_least: a lower bound of that length where parts were left out; 0 where nothing is known.
        executemany: whether several sets of parameters were sent with one call.
        position: what the application was doing.
        frame: the innermost line of the application's own code.
        frames: the lines of the traceback, the outermost first; the middle of a long one is left out.
        framework: such as ``"Flask"``, ``"Django"``, ``"Celery"``; empty where the text doesn't show it.
        request: such as ``"GET /match/207465601/"``, or a task's name.
        retries: how often a retry is seen before this error, in the chain or in the text.
        idle_ms: how long nothing had come from the server, in milliseconds, where the driver says so.
        process: the operating system's process id.
        thread: the thread's name.
        in_transaction: whether a transaction was open; ``None`` where the text doesn't show it.
        after_idle: whether it was the first statement since the connection left the pool; ``None`` where the text
            doesn't show it.
        pool: what an exhausted pool said of itself.
        notes: PEP 678 notes, in order; those that stillhere wrote start with ``"stillhere: "``.
    """

    line: int
    at: datetime | None = None
    zoned: bool = False
    language: str = ""
    driver: str = ""
    exception: str = ""
    errno: int | None = None
    codes: tuple[int, ...] = ()
    os_error: int | None = None
    timed_out: bool = False
    message: str = ""
    statement: str = ""
    statement_bytes: int | None = None
    statement_at_least: int = 0
    executemany: bool = False
    position: Position = Position.UNKNOWN
    frame: Frame | None = None
    frames: tuple[Frame, ...] = ()
    framework: str = ""
    request: str = ""
    retries: int = 0
    idle_ms: int | None = None
    process: int | None = None
    thread: str = ""
    in_transaction: bool | None = None
    after_idle: bool | None = None
    pool: PoolFacts | None = None
    notes: tuple[str, ...] = ()
