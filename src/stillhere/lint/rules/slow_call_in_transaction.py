"""SH206."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.flow import ENDS, SESSIONS, SLOW_NAMES, USES, dominates, exclusive, same, slow_call
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing
from stillhere.lint.tree import FunctionNode, walk_body

__all__ = ["SlowCallInTransaction"]

_AFTER = USES | {"commit", "add", "add_all", "delete", "flush"}


class SlowCallInTransaction(Rule):
    """Something slow is waited for while a transaction is open.

    What it does:
        Finds HTTP requests, mails, subprocesses and sleeps of a second or more inside `with session.begin()`, `with
        engine.begin()` and Django's `transaction.atomic()`; and between a session's statement and its next use,
        where nothing ended the transaction in between.

    Why it is bad:
        The connection is idle inside the transaction for as long as the other side takes. Row locks are held, and a
        limit for idleness (`wait_timeout`, MariaDB's `idle_transaction_timeout`, a proxy's) may close it: then the
        next statement fails with 2006 and the work so far is rolled back. Nothing brings it back safely: neither
        `pool_pre_ping` nor a retry of the statement, and stillhere doesn't continue a transaction that was open for
        longer than 5 s when it was cut, since somebody may have ended it on purpose.

    Known limits:
        Clients that are made in other functions, and calls that hide the request, aren't seen.

    Example:
        ```python
        with Session.begin() as session:
            order = session.get(Order, order_id)
            receipt = requests.post(PAYMENTS, json=order.as_json(), timeout=30)
            order.receipt = receipt.json()["id"]
        ```

    Use instead:
        ```python
        with Session() as session:
            order = session.get(Order, order_id).as_json()
        receipt = requests.post(PAYMENTS, json=order, timeout=30)
        with Session.begin() as session:
            session.get(Order, order_id).receipt = receipt.json()["id"]
        ```

    References:
        - MariaDB, `idle_transaction_timeout`
        - Django, "Database transactions"
    """

    id = "SH206"
    name = "slow-call-in-transaction"
    remedy = "Do it before the transaction begins or after it has ended."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """In blocks first, then along functions."""
        del options
        told: set[ast.Call] = set()
        for node in module.tree.withs:
            opens = next((one for one in node.items if _opens(module, one.context_expr)), None)
            for call, what in _slow(module, node.body) if opens is not None else ():
                if call not in told and opens is not None:
                    told.add(call)
                    yield Problem(call, f"{what} is waited for inside {ast.unparse(opens.context_expr)}")
        found = (module.tree.function_of(call) for call in module.calls(*SLOW_NAMES) if slow_call(module, call))
        for function in dict.fromkeys(one for one in found if one is not None):
            for call, what, held in _along(module, function):
                if call not in told:
                    told.add(call)
                    yield Problem(call, f"{what} is waited for while {held} has a transaction open")


def _opens(module: Module, node: ast.expr) -> bool:
    """Whether entering this begins a transaction that the block keeps open."""
    if not isinstance(node, ast.Call):
        name = module.name_of(node)
        return name.endswith("django.db.atomic") and not module.project.hints.not_mysql
    if module.name_of(node.func) == "django.db.atomic":
        return not module.project.hints.not_mysql
    one = thing(module, node)
    if one is not None and one.in_transaction:
        return concerns(one)
    if isinstance(node.func, ast.Attribute) and node.func.attr == "begin":
        base = thing(module, node.func.value)
        return base is not None and base.kind in SESSIONS | {Kind.CONNECTION, Kind.ASYNC_CONNECTION} and concerns(base)
    return False


def _slow(module: Module, body: list[ast.stmt]) -> Iterator[tuple[ast.Call, str]]:
    for node in walk_body(body):
        if isinstance(node, ast.Call):
            what = slow_call(module, node)
            if what:
                yield node, what


def _along(module: Module, function: FunctionNode) -> Iterator[tuple[ast.Call, str, str]]:
    """A statement of a session, a slow call after it, and a use of the session after that."""
    calls = [node for node in walk_body(function.body) if isinstance(node, ast.Call)]
    slow = [(call, what) for call in calls if (what := slow_call(module, call))]
    if not slow:
        return
    on_sessions = [call for call in calls if _on_session(module, call)]
    for call, what in slow:
        before = [one for one in on_sessions if _place(one) < _place(call) and not exclusive(module, one, call)]
        used = next((one for one in reversed(before) if _method(one) in USES | ENDS), None)
        if used is None or _method(used) in ENDS or not dominates(module, used, call):
            continue
        held = used.func.value  # type: ignore[attr-defined]
        for one in on_sessions:
            if _place(one) > _place(call) and same(module, one.func.value, held) and not exclusive(module, one, call):  # type: ignore[attr-defined]
                if _method(one) in _AFTER:
                    yield call, what, ast.unparse(held)
                break


def _on_session(module: Module, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name | ast.Attribute):
        return False
    one = thing(module, call.func.value)
    return one is not None and one.kind in SESSIONS | {Kind.CONNECTION} and concerns(one)


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _place(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset
