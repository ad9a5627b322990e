"""Where code tries again after an exception: loops with a handler, and the decorators of the usual packages."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stillhere.lint.flow import SESSIONS, USES, handler_names, is_loop, leaves
from stillhere.lint.names import DRIVERS, root_of
from stillhere.lint.project import Module
from stillhere.lint.things import Kind, Thing, concerns, thing
from stillhere.lint.tree import FunctionNode, walk_body
from stillhere.lint.values import text

__all__ = ["Retried", "RetryLoop", "database_errors", "decorated", "loops", "sends"]

_DECORATORS = frozenset(
    {
        "tenacity.retry",
        "tenacity.Retrying",
        "backoff.on_exception",
        "retrying.retry",
        "stamina.retry",
        "retry.retry",
        "retry.api.retry",
    }
)
_ERRORS = frozenset(
    {"OperationalError", "DBAPIError", "DatabaseError", "InterfaceError", "InternalError", "Error"}
    | {"SQLAlchemyError", "MySQLError"}
)
_EVERYTHING = frozenset({"builtins.Exception", "builtins.BaseException"})
_ROOTS = frozenset({"sqlalchemy", "django.db", *DRIVERS})
_THINGS = SESSIONS | {Kind.CONNECTION, Kind.ASYNC_CONNECTION, Kind.RAW, Kind.CURSOR}


@dataclass(frozen=True, eq=False)
class RetryLoop:
    """A loop that runs the body of a ``try`` again after an exception.

    Attributes:
        loop: the loop.
        attempt: the ``try``.
        handler: the handler after which the loop goes on.
        caught: the canonical names of what it catches.
    """

    loop: ast.stmt
    attempt: ast.Try
    handler: ast.ExceptHandler
    caught: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Retried:
    """A function that a decorator runs again.

    Attributes:
        function: which.
        decorator: by what.
        caught: the canonical names of the exceptions; empty for all.
        condition: what else decides, as written; empty where nothing does.
    """

    function: FunctionNode
    decorator: ast.expr
    caught: tuple[str, ...]
    condition: str


def database_errors(names: Iterable[str]) -> list[str]:
    """Those that are a database's exceptions, and cover more than a lost connection."""
    return [name for name in names if root_of(name) in _ROOTS and name.rpartition(".")[2] in _ERRORS]


def loops(module: Module) -> list[RetryLoop]:
    """The retry loops of a module that catch a database's exception."""
    if "retry loops" not in module.memory:
        module.memory["retry loops"] = list(_loops(module))
    found = module.memory["retry loops"]
    assert isinstance(found, list)  # noqa: S101 - for the type checker
    return found


def _loops(module: Module) -> Iterator[RetryLoop]:
    for node in module.tree.each(ast.Try):
        loop = _loop_around(module, node)
        if loop is None or not _ends_loop(node):
            continue
        for handler in node.handlers:
            caught = tuple(handler_names(module, handler))
            concerned = database_errors(caught) or (_EVERYTHING & set(caught) and sends(module, node.body))
            if concerned and not _always_leaves(handler.body):
                yield RetryLoop(loop, node, handler, caught)
                break


def _loop_around(module: Module, node: ast.Try) -> ast.stmt | None:
    for one in module.tree.ancestors(node):
        if isinstance(one, FunctionNode | ast.ClassDef | ast.Lambda):
            return None
        if is_loop(one) and isinstance(one, ast.stmt):
            if isinstance(one, ast.For) and "range" not in ast.unparse(one.iter) and "attempt" not in ast.unparse(one):
                return None  # a loop over work, in which each failure is skipped
            return one
    return None


def _ends_loop(node: ast.Try) -> bool:
    """Whether success leaves the loop: that is what makes it a retry."""
    for body in (node.body, node.orelse):
        for one in walk_body(body):
            if isinstance(one, ast.Return | ast.Break):
                return True
    return False


def _always_leaves(body: list[ast.stmt]) -> bool:
    return leaves(body) and not isinstance(body[-1], ast.Continue)


def decorated(module: Module) -> list[Retried]:
    """The functions of a module under a retrying decorator."""
    found = []
    for function in module.tree.functions:
        for decorator in function.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if module.name_of(called) in _DECORATORS:
                caught, condition = _terms(module, decorator)
                found.append(Retried(function, decorator, caught, condition))
    return found


def _terms(module: Module, decorator: ast.expr) -> tuple[tuple[str, ...], str]:
    if not isinstance(decorator, ast.Call):
        return (), ""
    given = {keyword.arg: keyword.value for keyword in decorator.keywords if keyword.arg}
    caught: list[str] = []
    name = module.name_of(decorator.func)
    if name == "tenacity.retry":
        condition = given.get("retry")
        if condition is None:
            return (), ""
        if isinstance(condition, ast.Call) and module.name_of(condition.func) == "tenacity.retry_if_exception_type":
            return tuple(_names(module, condition.args[0]) if condition.args else ()), ""
        return (), ast.unparse(condition)
    exceptions = given.get("on") or given.get("exception") or given.get("exceptions")
    if exceptions is None and name == "backoff.on_exception" and len(decorator.args) > 1:
        exceptions = decorator.args[1]
    if exceptions is None and name.startswith("retry.") and decorator.args:
        exceptions = decorator.args[0]
    if exceptions is not None:
        caught = list(_names(module, exceptions))
        if not caught:
            return (), ast.unparse(exceptions)
    condition = given.get("giveup") or given.get("retry_on_exception")
    return tuple(caught), ast.unparse(condition) if condition is not None else ""


def _names(module: Module, node: ast.expr) -> Iterator[str]:
    for one in node.elts if isinstance(node, ast.Tuple) else [node]:
        found = module.name_of(one)
        if found and found[-1:] != ".":
            yield found


def sends(module: Module, body: list[ast.stmt]) -> list[tuple[ast.Call, Thing]]:
    """What these statements send on sessions, connections and cursors; a probe such as ``SELECT 1`` is nothing."""
    found = []
    for node in walk_body(body):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in USES | {"commit", "add", "add_all", "delete"}:
            continue
        one = thing(module, node.func.value)
        if one is not None and one.kind in _THINGS and concerns(one) and not _is_probe(module, node):
            found.append((node, one))
    return found


def _is_probe(module: Module, call: ast.Call) -> bool:
    if not call.args:
        return False
    given = call.args[0]
    if isinstance(given, ast.Call) and module.name_of(given.func) == "sqlalchemy.text" and given.args:
        given = given.args[0]
    if isinstance(given, ast.Call) and module.name_of(given.func) == "sqlalchemy.select" and given.args:
        return isinstance(given.args[0], ast.Constant)
    statement = text(module, given)
    return statement is not None and statement.strip().rstrip(";").upper() in {
        "SELECT 1",
        "SELECT 1 FROM DUAL",
        "SELECT NOW()",
        "SELECT VERSION()",
    }
