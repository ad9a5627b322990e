"""SH308."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import SESSIONS, USES
from stillhere.lint.names import root_of
from stillhere.lint.project import Local, Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, Thing, concerns, engine_of, thing
from stillhere.lint.tree import FunctionNode, walk_body

__all__ = ["InterruptedStatementReused"]

_DECORATORS = frozenset({"timeout_decorator.timeout", "timeout_decorator.timeout_decorator.timeout"})
_WAITS = frozenset(
    {"asyncio.wait_for", "asyncio.timeout", "async_timeout.timeout", "anyio.fail_after", "anyio.move_on_after"}
)
_USED = SESSIONS | {Kind.CONNECTION, Kind.RAW, Kind.CURSOR}


class InterruptedStatementReused(Rule):
    """A statement is interrupted in the middle, and its connection goes back to the pool with the reply still coming.

    What it does:
        Finds database work under `signal.alarm()` whose handler raises an ordinary exception, functions with
        `timeout_decorator`, and `asyncio.wait_for()` or `asyncio.timeout()` around a statement of asyncmy.

    Why it is bad:
        The server goes on working and sends its reply. Whoever gets the connection next reads it as the answer to
        his own statement: somebody else's rows, or "Packet sequence number wrong". SQLAlchemy discards a connection
        that was interrupted by a cancellation, a KeyboardInterrupt or a GreenletExit; it can't tell an exception
        that a signal handler raised from the driver's own.

    Known limits:
        A function that invalidates or closes the connection itself is left alone. aiomysql closes a connection
        whose statement was cancelled. An engine under stillhere discards it as well.

    Example:
        ```python
        def on_alarm(signum, frame):
            raise TimeoutError("too slow")


        signal.signal(signal.SIGALRM, on_alarm)


        def report(session: Session):
            signal.alarm(30)
            rows = session.execute(text("SELECT * FROM sales")).all()
            signal.alarm(0)
            return rows
        ```

    Use instead:
        Let the server stop it, which leaves the connection clean:

        ```python
        rows = session.execute(text("SELECT /*+ MAX_EXECUTION_TIME(30000) */ * FROM sales")).all()
        ```

    References:
        - MySQL, `max_execution_time`; MariaDB, `max_statement_time`
        - SQLAlchemy, `Connection.invalidate()`
    """

    id = "SH308"
    name = "interrupted-statement-reused"
    severity = Severity.ERROR
    remedy = "Limit the statement in the server (max_execution_time), or invalidate the connection in the handler."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Alarms, decorators and timeouts of asyncio."""
        del options
        yield from _alarms(module)
        for function in module.tree.functions:
            for decorator in function.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if module.name_of(called) in _DECORATORS and _works(module, function.body):
                    yield Problem(decorator, f"the timeout interrupts {function.name}() in the middle of a statement")
        yield from _asyncmy(module)


def _alarms(module: Module) -> Iterator[Problem]:
    if not any(_raises(module, call) for call in module.calls("signal") if len(call.args) > 1):
        return
    for call in module.calls("alarm", "setitimer"):
        function = module.tree.function_of(call)
        body = function.body if function is not None else module.tree.root.body
        stops = bool(call.args) and isinstance(call.args[-1], ast.Constant) and call.args[-1].value == 0
        if module.name_of(call.func) in {"signal.alarm", "signal.setitimer"} and not stops and _works(module, body):
            yield Problem(call, "the alarm interrupts whichever statement is running, and its connection is used again")


def _raises(module: Module, call: ast.Call) -> bool:
    """Whether a signal's handler raises something that isn't an exit."""
    ref = module.resolve(call.args[1])
    if module.name_of(call.func) != "signal.signal" or not isinstance(ref, Local):
        return False
    if "SIGALRM" not in ast.unparse(call.args[0]) or not isinstance(ref.binding.node, FunctionNode):
        return False
    raised = [node.exc for node in walk_body(ref.binding.node.body) if isinstance(node, ast.Raise) and node.exc]
    return any(not ast.unparse(one).startswith(("SystemExit", "KeyboardInterrupt")) for one in raised)


def _works(module: Module, body: list[ast.stmt]) -> bool:
    """Whether these statements send something, and leave the connection as it is afterwards."""
    found = False
    for node in walk_body(body):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "invalidate":
                return False
            one = thing(module, node.func.value)
            if one is not None and one.kind in _USED and node.func.attr in USES and _unprotected(one):
                found = True
    return found


def _unprotected(one: Thing) -> bool:
    site = engine_of(one)
    return concerns(one) and (site is None or not (site.protected or site.pool == "NullPool"))


def _asyncmy(module: Module) -> Iterator[Problem]:
    for call in module.calls("wait_for", "timeout", "fail_after", "move_on_after"):
        if module.name_of(call.func) not in _WAITS:
            continue
        block = next((one for one in module.tree.ancestors(call) if isinstance(one, ast.stmt)), None)
        inner = block.body if isinstance(block, ast.With | ast.AsyncWith) else []
        looked_at: list[ast.AST] = [*inner, *call.args]
        function = module.tree.function_of(call)
        closed = function is not None and any(
            isinstance(node, ast.Attribute) and node.attr in {"close", "terminate"} for node in ast.walk(function)
        )
        for node in walk_body(looked_at) if not closed else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in USES:
                one = thing(module, node.func.value)
                if one is not None and _driver(one) == "asyncmy":
                    yield Problem(call, "a timeout here leaves the reply unread on a connection of asyncmy's pool")
                    break


def _driver(one: Thing) -> str:
    while one.origin is not None:
        one = one.origin
    return root_of(one.module.name_of(one.node.func)) if isinstance(one.node, ast.Call) else ""
