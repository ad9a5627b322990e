"""SH205."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.flow import ENDS, SESSIONS, USES, exclusive, handler_names, leaves, same
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import concerns, thing
from stillhere.lint.tree import walk_body

__all__ = ["DATABASE_ERRORS", "NoRollbackAfterFailure"]

DATABASE_ERRORS = frozenset(
    {"Error", "DatabaseError", "DBAPIError", "OperationalError", "InternalError", "InterfaceError", "SQLAlchemyError"}
    | {"StatementError", "IntegrityError", "DataError", "ProgrammingError", "PendingRollbackError", "Exception"}
    | {"BaseException", "MySQLError"}
)
"""Last names of the exceptions by which a failed statement or COMMIT is caught."""

_ONE_STATEMENT = frozenset({"IntegrityError", "DataError", "ProgrammingError"})
"""Errors of one statement: when `execute` raises them, outside of a flush, the transaction goes on."""
_SENDS = USES | {"commit"}


class NoRollbackAfterFailure(Rule):
    """A session goes on after a failed statement without a rollback.

    What it does:
        Finds handlers that catch a database error of a session's `execute()`, `flush()` or `commit()`, neither roll
        back nor leave, in functions that use the same session afterwards.

    Why it is bad:
        After a failed flush, or after its connection was lost, a session refuses everything until `rollback()`:
        "Can't reconnect until invalid transaction is rolled back". The first error was swallowed, and all later
        ones hide it.

    Known limits:
        A duplicate key or the like from `execute()` itself, outside of a flush, harms nothing else, and is left
        alone. Handlers that pass the session to a function are taken to roll back there. Savepoints
        (`begin_nested()`) and `with` blocks inside the `try` roll back by themselves.

    Example:
        ```python
        try:
            session.execute(update(Stock).values(count=0))
            session.commit()
        except OperationalError:
            log.exception("no update")
        return session.scalars(select(Stock)).all()
        ```

    Use instead:
        ```python
        try:
            session.execute(update(Stock).values(count=0))
            session.commit()
        except OperationalError:
            session.rollback()
            log.exception("no update")
        return session.scalars(select(Stock)).all()
        ```

    References:
        - SQLAlchemy, "This Session's transaction has been rolled back due to a previous exception during flush"
    """

    id = "SH205"
    name = "no-rollback-after-failure"
    remedy = "Call rollback() in the handler before anything else."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Handlers after which a session is used again."""
        del options
        for node in module.tree.each(ast.Try):
            held, flushes = _session(module, node)
            if held is None or _ends(module, node.finalbody, held):
                continue
            for handler in node.handlers:
                caught = {name.rpartition(".")[2] for name in handler_names(module, handler)}
                spoils = caught & DATABASE_ERRORS if flushes else caught & DATABASE_ERRORS - _ONE_STATEMENT
                if not spoils or leaves(handler.body) or _ends(module, handler.body, held):
                    continue
                after = _used_after(module, node, held)
                if after is not None and not _in_retry_loop(module, node):
                    text = f"{ast.unparse(held)} is used again in line {after.lineno} without a rollback after this"
                    yield Problem(handler, text)


def _session(module: Module, node: ast.Try) -> tuple[ast.expr | None, bool]:
    """The session that the ``try`` sends something with, where no ``with`` inside ends it; whether it flushes."""
    if any(isinstance(one, ast.With | ast.AsyncWith) for one in walk_body(node.body)):
        return None, False
    used = {one.attr for one in walk_body(node.body) if isinstance(one, ast.Attribute)}
    flushes = "flush" in used or ("commit" in used and "execute" not in used)
    for one in walk_body(node.body):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in _SENDS:
            found = thing(module, one.func.value)
            if found is not None and found.kind in SESSIONS and concerns(found):
                return one.func.value, flushes
    return None, False


def _ends(module: Module, body: list[ast.stmt], held: ast.expr) -> bool:
    """Whether a block ends the session's transaction, raises, or passes the session on."""
    for node in walk_body(body):
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in ENDS | {"expunge_all"}:
                return True
            if any(same(module, argument, held) for argument in node.args):
                return True
            if "rollback" in ast.unparse(node.func):
                return True
    return False


def _used_after(module: Module, node: ast.Try, held: ast.expr) -> ast.Call | None:
    function = module.tree.function_of(node)
    body = function.body if function is not None else module.tree.root.body
    end = node.end_lineno or node.lineno
    for one in walk_body(body):
        if not isinstance(one, ast.Call) or one.lineno <= end or not isinstance(one.func, ast.Attribute):
            continue
        if same(module, one.func.value, held) and not exclusive(module, node, one):
            return None if one.func.attr in ENDS - {"commit"} else one if one.func.attr in _SENDS else None
    return None


def _in_retry_loop(module: Module, node: ast.Try) -> bool:
    """Those are another rule's."""
    for one in module.tree.ancestors(node):
        if isinstance(one, ast.While | ast.For):
            return any(isinstance(inner, ast.Break | ast.Return) for inner in walk_body(node.body))
    return False
