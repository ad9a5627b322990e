"""What is known of an application's SQLAlchemy engine, as a frozen record."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["EngineFacts"]

_WAIT_TIMEOUT = re.compile(r"wait_timeout\s*(?::=|=)\s*(\d+)", re.IGNORECASE)

NEVER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """One engine.

    Attributes:
        name: how it was reached, such as ``shop.db:engine``.
        address: host and port or socket that its URL names.
        drivername: dialect and driver, such as ``mysql+pymysql``.
        database: default database; empty for none.
        asynchronous: whether it is an asyncio engine.
        protected: whether stillhere is active in it.
        meant_protected: whether the URL that the doctor was given for this address names ``plugin=stillhere``.
        custom_creator: whether the application opens connections itself (``creator=``), so that what it passes to the
            driver isn't known.
        pool: class name of the pool, such as ``QueuePool``.
        size: connections that the pool keeps; 0 for no limit, ``None`` for a pool without a size.
        overflow: connections beyond `size`; -1 for no limit, ``None`` for a pool without.
        timeout: seconds that a checkout waits for a free connection; ``None`` for a pool without.
        recycle: seconds after which a connection is replaced at its next checkout; -1 for never.
        pre_ping: whether each checkout pings.
        reset: what is done at return: ``rollback``, ``commit``, or empty for nothing.
        isolation: the engine's own isolation level; empty where it leaves the server's.
        connect_timeout: the driver's limit for connecting, in seconds; 0 for none, ``None`` where it isn't known.
        read_timeout: the driver's limit for an answer, in seconds; 0 for none, ``None`` where it isn't known.
        init_command: what each connection runs first, masked; empty for nothing.
        interactive: whether it logs in as an interactive client, for which ``interactive_timeout`` counts.
        tls: whether it asks for TLS; ``None`` where it isn't known.
    """

    name: str
    address: str = "localhost:3306"
    drivername: str = "mysql+pymysql"
    database: str = ""
    asynchronous: bool = False
    protected: bool = False
    meant_protected: bool = False
    custom_creator: bool = False
    pool: str = "QueuePool"
    size: int | None = 5
    overflow: int | None = 10
    timeout: float | None = 30.0
    recycle: float = NEVER
    pre_ping: bool = False
    reset: str = "rollback"
    isolation: str = ""
    connect_timeout: float | None = None
    read_timeout: float | None = None
    init_command: str = ""
    interactive: bool = False
    tls: bool | None = None

    @property
    def most(self) -> int | None:
        """How many connections it may hold at once in one process; ``None`` for no limit."""
        if self.size is None or self.overflow is None or not self.size or self.overflow < 0:
            return None
        return self.size + self.overflow

    @property
    def keeps(self) -> bool:
        """Whether connections wait in a pool between uses."""
        return self.pool not in ("NullPool", "AsyncNullPool")

    @property
    def own_wait_timeout(self) -> float | None:
        """The ``wait_timeout`` that its ``init_command`` sets; ``None`` where it sets none."""
        found = _WAIT_TIMEOUT.search(self.init_command)
        return float(found[1]) if found else None
