"""SH401."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import SESSIONS, USES
from stillhere.lint.project import Module
from stillhere.lint.retries import Retried, RetryLoop, database_errors, decorated, loops, sends
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind
from stillhere.lint.tree import Bound, walk_body

__all__ = ["StatementRetriedInTransaction"]

_HELD = SESSIONS - {Kind.REGISTRY} | {Kind.CONNECTION, Kind.ASYNC_CONNECTION}


class StatementRetriedInTransaction(Rule):
    """One statement of somebody else's transaction is run again.

    What it does:
        Finds retry loops and retrying decorators around statements on a session or connection that comes from
        outside (a parameter), where the function neither begins nor commits the transaction.

    Why it is bad:
        After a lost connection or a deadlock the server has rolled back the whole transaction. Running the last
        statement again, on the new connection, leaves out all earlier ones: half of the work is committed, and
        nobody is told.

    Known limits:
        A function that makes its own session, or ends the transaction itself, is another matter, and left alone
        here.

    Example:
        ```python
        @retry(retry=retry_if_exception_type(OperationalError), stop=stop_after_attempt(3))
        def debit(session: Session, account: int, cents: int):
            session.execute(update(Account).where(Account.id == account).values(cents=Account.cents - cents))
        ```

    Use instead:
        Run the whole unit of work again, on a new session:

        ```python
        @stillhere.retry(sessions=Session)
        def transfer(session: Session, source: int, target: int, cents: int):
            debit(session, source, cents)
            credit(session, target, cents)
        ```

    References:
        - MySQL, "How to Minimize and Handle Deadlocks"
        - The how-to about units of work
    """

    id = "SH401"
    name = "statement-retried-in-transaction"
    severity = Severity.ERROR
    remedy = "Run the whole transaction again on a new session, as stillhere.retry does."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Decorated functions and loops."""
        del options
        for one in decorated(module):
            if one.caught and not database_errors(one.caught):
                continue
            name = _outside(module, one)
            if name and not _own_transaction(one.function.body, name):
                yield Problem(one.decorator, f"{one.function.name}() is run again, but not the transaction of {name}")
        for loop in loops(module):
            name = _outside_loop(module, loop)
            if name:
                function = module.tree.function_of(loop.loop)
                if function is not None and not _own_transaction(function.body, name):
                    yield Problem(loop.handler, f"a statement is run again, but not the transaction of {name}")


def _outside(module: Module, retried: Retried) -> str:
    parameters = {
        name for name, bound in module.tree.scopes[retried.function].names.items() if bound[0].how is Bound.PARAMETER
    }
    for call, one in sends(module, retried.function.body):
        held = call.func.value  # type: ignore[attr-defined]
        if isinstance(held, ast.Name) and held.id in parameters and one.kind in _HELD:
            return held.id
    return ""


def _outside_loop(module: Module, loop: RetryLoop) -> str:
    function = module.tree.function_of(loop.loop)
    if function is None:
        return ""
    parameters = {name for name, bound in module.tree.scopes[function].names.items() if bound[0].how is Bound.PARAMETER}
    for call, one in sends(module, loop.attempt.body):
        held = call.func.value  # type: ignore[attr-defined]
        if isinstance(held, ast.Name) and held.id in parameters and one.kind in _HELD and call.func.attr in USES:  # type: ignore[attr-defined]
            return held.id
    return ""


def _own_transaction(body: list[ast.stmt], name: str) -> bool:
    """Whether a function ends the session's transaction, so that what it runs again is all of it."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"commit", "begin", "begin_nested"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == name
        for node in walk_body(body)
    )
