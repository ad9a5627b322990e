"""Order and place of statements in one function: what happens before what, in a loop, inside a transaction."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.project import Local, Module
from stillhere.lint.things import Kind, Thing, thing
from stillhere.lint.tree import Binding, FunctionNode, walk_body
from stillhere.lint.values import number

__all__ = [
    "ENDS",
    "SESSIONS",
    "USES",
    "called_on",
    "endless",
    "handler_names",
    "is_loop",
    "is_view",
    "methods_on",
    "same",
    "slow_call",
    "waits",
]

SESSIONS = frozenset({Kind.SESSION, Kind.ASYNC_SESSION, Kind.REGISTRY})
ENDS = frozenset({"commit", "rollback", "close", "remove", "close_all", "reset", "invalidate", "dispose"})
"""Methods after which a session or a connection holds nothing."""
USES = frozenset(
    {"execute", "scalar", "scalars", "query", "get", "get_one", "flush", "refresh", "stream", "stream_scalars"}
    | {"exec", "exec_driver_sql", "executemany", "bulk_save_objects", "bulk_insert_mappings", "merge"}
)
"""Methods that send something."""

_HTTP_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "send", "stream"})
_SLOW = frozenset(
    {
        "urllib.request.urlopen",
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "django.core.mail.send_mail",
        "smtplib.SMTP",
        "smtplib.SMTP_SSL",
        *(f"{package}.{verb}" for package in ("requests", "httpx", "urllib3") for verb in _HTTP_VERBS),
    }
)
_SLOW_ROOTS = ("stripe.", "openai.", "twilio.")
_SLEEPS = frozenset({"time.sleep", "asyncio.sleep", "gevent.sleep", "eventlet.sleep"})
_ROUTES = frozenset({"route", "get", "post", "put", "patch", "delete", "api_route", "websocket", "view"})
_VIEW_BASES = ("MethodView", "View", "Resource", "APIView", "ViewSet", "ModelViewSet", "GenericAPIView", "HTTPEndpoint")


def called_on(call: ast.Call) -> ast.expr | None:
    """The object whose method is called."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def same(module: Module, one: ast.expr | None, other: ast.expr | None) -> bool:
    """Whether two expressions name the same variable or attribute."""
    if one is None or other is None:
        return False
    first, second = module.resolve(one), module.resolve(other)
    if isinstance(first, Local) and isinstance(second, Local):
        return first.binding is second.binding
    return ast.dump(one) == ast.dump(other)


def methods_on(module: Module, body: list[ast.stmt], held: ast.expr) -> Iterator[ast.Call]:
    """Calls of a thing's methods in these statements, in source order, outside nested functions."""
    for node in walk_body(body):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and same(module, node.func.value, held):
            yield node


def slow_call(module: Module, call: ast.Call, *, least_sleep: float = 1.0) -> str:
    """What a call waits for that isn't the database, in words; empty where it waits for nothing.

    Args:
        module: where it stands.
        call: the call.
        least_sleep: a sleep of fewer seconds counts for nothing.
    """
    name = module.name_of(call.func)
    if name in _SLEEPS:
        seconds = number(module, call.args[0]) if call.args else None
        return f"{name}()" if seconds is None or seconds >= least_sleep else ""
    if name in _SLOW or name.startswith(_SLOW_ROOTS):
        return f"{name}()"
    receiver = called_on(call)
    if receiver is not None and isinstance(call.func, ast.Attribute):
        client = thing(module, receiver)
        if client is not None and client.kind is Kind.HTTP and not call.func.attr.startswith(("close", "generate_")):
            return f"{ast.unparse(call.func)}()"
    return ""


def waits(module: Module, body: list[ast.stmt], least: float) -> tuple[ast.Call, str] | None:
    """The first call in a loop's body that sleeps for at least so many seconds, or for an unknown time."""
    for node in walk_body(body):
        if not isinstance(node, ast.Call):
            continue
        name = module.name_of(node.func)
        if name in _SLEEPS and node.args:
            seconds = number(module, node.args[0])
            if seconds is None:
                return node, "sleeps"
            if seconds >= least:
                return node, f"sleeps {seconds:g} s"
        elif isinstance(node.func, ast.Attribute) and _blocks(module, node, node.func):
            return node, f"waits in {ast.unparse(node.func)}()"
    return None


_QUEUES = frozenset({"queue.Queue", "queue.SimpleQueue", "multiprocessing.Queue", "asyncio.Queue"})
_BLOCKING = frozenset({"blpop", "brpop", "blmove", "brpoplpush", "get_message", "receive_message"})


def _blocks(module: Module, call: ast.Call, func: ast.Attribute) -> bool:
    """Whether a call waits for as long as nothing comes: a queue, a list of Redis."""
    if func.attr in _BLOCKING:
        return True
    if func.attr != "get" or call.args or any(keyword.arg == "timeout" for keyword in call.keywords):
        return False
    ref = module.resolve(func.value)
    value = ref.binding.value if isinstance(ref, Local) else None
    return isinstance(value, ast.Call) and isinstance(ref, Local) and ref.module.name_of(value.func) in _QUEUES


def endless(loop: ast.AST) -> bool:
    """Whether a loop is ``while True``."""
    return isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and bool(loop.test.value)


def is_loop(node: ast.AST) -> bool:
    """Whether a node is a loop."""
    return isinstance(node, ast.For | ast.AsyncFor | ast.While)


def is_view(module: Module, function: FunctionNode) -> bool:
    """Whether a function answers requests or runs tasks: a route, a method of a view class, a task of Celery."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        attr = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if attr in _ROUTES and isinstance(decorator, ast.Call) and isinstance(called, ast.Attribute):
            return True
        if attr in {"task", "shared_task", "api_view", "require_http_methods", "require_GET", "require_POST", "actor"}:
            return True
    owner = module.tree.class_of(function)
    if owner is None or function.name not in {"get", "post", "put", "patch", "delete", "dispatch", "dispatch_request"}:
        return False
    return any(ast.unparse(base).rpartition(".")[2] in _VIEW_BASES for base in owner.bases)


def handler_names(module: Module, handler: ast.ExceptHandler) -> list[str]:
    """The canonical names of what an ``except`` catches; ``BaseException`` for a bare one."""
    if handler.type is None:
        return ["builtins.BaseException"]
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    found = []
    for part in parts:
        name = module.name_of(part)
        ref = module.resolve(part)
        if not name and isinstance(ref, Local) and isinstance(ref.binding.value, ast.Tuple):
            found += [ref.module.name_of(one) for one in ref.binding.value.elts]
        else:
            found.append(name)
    return found


def made_at_import(module: Module, binding: Binding) -> bool:
    """Whether a binding belongs to a module's top level."""
    return binding.scope is module.tree.top


def sessions_in(module: Module, body: list[ast.stmt]) -> Iterator[tuple[ast.Call, Thing]]:
    """Calls on sessions and connections in these statements, in source order."""
    for node in walk_body(body):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found = thing(module, node.func.value)
            if found is not None and (found.kind in SESSIONS or found.kind in {Kind.CONNECTION, Kind.RAW}):
                yield node, found
