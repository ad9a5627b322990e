"""SH106."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.engines import EngineSite, engines
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.values import constant, follow, mapping

__all__ = ["ResetOnReturnOff"]


class ResetOnReturnOff(Rule):
    """Connections go back to the pool with their transaction open.

    What it does:
        Finds `pool_reset_on_return=None` on engines that aren't in autocommit (`isolation_level="AUTOCOMMIT"`, or
        `autocommit` among the `connect_args`).

    Why it is bad:
        Without the reset, a transaction that wasn't ended keeps its locks and its snapshot in the pool. The next
        user gets them, and while the connection waits, the server's limits for idle transactions (MariaDB's
        `idle_transaction_timeout`) close it.

    Known limits:
        An application that ends every transaction itself, and listens to the pool's `reset` event, is right to
        switch it off; write `# noqa: SH106` there.

    Example:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True, pool_reset_on_return=None)
        ```

    Use instead:
        ```python
        engine = create_engine(
            "mysql+pymysql://app@db.example/shop",
            pool_pre_ping=True,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
        )
        ```

        or leave `pool_reset_on_return` at its default.

    References:
        - SQLAlchemy, "Reset On Return"
        - MariaDB, `idle_transaction_timeout`
    """

    id = "SH106"
    name = "reset-on-return-off"
    remedy = 'Leave pool_reset_on_return at its default, or set isolation_level="AUTOCOMMIT" as well.'

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines without the reset and without autocommit."""
        del options
        for site in engines(module):
            entry = site.option("pool_reset_on_return")
            if entry is None or not site.concerns or _autocommits(site):
                continue
            value, home = follow(entry.module, entry.value)
            if isinstance(value, ast.Constant) and value.value is None and home is not None:
                node = entry.node if entry.module is module else site.node
                yield Problem(node, "pool_reset_on_return=None gives connections back with their transaction open")


def _autocommits(site: EngineSite) -> bool:
    """Whether each statement is its own transaction; what can't be read counts as if it were."""
    if not site.options.complete:
        return True
    isolation = site.option("isolation_level")
    if isolation is not None and constant(isolation.module, isolation.value) in {"AUTOCOMMIT", ...}:
        return True
    execution = site.option("execution_options")
    arguments = site.option("connect_args")
    for entry, name in ((execution, "isolation_level"), (arguments, "autocommit")):
        given = mapping(entry.module, entry.value) if entry is not None else None
        if given is not None and (name in given.entries or not given.complete):
            return True
    return False
