"""SH307."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import SESSIONS, USES
from stillhere.lint.project import Local, Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.settings import settings
from stillhere.lint.things import Kind, Thing, concerns, engine_of, thing
from stillhere.lint.tree import FunctionNode, walk_body
from stillhere.lint.values import constant

__all__ = ["ConnectionBeforeWorkerFork"]

_DISPOSED = re.compile(rb"\.dispose\(|post_fork_hook|worker_process_init|postfork|register_at_fork")
_PARENT = frozenset({"worker_init", "celeryd_init", "worker_ready", "celeryd_after_setup"})
_GUNICORN = frozenset({"on_starting", "when_ready", "pre_fork"})


class ConnectionBeforeWorkerFork(Rule):
    """A connection is opened in the process from which workers are forked.

    What it does:
        Finds code that connects while a module is imported (`create_all(engine)`, `engine.connect()`, a session's
        statement), in a project that forks after the import: gunicorn with `preload_app` or `--preload`, uWSGI
        without `lazy-apps`. Also Celery's `worker_init` and gunicorn's `on_starting`, `when_ready` and `pre_fork`
        hooks, which run in the parent.

    Why it is bad:
        The connection goes back to the pool, and each worker that is forked afterwards has a copy of its socket.
        The workers read each other's replies: "Packet sequence number wrong", 2013, 2014, or somebody else's rows.

    Known limits:
        A `dispose()`, or a hook for the child, anywhere in the project is taken to do what is needed. Engines
        without a pool or under stillhere are left alone.

    Example:
        ```python
        @worker_init.connect
        def warm_up(**kwargs):
            with engine.connect() as connection:
                load_rates(connection)
        ```

    Use instead:
        ```python
        @worker_process_init.connect
        def warm_up(**kwargs):
            with engine.connect() as connection:
                load_rates(connection)
        ```

    References:
        - SQLAlchemy, "Using Connection Pools with Multiprocessing or os.fork()"
        - Celery, "Signals", `worker_process_init`
        - gunicorn, "Settings", `preload_app` and `post_fork`
        - uWSGI, "Things to know", `lazy-apps`
    """

    id = "SH307"
    name = "connection-before-worker-fork"
    severity = Severity.ERROR
    remedy = "Connect in the worker (post_fork, worker_process_init), or dispose of the engine there first."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Hooks of the parent, and code that runs at import."""
        del options
        for function in module.tree.functions:
            if _runs_in_parent(module, function):
                for node, one in _connects(module, function.body):
                    if not _harmless(one):
                        yield Problem(node, f"{function.name}() connects in the parent, before the workers are forked")
                        break
        how = module.project.hints.forks
        if not how:
            return
        for statement in module.tree.root.body:
            if isinstance(statement, FunctionNode | ast.ClassDef | ast.If):
                continue
            for node, one in _at_import(module, statement):
                if not _harmless(one) and not module.project.mentions(_DISPOSED, module.file):
                    yield Problem(node, f"this connects at import, and {how} forks its workers afterwards")
                    break


def _runs_in_parent(module: Module, function: FunctionNode) -> bool:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        signal = called.value if isinstance(called, ast.Attribute) and called.attr == "connect" else None
        if signal is not None and module.name_of(signal).rpartition(".")[2] in _PARENT:
            return True
    if function.name not in _GUNICORN or module.tree.function_of(function) is not None:
        return False
    preloads = any(one.name == "preload_app" and constant(module, one.value) is True for one in settings(module))
    return preloads or (module.file is not None and "gunicorn" in module.file.name)


def _at_import(module: Module, statement: ast.stmt) -> Iterator[tuple[ast.Call, Thing]]:
    """What connects in a statement of the top level, or in an application factory that it calls."""
    yield from _connects(module, [statement])
    for node in walk_body([statement]):
        ref = module.resolve(node.func) if isinstance(node, ast.Call) else None
        if isinstance(ref, Local) and ref.module is module and isinstance(ref.binding.node, FunctionNode):
            yield from _connects(module, ref.binding.node.body)


def _connects(module: Module, body: list[ast.stmt]) -> Iterator[tuple[ast.Call, Thing]]:
    for node in walk_body(body):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method = node.func.attr
        given = [*node.args, *(keyword.value for keyword in node.keywords)] if method == "create_all" else []
        for candidate in (node.func.value, *given):
            one = thing(module, candidate)
            if one is None or not concerns(one):
                continue
            opens = one.kind is Kind.ENGINE and method in {"connect", "begin", "raw_connection", "create_all"}
            sends = one.kind in SESSIONS | {Kind.CONNECTION} and method in USES | {"commit"}
            flask = one.kind is Kind.FLASK_DB and method == "create_all"
            if opens or sends or flask:
                yield node, one


def _harmless(one: Thing) -> bool:
    site = engine_of(one)
    return site is not None and (site.protected or site.pool in {"NullPool", "?"})
