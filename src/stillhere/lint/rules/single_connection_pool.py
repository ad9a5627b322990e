"""SH109."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.engines import Database, engines
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule

__all__ = ["SingleConnectionPool"]


class SingleConnectionPool(Rule):
    """One connection to a MySQL server for all threads.

    What it does:
        Finds `poolclass=StaticPool` and `poolclass=SingletonThreadPool` in engines for MySQL or MariaDB.

    Why it is bad:
        Both are made for SQLite in memory. StaticPool gives the same connection to everybody: two threads that
        speak on it at once read each other's replies, or get "Packet sequence number wrong". Neither notices that
        the server has closed the connection.

    Known limits:
        Engines whose address isn't known are left alone, since tests use these pools with SQLite.

    Example:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", poolclass=StaticPool)
        ```

    Use instead:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop?plugin=stillhere")
        ```

    References:
        - SQLAlchemy, "API Documentation - Available Pool Implementations"
    """

    id = "SH109"
    name = "single-connection-pool"
    severity = Severity.ERROR
    remedy = "Use the default pool, or NullPool where connections should not be kept."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines for MySQL with one of the two."""
        del options
        for site in engines(module):
            if site.url.database is Database.MYSQL and site.pool in {"StaticPool", "SingletonThreadPool"}:
                entry = site.option("poolclass")
                node = entry.node if entry is not None and entry.module is module else site.node
                yield Problem(node, f"{site.pool} keeps one connection, which threads then share")
