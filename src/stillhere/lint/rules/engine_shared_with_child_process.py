"""SH301."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import SESSIONS
from stillhere.lint.project import Local, Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.starts import starts
from stillhere.lint.things import Kind, Thing, concerns, engine_of, thing
from stillhere.lint.tree import FunctionNode, walk_body

__all__ = ["EngineSharedWithChildProcess"]

_SPAWNS = re.compile(r"set_start_method\(\s*['\"](?:spawn|forkserver)|get_context\(\s*['\"](?:spawn|forkserver)")
_USED = SESSIONS | {
    Kind.ENGINE,
    Kind.FACTORY,
    Kind.CONNECTION,
    Kind.RAW,
    Kind.CURSOR,
}


class EngineSharedWithChildProcess(Rule):
    """A child process works on the pool that its parent filled.

    What it does:
        Finds `multiprocessing` processes, process pools and `os.fork()` whose function uses an engine, a session or
        a connection of the module's top level that the parent has used before the start, when the child doesn't
        dispose of it first.

    Why it is bad:
        A forked child has its parent's sockets. Two processes then speak on one connection and read each other's
        replies: "Packet sequence number wrong", 2013, 2014, or somebody else's rows. When the child exits, it says
        goodbye on the parent's connection, and the parent's next statement fails.

    Known limits:
        Only what the starting function does before the start is looked at, one call deep. Start methods "spawn" and
        "forkserver" are silent; they are the default on macOS and Windows, and on Linux from Python 3.14 on. With
        `plugin=stillhere` a child never uses its parent's connections.

    Example:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True)


        def work(number):
            with engine.begin() as connection:
                connection.execute(text("UPDATE jobs SET done = 1 WHERE id = :id"), {"id": number})


        def main():
            with engine.connect() as connection:
                numbers = connection.execute(text("SELECT id FROM jobs")).scalars().all()
            with multiprocessing.Pool() as pool:
                pool.map(work, numbers)
        ```

    Use instead:
        ```python
        def start():
            engine.dispose(close=False)


        def main():
            with engine.connect() as connection:
                numbers = connection.execute(text("SELECT id FROM jobs")).scalars().all()
            with multiprocessing.Pool(initializer=start) as pool:
                pool.map(work, numbers)
        ```

    References:
        - SQLAlchemy, "Using Connection Pools with Multiprocessing or os.fork()"
    """

    id = "SH301"
    name = "engine-shared-with-child-process"
    severity = Severity.ERROR
    remedy = "Call engine.dispose(close=False) first in the child, make the engine there, or use plugin=stillhere."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Starts of processes, and what both sides use."""
        del options
        found = [start for start in starts(module) if start.is_process]
        if not found or _SPAWNS.search(module.source.text):
            return
        for start in found:
            for function in start.functions:
                shared = _shared(function[0], function[1])
                if shared is None or _disposes(function[1]) or start.initialised:
                    continue
                name, one = shared
                if _parent_uses(module, start.call, one):
                    yield Problem(start.call, f"the child uses {name}, whose connections the parent has used before")
                    break


def _shared(module: Module, function: FunctionNode) -> tuple[str, Thing] | None:
    """What of the top level a function works with."""
    for node in walk_body(function.body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            ref = module.resolve(node)
            if not isinstance(ref, Local) or ref.binding.scope is not ref.module.tree.top:
                continue
            one = thing(module, node)
            if one is not None and one.kind in _USED and concerns(one):
                site = engine_of(one)
                if site is None or not (site.protected or site.pool == "NullPool"):
                    return node.id, one
    return None


def _disposes(function: FunctionNode) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"dispose", "close", "remove"}
        for node in walk_body(function.body[:3])
    )


def _parent_uses(module: Module, start: ast.Call, shared: Thing) -> bool:
    function = module.tree.function_of(start)
    body = function.body if function is not None else module.tree.root.body
    return _uses(module, body, _root(shared), start.lineno, deeper=True)


def _uses(module: Module, body: list[ast.stmt], shared: Thing, before: int, *, deeper: bool) -> bool:
    for node in walk_body(body):
        if not isinstance(node, ast.Call) or node.lineno >= before:
            continue
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        for given in (receiver, *node.args):
            one = thing(module, given) if isinstance(given, ast.expr) else None
            if one is not None and one.kind in _USED and _root(one) == shared and _connects(node):
                return True
        ref = module.resolve(node.func)
        inner = ref.binding.node if isinstance(ref, Local) else None
        if (
            deeper
            and isinstance(ref, Local)
            and isinstance(inner, FunctionNode)
            and _uses(ref.module, inner.body, shared, 1 << 30, deeper=False)
        ):
            return True
    return False


def _connects(call: ast.Call) -> bool:
    return not isinstance(call.func, ast.Attribute) or call.func.attr not in {
        "configure",
        "dispose",
        "execution_options",
    }


def _root(one: Thing) -> Thing:
    """The engine, where it can be traced, else what it was made from first."""
    while one.origin is not None:
        one = one.origin
    return one
