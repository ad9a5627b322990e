"""SH404."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.project import Module
from stillhere.lint.retries import loops
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.tree import FunctionNode, walk_body

__all__ = ["RaiseOutsideHandler"]


class RaiseOutsideHandler(Rule):
    """A retry ends in a `raise` that has no exception to raise.

    What it does:
        Finds a bare `raise` behind a retry loop, outside of any handler.

    Why it is bad:
        A handler's exception is gone when the handler ends. The bare `raise` then fails itself, with "RuntimeError:
        No active exception to reraise", and the database's error is lost. The usual recipes for "gone away" have
        this line.

    Known limits:
        Only behind loops that catch a database's exception.

    Example:
        ```python
        for attempt in range(3):
            try:
                return fetch(session)
            except OperationalError:
                session.rollback()
        raise
        ```

    Use instead:
        ```python
        for attempt in range(3):
            try:
                return fetch(session)
            except OperationalError:
                session.rollback()
                if attempt == 2:
                    raise
        ```

    References:
        - Python, "The raise statement"
    """

    id = "SH404"
    name = "raise-outside-handler"
    severity = Severity.ERROR
    remedy = "Raise inside the handler on the last attempt, or keep the exception in a name and raise that."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Bare raises after a loop in the same function."""
        del options
        told = set()
        for loop in loops(module):
            function = module.tree.function_of(loop.loop)
            for node in walk_body(function.body if function is not None else []):
                if not isinstance(node, ast.Raise) or node.exc is not None or node in told:
                    continue
                if node.lineno > loop.handler.lineno and not _in_handler(module, node):
                    told.add(node)
                    yield Problem(node, "there is no exception here to raise again; this raises RuntimeError")


def _in_handler(module: Module, node: ast.Raise) -> bool:
    for one in module.tree.ancestors(node):
        if isinstance(one, ast.ExceptHandler):
            return True
        if isinstance(one, ast.Try) and any(node in ast.walk(last) for last in one.finalbody):
            return True
        if isinstance(one, FunctionNode):
            return False
    return False
