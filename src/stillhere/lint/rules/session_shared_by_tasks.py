"""SH304."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing

__all__ = ["SessionSharedByTasks"]

_SHARED = frozenset({Kind.ASYNC_SESSION, Kind.ASYNC_CONNECTION, Kind.RAW, Kind.CURSOR})
_COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp, ast.SetComp)


class SessionSharedByTasks(Rule):
    """One session is used by several tasks at once.

    What it does:
        Finds an `AsyncSession` or connection in two or more of the coroutines of one `asyncio.gather()`, or in each
        coroutine of a comprehension that is gathered.

    Why it is bad:
        A session is one conversation. A second task that sends while the first waits for its reply gets "This
        session is provisioning a new connection; concurrent operations are not permitted", or reads the first one's
        rows.

    Known limits:
        Tasks that are made one by one and share a session through an object aren't seen.

    Example:
        ```python
        async with Session() as session:
            orders, items = await asyncio.gather(find_orders(session), find_items(session))
        ```

    Use instead:
        ```python
        async with Session() as one, Session() as other:
            orders, items = await asyncio.gather(find_orders(one), find_items(other))
        ```

        or wait for one after the other: they share a connection, so that nothing is lost.

    References:
        - SQLAlchemy, "Using AsyncSession with Concurrent Tasks"
    """

    id = "SH304"
    name = "session-shared-by-tasks"
    severity = Severity.ERROR
    remedy = "Give each task its own session, or await one after the other."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Calls of ``gather`` and ``wait``."""
        del options
        for call in module.calls("gather", "wait", "as_completed"):
            if not module.name_of(call.func).startswith(("asyncio.", "anyio.")):
                continue
            for name in _shared(module, call):
                yield Problem(call, f"{name} is used by several tasks at once")
                break


def _shared(module: Module, call: ast.Call) -> Iterator[str]:
    counted: Counter[str] = Counter()
    for argument in call.args:
        inner = argument.value if isinstance(argument, ast.Starred) else argument
        if isinstance(inner, _COMPREHENSIONS):
            yield from _names(module, inner.elt)
        elif isinstance(inner, ast.List | ast.Tuple | ast.Set):
            for one in inner.elts:
                counted.update(set(_names(module, one)))
        elif isinstance(inner, ast.Call):
            counted.update(set(_names(module, inner)))
    yield from (name for name, count in counted.items() if count > 1)


def _names(module: Module, node: ast.AST) -> Iterator[str]:
    """The sessions that a coroutine is called with, or a method of which it is."""
    if not isinstance(node, ast.Call):
        return
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    if isinstance(node.func, ast.Attribute):
        given.append(node.func.value)
    for one in given:
        if isinstance(one, ast.Name):
            held = thing(module, one)
            if held is not None and held.kind in _SHARED and concerns(held):
                yield one.id
        elif isinstance(one, ast.Call):
            yield from _names(module, one)
