"""SH402."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.project import Module
from stillhere.lint.retries import database_errors, decorated, loops, sends
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.tree import walk_body

__all__ = ["RetryOnBareOperationalError"]

_LOOKS = frozenset(
    {"args", "orig", "errno", "code", "connection_invalidated", "is_retryable", "is_disconnect", "sqlstate", "pgcode"}
)


class RetryOnBareOperationalError(Rule):
    """Everything that is an OperationalError is tried again.

    What it does:
        Finds retry loops and retrying decorators that catch `OperationalError`, `DBAPIError` or a wider class of a
        database, and look at nothing else of the exception: no error number, no `connection_invalidated`.

    Why it is bad:
        The class covers lost connections, but also a wrong password (1045; repeated, it gets the account or the
        host locked out), unknown columns, lock waits and deadlocks. A lost COMMIT is one as well: it may have
        succeeded, and running the work again does it twice.

    Known limits:
        A loop that only connects, or asks `SELECT 1`, waits for a server to start, and is left alone. Conditions
        that are functions are taken to look at the number.

    Example:
        ```python
        for attempt in range(3):
            try:
                with Session.begin() as session:
                    session.execute(update(Stock).values(count=Stock.count - 1))
                break
            except OperationalError:
                time.sleep(1)
        ```

    Use instead:
        ```python
        for attempt in stillhere.attempts(within=10):
            with attempt, Session.begin() as session:
                session.execute(update(Stock).values(count=Stock.count - 1))
        ```

    References:
        - PEP 249, `OperationalError`
        - MySQL, "Server Error Message Reference"
    """

    id = "SH402"
    name = "retry-on-bare-operational-error"
    remedy = "Decide by the error's number, as stillhere.is_retryable does, and never repeat a lost COMMIT."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Loops and decorators without a look at the exception."""
        del options
        for loop in loops(module):
            caught = database_errors(loop.caught) or list(loop.caught)
            if caught and sends(module, loop.attempt.body) and not _looks(loop.handler):
                yield Problem(loop.handler, f"{_short(caught)} of any kind is tried again")
        for one in decorated(module):
            caught = database_errors(one.caught)
            if caught and not one.condition and sends(module, one.function.body):
                yield Problem(one.decorator, f"{_short(caught)} of any kind is tried again")


def _short(names: list[str]) -> str:
    return names[0].rpartition(".")[2]


def _looks(handler: ast.ExceptHandler) -> bool:
    for node in walk_body(handler.body):
        if isinstance(node, ast.Attribute) and node.attr in _LOOKS:
            return True
        if isinstance(node, ast.Name) and node.id in _LOOKS:
            return True
        if isinstance(node, ast.Call) and any(
            isinstance(one, ast.Name) and one.id == handler.name for argument in node.args for one in ast.walk(argument)
        ):
            called = ast.unparse(node.func)
            if not called.startswith(("log", "self.log", "print", "str", "repr")) and "log" not in called.lower():
                return True  # some function decides
    return False
