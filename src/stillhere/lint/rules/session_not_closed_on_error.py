"""SH204."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing
from stillhere.lint.tree import Binding, Bound, FunctionNode, walk_body

__all__ = ["SessionNotClosedOnError"]

_CLOSED = {
    Kind.SESSION: "session",
    Kind.ASYNC_SESSION: "session",
    Kind.CONNECTION: "connection",
    Kind.ASYNC_CONNECTION: "connection",
}


class SessionNotClosedOnError(Rule):
    """A session or connection is closed only where nothing went wrong.

    What it does:
        Finds functions that make a session or take a connection from an engine, use it, and close it in the plain
        course of things: not in a `finally`, not by `with`, not in a handler for every exception as well.

    Why it is bad:
        The first exception skips the `close()`. The connection stays taken, with its transaction and locks, for as
        long as anything refers to the session: a logged traceback is enough. After `pool_size` + `max_overflow` of
        them every request waits for 30 s and gets "QueuePool limit reached".

    Known limits:
        A session that is never closed in its function may be closed by its caller, so that it isn't reported.
        Neither are functions called `main`.

    Example:
        ```python
        def get_session():
            session = Session()
            yield session
            session.close()
        ```

    Use instead:
        ```python
        def get_session():
            with Session() as session:
                yield session
        ```

    References:
        - SQLAlchemy, "Session Basics", closing
        - FastAPI, "Dependencies with yield"
    """

    id = "SH204"
    name = "session-not-closed-on-error"
    remedy = "Use it as a context manager (with), or close it in a finally."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Functions that close what they made, but not always."""
        del options
        closing = (module.tree.function_of(call) for call in module.calls("close"))
        for function in dict.fromkeys(one for one in closing if one is not None):
            if function.name != "main":
                yield from _check(module, function)


def _check(module: Module, function: FunctionNode) -> Iterator[Problem]:
    scope = module.tree.scopes[function]
    for name, bound in scope.names.items():
        if (
            len(bound) != 1
            or bound[0].how is not Bound.ASSIGNED
            or not isinstance(bound[0].value, ast.Call | ast.Await)
        ):
            continue
        one = thing(module, bound[0].value)
        made = bound[0].value.value if isinstance(bound[0].value, ast.Await) else bound[0].value
        if one is None or one.kind not in _CLOSED or one.node is not made or not concerns(one):
            continue
        if one.origin is not None and one.origin.kind is Kind.REGISTRY:
            continue  # the registry keeps it, and remove() ends it
        if _leaks(module, function, name, bound[0]):
            yield Problem(bound[0].value, f"the {_CLOSED[one.kind]} {name} is not closed when an exception comes first")


def _leaks(module: Module, function: FunctionNode, name: str, binding: Binding) -> bool:
    closes = [
        node
        for node in walk_body(function.body)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "close"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == name
    ]
    if not closes:
        return False
    entered = any(
        isinstance(node, ast.withitem) and any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))
        for node in walk_body(function.body)
    )
    if entered or any(_always_runs(module, close, function) for close in closes):
        return False
    used = (
        node
        for node in walk_body(function.body)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    )
    last = max(close.lineno for close in closes)
    return any(binding.line < node.lineno < last for node in used)


def _always_runs(module: Module, close: ast.Call, function: FunctionNode) -> bool:
    """In a ``finally``, or in a handler for everything."""
    child: ast.AST = close
    for parent in module.tree.ancestors(close):
        if parent is function:
            return False
        if isinstance(parent, ast.Try) and child in parent.finalbody:
            return True
        if isinstance(parent, ast.ExceptHandler):
            caught = ast.unparse(parent.type) if parent.type is not None else ""
            if caught in {"", "Exception", "BaseException"}:
                return True
        child = parent
    return False
