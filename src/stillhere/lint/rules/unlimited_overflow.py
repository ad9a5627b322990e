"""SH104."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.lint.engines import engines
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.values import number

__all__ = ["UnlimitedOverflow"]


class UnlimitedOverflow(Rule):
    """A pool without an upper limit takes every connection that the server has.

    What it does:
        Finds `max_overflow=-1` and `pool_size=0`, which both mean "no limit" to SQLAlchemy.

    Why it is bad:
        When statements get slow, each waiting thread opens one more connection, until the server answers "Too many
        connections" (1040) to everybody, administrators and other applications included. The slowness gets worse.

    Known limits:
        Whether your limits fit is a sum that the linter can't do: processes times (`pool_size` + `max_overflow`)
        against the server's `max_connections`.

    Example:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True, max_overflow=-1)
        ```

    Use instead:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True, max_overflow=10)
        ```

    References:
        - SQLAlchemy, `QueuePool`, parameters `pool_size` and `max_overflow`
        - MySQL, `max_connections`
    """

    id = "SH104"
    name = "unlimited-overflow"
    remedy = "Set a limit: processes times (pool_size + max_overflow) must stay below the server's max_connections."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines with one of the two options."""
        del options
        for site in engines(module):
            if not site.concerns:
                continue
            for name, unlimited in (("max_overflow", -1), ("pool_size", 0)):
                entry = site.option(name)
                if entry is not None and number(entry.module, entry.value) == unlimited:
                    node = entry.node if entry.module is module else site.node
                    yield Problem(node, f"{name}={unlimited} lets the pool take every connection that the server has")
