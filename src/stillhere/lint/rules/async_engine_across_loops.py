"""SH305."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import is_loop, is_view
from stillhere.lint.project import Local, Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, engine_of, thing
from stillhere.lint.tree import FunctionNode, walk_body

__all__ = ["AsyncEngineAcrossLoops"]

_KINDS = frozenset({Kind.ASYNC_ENGINE, Kind.ASYNC_FACTORY, Kind.ASYNC_SESSION, Kind.ASYNC_CONNECTION})
_RUNS = frozenset({"asyncio.run", "asgiref.sync.async_to_sync", "anyio.run"})


class AsyncEngineAcrossLoops(Rule):
    """An async engine's pooled connections are used in a later event loop than their own.

    What it does:
        Finds `asyncio.run()` in a task, a view or a loop, so that each call makes a new event loop, when the
        coroutine works on an engine or sessionmaker of the module's top level that is neither disposed of nor
        without a pool.

    Why it is bad:
        A connection of an asyncio driver belongs to the loop that opened it. The pool keeps it when that loop has
        ended; the next one gets "got Future attached to a different loop", "Event loop is closed", or waits for
        ever.

    Known limits:
        Only coroutines that name the engine themselves, or one call further.

    Example:
        ```python
        engine = create_async_engine("mysql+asyncmy://app@db.example/shop", pool_pre_ping=True)


        async def count():
            async with engine.connect() as connection:
                return await connection.scalar(text("SELECT COUNT(*) FROM orders"))


        @celery.task
        def report():
            return asyncio.run(count())
        ```

    Use instead:
        ```python
        engine = create_async_engine("mysql+asyncmy://app@db.example/shop", poolclass=NullPool)
        ```

    References:
        - SQLAlchemy, "Using multiple asyncio event loops"
    """

    id = "SH305"
    name = "async-engine-across-loops"
    severity = Severity.ERROR
    remedy = "Use poolclass=NullPool there, or await engine.dispose() at the end of the coroutine."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """New loops that are made again and again."""
        del options
        for call in module.calls("run", "async_to_sync"):
            if module.name_of(call.func) not in _RUNS or not call.args:
                continue
            function = module.tree.function_of(call)
            again = any(is_loop(one) for one in module.tree.ancestors(call))
            if not again and (function is None or not is_view(module, function)):
                continue
            name = _engine_used(module, call.args[0])
            if name:
                yield Problem(call, f"each call makes a new event loop, but {name} keeps connections of earlier ones")


def _engine_used(module: Module, given: ast.expr, depth: int = 2) -> str:
    called = given.func if isinstance(given, ast.Call) else given
    ref = module.resolve(called)
    if not isinstance(ref, Local) or not isinstance(ref.binding.node, FunctionNode) or depth <= 0:
        return ""
    home, function = ref.module, ref.binding.node
    nodes = list(walk_body(function.body))
    if any(isinstance(one, ast.Attribute) and one.attr == "dispose" for one in nodes):
        return ""
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            held = home.resolve(node)
            if isinstance(held, Local) and held.binding.scope is held.module.tree.top:
                one = thing(home, node)
                site = engine_of(one)
                pooled = site is None or site.pool not in {"NullPool", "?"}
                if one is not None and one.kind in _KINDS and concerns(one) and pooled:
                    return node.id
    for node in nodes:
        if isinstance(node, ast.Call):
            found = _engine_used(home, node, depth - 1)
            if found:
                return found
    return ""
