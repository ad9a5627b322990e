"""SH107."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.engines import EngineSite, Maker, engines
from stillhere.lint.flow import is_loop, is_view
from stillhere.lint.project import Local, Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.tree import FunctionNode

__all__ = ["EnginePerRequest"]

_CACHES = ("cache", "lru_cache", "cached_property", "cached", "singleton", "fixture", "memoize")


class EnginePerRequest(Rule):
    """An engine is made anew for each request, task or turn of a loop.

    What it does:
        Finds `create_engine()` in a view, a task, a FastAPI dependency or a loop, also one call away, when the
        engine is neither kept nor disposed of.

    Why it is bad:
        Each engine has a pool of its own. Its connections stay open until the garbage collector gets to them, which
        the server logs as aborted clients, and under load the server runs out of connections (1040). Nothing is
        reused: each request pays for a new handshake.

    Known limits:
        An engine that is disposed of in the same function, that uses NullPool, or that is kept in a global name, an
        attribute or a cache is left alone. Calls through more than one function aren't followed.

    Example:
        ```python
        @app.get("/orders")
        def orders():
            engine = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True)
            with engine.connect() as connection:
                return connection.execute(text("SELECT id FROM orders")).scalars().all()
        ```

    Use instead:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True)


        @app.get("/orders")
        def orders():
            with engine.connect() as connection:
                return connection.execute(text("SELECT id FROM orders")).scalars().all()
        ```

    References:
        - SQLAlchemy, "Working with Engines and Connections": the engine is made once for a process
    """

    id = "SH107"
    name = "engine-per-request"
    severity = Severity.ERROR
    remedy = "Make the engine once, at the module's top level or in the application factory, and share it."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines that are made again and again."""
        del options
        for site in engines(module):
            call = site.call
            if call is None or site.maker is Maker.FLASK or not site.concerns or site.pool in {"NullPool", "?"}:
                continue
            function = module.tree.function_of(call)
            where = _repeated(module, call, function)
            if where and not _kept(module, site, function):
                yield Problem(call, f"an engine, and its pool, is made anew {where}")


def _repeated(module: Module, call: ast.Call, function: FunctionNode | None) -> str:
    for one in module.tree.ancestors(call):
        if one is function:
            break
        if is_loop(one) and not _until_it_works(one):
            return "in each turn of the loop"
    if function is None:
        return ""
    if is_view(module, function):
        return f"with each call of {function.name}()"
    return _called_by_views(module, function)


def _called_by_views(module: Module, function: FunctionNode) -> str:
    for other in module.calls("Depends", function.name):
        if module.name_of(other.func) == "fastapi.Depends":
            if other.args and _is(module, other.args[0], function):
                return "with each request"
        elif _is(module, other.func, function):
            caller = module.tree.function_of(other)
            if caller is not None and is_view(module, caller):
                return f"with each call of {caller.name}()"
    return ""


def _until_it_works(loop: ast.AST) -> bool:
    """A loop that tries until the server is up, or once for each of several databases."""
    if isinstance(loop, ast.While):
        return any(isinstance(one, ast.Try | ast.Break) for one in ast.walk(loop))
    return any(isinstance(one, ast.Break | ast.Return) for one in ast.walk(loop)) or "range" not in ast.unparse(
        loop.iter if isinstance(loop, ast.For) else loop
    )


def _is(module: Module, node: ast.expr, function: FunctionNode) -> bool:
    ref = module.resolve(node)
    return isinstance(ref, Local) and ref.binding.node is function


def _kept(module: Module, site: EngineSite, function: FunctionNode | None) -> bool:
    """Whether the engine outlives the call on purpose, or is ended in it."""
    call = site.call
    if function is None or call is None:
        return False
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(called).rpartition(".")[2] in _CACHES:
            return True
    statement = module.tree.statement_of(call)
    for target in getattr(statement, "targets", None) or [getattr(statement, "target", None)]:
        if isinstance(target, ast.Attribute | ast.Subscript):
            return True
        if isinstance(target, ast.Name) and target.id in module.tree.scope_of(call).outer:
            return True
    calls = (one for one in ast.walk(function) if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute))
    return any(isinstance(one.func, ast.Attribute) and one.func.attr in {"dispose", "setdefault"} for one in calls)
