"""SH105."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.engines import engines
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Edit, Options, Problem, Rule
from stillhere.lint.rules.edits import drop_keyword

__all__ = ["QueuePoolWithAsyncEngine"]


class QueuePoolWithAsyncEngine(Rule):
    """A pool that blocks its thread, in an engine for asyncio.

    What it does:
        Finds `poolclass=QueuePool` in `create_async_engine()`.

    Why it is bad:
        QueuePool waits for a connection with a lock of threads, which would stop the event loop. SQLAlchemy 2
        refuses it with an `ArgumentError` when the engine is made.

    Known limits:
        Only the pool class that the engine is given is looked at; subclasses of your own aren't.

    Example:
        ```python
        engine = create_async_engine("mysql+asyncmy://app@db.example/shop", poolclass=QueuePool, pool_recycle=280)
        ```

    Use instead:
        Leave it out: the default of `create_async_engine()` is `AsyncAdaptedQueuePool`, which takes the same
        options.

        ```python
        engine = create_async_engine("mysql+asyncmy://app@db.example/shop", pool_recycle=280)
        ```

    References:
        - SQLAlchemy, "Error Messages", pcls: Pool class QueuePool cannot be used with asyncio engine
    """

    id = "SH105"
    name = "queue-pool-with-async-engine"
    severity = Severity.ERROR
    fixable = True
    remedy = "Leave poolclass out: the default is AsyncAdaptedQueuePool."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines for asyncio with that class."""
        del options
        for site in engines(module):
            entry = site.option("poolclass")
            if not site.is_async or entry is None or not site.concerns or site.pool != "QueuePool":
                continue
            edits: tuple[Edit, ...] = ()
            if site.call is not None and isinstance(entry.node, ast.keyword) and entry.node in site.call.keywords:
                edits = drop_keyword(module.source, site.call, entry.node)
            node = entry.node if entry.module is module else site.node
            yield Problem(
                node, "QueuePool blocks the event loop; SQLAlchemy refuses it for an async engine", edits=edits
            )
