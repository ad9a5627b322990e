"""SH403."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import ENDS, SESSIONS, same
from stillhere.lint.project import Module
from stillhere.lint.retries import RetryLoop, loops, sends
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind
from stillhere.lint.tree import walk_body

__all__ = ["RetryWithoutRollback"]

_HELD = SESSIONS | {Kind.CONNECTION, Kind.ASYNC_CONNECTION}


class RetryWithoutRollback(Rule):
    """A loop tries again on a session that was not rolled back.

    What it does:
        Finds retry loops around a session made before the loop, whose handler neither rolls it back nor closes it.

    Why it is bad:
        After a failure the session refuses everything until `rollback()`: "Can't reconnect until invalid
        transaction is rolled back". All further attempts fail at once, for a reason of their own, and the last
        exception hides the first.

    Known limits:
        A handler that passes the session to a function is taken to roll back there. Loops that make the session
        inside their `try` are left alone.

    Example:
        ```python
        for attempt in range(3):
            try:
                session.execute(update(Stock).values(count=0))
                session.commit()
                break
            except OperationalError:
                time.sleep(1)
        ```

    Use instead:
        ```python
        for attempt in stillhere.attempts(within=10):
            with attempt, Session.begin() as session:
                session.execute(update(Stock).values(count=0))
        ```

    References:
        - SQLAlchemy, "Can't reconnect until invalid transaction is rolled back"
    """

    id = "SH403"
    name = "retry-without-rollback"
    severity = Severity.ERROR
    remedy = "Roll back in the handler, or make a new session for each attempt."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Loops that keep their session."""
        del options
        for loop in loops(module):
            for call, one in sends(module, loop.attempt.body):
                held = call.func.value  # type: ignore[attr-defined]
                if one.kind not in _HELD or not isinstance(held, ast.Name | ast.Attribute):
                    continue
                if not _made_inside(loop, held) and not _ended(module, loop, held):
                    yield Problem(loop.handler, f"{ast.unparse(held)} is used again without a rollback")
                break


def _made_inside(loop: RetryLoop, held: ast.expr) -> bool:
    names = {node.id for node in ast.walk(held) if isinstance(node, ast.Name)}
    return any(
        isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Store)
        for node in ast.walk(loop.loop)
    )


def _ended(module: Module, loop: RetryLoop, held: ast.expr) -> bool:
    for node in walk_body([*loop.handler.body, *loop.attempt.finalbody]):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in ENDS:
            return True
        if "rollback" in ast.unparse(node.func) or any(same(module, argument, held) for argument in node.args):
            return True
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ENDS - {"commit"}
        for node in walk_body(loop.attempt.body[:1])
    )
