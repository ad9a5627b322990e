"""Where a module starts processes, threads and tasks, with which functions and arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from stillhere.lint.project import Local, Module
from stillhere.lint.tree import FunctionNode

__all__ = ["Start", "starts"]

_PROCESSES = frozenset(
    {
        "multiprocessing.Process",
        "multiprocessing.Pool",
        "multiprocessing.pool.Pool",
        "multiprocessing.context.Process",
        "concurrent.futures.ProcessPoolExecutor",
        "concurrent.futures.process.ProcessPoolExecutor",
        "billiard.Process",
        "billiard.Pool",
    }
)
_THREADS = frozenset(
    {
        "threading.Thread",
        "threading.Timer",
        "multiprocessing.pool.ThreadPool",
        "multiprocessing.dummy.Pool",
        "concurrent.futures.ThreadPoolExecutor",
        "concurrent.futures.thread.ThreadPoolExecutor",
    }
)
_HANDED = ("submit", "map", "apply", "apply_async", "map_async", "imap", "imap_unordered", "starmap", "starmap_async")


@dataclass(frozen=True, eq=False)
class Start:
    """One start.

    Attributes:
        call: where: the constructor of a process or thread, or the pool's method that is given work.
        is_process: whether it is a process and not a thread.
        functions: what will run, with the module where it stands; empty where it can't be told.
        arguments: what is handed over.
        initialised: whether a pool has an initializer, which may dispose of engines.
    """

    call: ast.Call
    is_process: bool
    functions: tuple[tuple[Module, FunctionNode], ...]
    arguments: tuple[ast.expr, ...]
    initialised: bool = False


def starts(module: Module) -> list[Start]:
    """Every start in a module, in the order of the source."""
    if "starts" not in module.memory:
        module.memory["starts"] = sorted([*_single(module), *_pooled(module), *_forks(module)], key=_line)
    found = module.memory["starts"]
    assert isinstance(found, list)  # noqa: S101 - for the type checker
    return found


def _line(start: Start) -> int:
    return start.call.lineno


def _single(module: Module) -> Iterator[Start]:
    """``Process(target=f, args=(...))`` and ``Thread(...)``."""
    for call in module.calls("Process", "Thread", "Timer"):
        kind = _kind(module, call)
        if kind is None:
            continue
        given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        arguments: list[ast.expr] = []
        for value in (given.get("args"), given.get("kwargs")):
            if isinstance(value, ast.Tuple | ast.List):
                arguments += value.elts
            elif isinstance(value, ast.Dict):
                arguments += value.values
        target = given.get("target") or given.get("function")
        yield Start(call, kind, _function(module, target), tuple(arguments))


def _pooled(module: Module) -> Iterator[Start]:
    """``pool.map(f, ...)`` and ``executor.submit(f, ...)``."""
    for call in module.calls(*_HANDED):
        if not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        made = _made(module, call.func.value)
        kind = _kind(made[0], made[1]) if made is not None else None
        if made is None or kind is None:
            continue
        rest: list[ast.expr] = []
        for value in (*call.args[1:], *(keyword.value for keyword in call.keywords)):
            rest += value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        initialised = any(keyword.arg == "initializer" for keyword in made[1].keywords)
        yield Start(call, kind, _function(module, call.args[0]), tuple(rest), initialised)


def _forks(module: Module) -> Iterator[Start]:
    """``os.fork()``: the child runs on in the same function."""
    for call in module.calls("fork"):
        function = module.tree.function_of(call)
        if module.name_of(call.func) == "os.fork" and function is not None:
            yield Start(call, is_process=True, functions=(), arguments=())


def _kind(module: Module, call: ast.Call) -> bool | None:
    """Whether a call makes processes; ``None`` where it makes neither those nor threads."""
    name = module.name_of(call.func)
    if name in _PROCESSES or name.startswith("multiprocessing.get_context."):
        return True
    if name in _THREADS:
        return False
    # A subclass, or a context's: ctx.Process(...)
    if isinstance(call.func, ast.Attribute) and call.func.attr in {"Process", "Pool"}:
        made = _made(module, call.func.value)
        if made is not None and made[0].name_of(made[1].func) == "multiprocessing.get_context":
            return True
    return None


def _made(module: Module, node: ast.expr) -> tuple[Module, ast.Call] | None:
    """The call that made what a name holds."""
    if isinstance(node, ast.Call):
        return module, node
    ref = module.resolve(node)
    if isinstance(ref, Local) and isinstance(ref.binding.value, ast.Call):
        return ref.module, ref.binding.value
    return None


def _function(module: Module, node: ast.expr | None) -> tuple[tuple[Module, FunctionNode], ...]:
    if node is None:
        return ()
    if isinstance(node, ast.Call) and module.name_of(node.func) == "functools.partial" and node.args:
        node = node.args[0]
    ref = module.resolve(node)
    if isinstance(ref, Local) and isinstance(ref.binding.node, FunctionNode):
        return ((ref.module, ref.binding.node),)
    return ()
