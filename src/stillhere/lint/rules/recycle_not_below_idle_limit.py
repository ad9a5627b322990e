"""SH102."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.engines import Maker, engines
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.rules.engine_without_liveness import has_ping
from stillhere.lint.values import Entry, number

__all__ = ["RecycleNotBelowIdleLimit"]

_FLASK_DEFAULT = 7200.0


class RecycleNotBelowIdleLimit(Rule):
    """Connections are recycled only after the server has closed them.

    What it does:
        Compares `pool_recycle` with the idle limit: `idle-limit` in `[tool.stillhere.lint]`, 28800 s (the servers'
        own default of `wait_timeout`) where that isn't set. Engines with `pool_pre_ping=True` aren't compared.

    Why it is bad:
        A pool gives out a connection of any age below `pool_recycle`. One that was idle for longer than the
        shortest limit on its way (the server's `wait_timeout`, a proxy's or a load balancer's idle timeout) is dead
        by then.

    Known limits:
        The limit of your server and of the hops before it isn't in the source: set `idle-limit` to the shortest of
        them. A recycle time below it is necessary, not sufficient: it is compared with a connection's age when it
        leaves the pool, and helps no connection that a request keeps while it waits for something else.

    Example:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_recycle=36000)
        ```

    Use instead:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_recycle=280, pool_pre_ping=True)
        ```

    References:
        - SQLAlchemy, "Setting Pool Recycle"
        - MySQL, `wait_timeout`
    """

    id = "SH102"
    name = "recycle-not-below-idle-limit"
    remedy = (
        "Set pool_recycle below the shortest idle limit, add pool_pre_ping=True, or put plugin=stillhere into the URL."
    )

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines whose recycle time is a number at or over the limit."""
        for site in engines(module):
            if not site.concerns or site.protected or has_ping(site) or site.pool in {"NullPool", "?"}:
                continue
            entry = site.option("pool_recycle")
            limit = options.idle_limit
            if entry is None:
                if site.maker is Maker.FLASK and site.options.complete and limit <= _FLASK_DEFAULT:
                    text = f"Flask-SQLAlchemy's own pool_recycle of 7200 s is not below the idle limit of {limit:g} s"
                    yield Problem(site.node, f"{text}{site.hint}")
                continue
            seconds = number(entry.module, entry.value)
            if seconds is not None and seconds >= limit:
                text = f"pool_recycle={seconds:g} is not below the idle limit of {limit:g} s{site.hint}"
                suggestion = f"pool_recycle={max(1, int(limit * 0.8))}"
                yield Problem(_where(entry, module) or site.node, text, suggestion=(suggestion,))


def _where(entry: Entry, module: Module) -> ast.AST | None:
    return entry.node if entry.module is module else None
