"""SH306."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.engines import engines
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.tree import FunctionNode, walk_body

__all__ = ["AsyncEngineNeverDisposed"]


class AsyncEngineNeverDisposed(Rule):
    """An async engine made in a coroutine isn't disposed of before its event loop ends.

    What it does:
        Finds `create_async_engine()` in an `async def`, kept in a local name, neither disposed of nor given away.

    Why it is bad:
        The connections in its pool outlive the event loop. The garbage collector can't close them without one: it
        warns "The garbage collector is trying to clean up non-checked-in connection", or "Event loop is closed",
        and the server counts aborted clients.

    Known limits:
        An engine that is returned, yielded, stored in an object or passed to a function is taken to be disposed of
        there; so is one without a pool.

    Example:
        ```python
        async def main():
            engine = create_async_engine("mysql+asyncmy://app@db.example/shop", pool_pre_ping=True)
            async with engine.begin() as connection:
                await connection.execute(text("DELETE FROM sessions"))
        ```

    Use instead:
        ```python
        async def main():
            engine = create_async_engine("mysql+asyncmy://app@db.example/shop", pool_pre_ping=True)
            try:
                async with engine.begin() as connection:
                    await connection.execute(text("DELETE FROM sessions"))
            finally:
                await engine.dispose()
        ```

    References:
        - SQLAlchemy, "Asynchronous I/O (asyncio)", synopsis: `await engine.dispose()`
    """

    id = "SH306"
    name = "async-engine-never-disposed"
    remedy = "Await engine.dispose() in a finally at the end of the coroutine."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines in local names of coroutines."""
        del options
        for site in engines(module):
            call = site.call
            if call is None or not site.is_async or not site.concerns or site.pool in {"NullPool", "?"}:
                continue
            function = module.tree.function_of(call)
            statement = module.tree.statement_of(call)
            if not isinstance(function, ast.AsyncFunctionDef) or not isinstance(statement, ast.Assign):
                continue
            target = statement.targets[0]
            if (
                statement.value is call
                and isinstance(target, ast.Name)
                and not _given_away(module, function, target.id)
            ):
                yield Problem(call, f"{target.id} is not disposed of before the event loop ends")


def _given_away(module: Module, function: FunctionNode, name: str) -> bool:
    if name in module.tree.scopes[function].outer:
        return True
    for node in walk_body(function.body):
        if not isinstance(node, ast.Name) or node.id != name or not isinstance(node.ctx, ast.Load):
            continue
        parent = module.tree.parents[node]
        if isinstance(parent, ast.Attribute):
            if parent.attr == "dispose":
                return True
        elif not (isinstance(parent, ast.Call | ast.keyword) and _makes_factory(module, parent)):
            return True
    return any(isinstance(node, ast.Nonlocal) for node in ast.walk(function))


def _makes_factory(module: Module, parent: ast.AST) -> bool:
    """``async_sessionmaker(engine)`` doesn't take the engine away."""
    call = parent if isinstance(parent, ast.Call) else module.tree.parents.get(parent)
    return isinstance(call, ast.Call) and module.name_of(call.func) in {
        "sqlalchemy.async_sessionmaker",
        "sqlalchemy.sessionmaker",
        "sqlalchemy.AsyncSession",
    }
