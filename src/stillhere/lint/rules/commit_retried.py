"""SH406."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.project import Module
from stillhere.lint.retries import database_errors, decorated, loops, sends
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.tree import Bound

__all__ = ["CommitRetried"]


class CommitRetried(Rule):
    """A COMMIT alone is tried again.

    What it does:
        Finds retry loops and retrying decorators whose only work is `commit()`, on a session or connection that was
        used before.

    Why it is bad:
        When the connection was lost, the transaction is gone: the second COMMIT commits nothing and succeeds, and
        the application believes that its work is stored. When only the reply was lost, the first one had succeeded,
        and the error was the wrong answer. Neither can be told from the exception.

    Known limits:
        Work that is repeated together with its COMMIT is another matter; see SH402.

    Example:
        ```python
        session.add(order)
        for attempt in range(3):
            try:
                session.commit()
                break
            except OperationalError:
                session.rollback()
        ```

    Use instead:
        ```python
        for attempt in stillhere.attempts(within=10):
            with attempt, Session.begin() as session:
                session.add(Order(number=number))
        ```

    References:
        - The how-to about lost COMMITs
    """

    id = "SH406"
    name = "commit-retried"
    severity = Severity.ERROR
    remedy = "Run the whole transaction again, and only where it is known that nothing was committed."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Attempts that send nothing but COMMIT."""
        del options
        text = "a COMMIT is tried again without its transaction: after a loss it commits nothing and succeeds"
        for loop in loops(module):
            if _only_commit(module, loop.attempt.body):
                yield Problem(loop.handler, text)
        for one in decorated(module):
            if one.caught and not database_errors(one.caught):
                continue
            scope = module.tree.scopes[one.function]
            foreign = any(bound[0].how is Bound.PARAMETER for bound in scope.names.values())
            if foreign and _only_commit(module, one.function.body):
                yield Problem(one.decorator, text)


def _only_commit(module: Module, body: list[ast.stmt]) -> bool:
    sent = sends(module, body)
    others = [call for call in _calls(body) if call not in [one for one, _ in sent]]
    return bool(sent) and all(_is_commit(call) for call, _ in sent) and not any(map(_may_work, others))


def _calls(body: list[ast.stmt]) -> list[ast.Call]:
    return [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Call)]


def _is_commit(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "commit"


def _may_work(call: ast.Call) -> bool:
    """A call of anything but a logger may have done the work."""
    name = ast.unparse(call.func).lower()
    return not ("log" in name or name in {"print", "time.sleep", "sleep"})
