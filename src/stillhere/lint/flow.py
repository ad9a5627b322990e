"""Order and place of statements in one function: what happens before what, in a loop, inside a transaction."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.project import Local, Module
from stillhere.lint.things import Kind, thing
from stillhere.lint.tree import Binding, Bound, FunctionNode, walk_body
from stillhere.lint.values import number

__all__ = [
    "ENDS",
    "SESSIONS",
    "SLOW_NAMES",
    "USES",
    "called_on",
    "dominates",
    "endless",
    "exclusive",
    "functions_using",
    "handler_names",
    "is_loop",
    "is_script",
    "is_view",
    "leaves",
    "made_at_import",
    "methods_on",
    "outlives_import",
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
SLOW_NAMES = (
    *sorted(_HTTP_VERBS),
    *("urlopen", "run", "call", "check_call", "check_output", "send_mail", "SMTP", "SMTP_SSL", "sleep", "create"),
    *(
        "sendmail",
        "send_message",
        "login",
        "put_object",
        "get_object",
        "upload_file",
        "download_file",
        "invoke",
        "publish",
    ),
)
"""The last names of calls that `slow_call` may know."""
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
    if receiver is not None and isinstance(call.func, ast.Attribute) and call.func.attr in SLOW_NAMES:
        client = thing(module, receiver)
        if client is not None and client.kind is Kind.HTTP:
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


def functions_using(module: Module, binding: Binding, name: str) -> list[FunctionNode]:
    """The functions of a module whose bodies use a name of its top level."""
    found: dict[FunctionNode, None] = {}
    for node in ast.walk(module.tree.root):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            function = module.tree.function_of(node)
            if function is not None and module.tree.lookup(name, node) is binding:
                found[function] = None
    return list(found)


def is_script(module: Module) -> bool:
    """Whether a module works when it is run: it has a ``__main__`` guard, or loops, or calls of its own functions."""
    for node in module.tree.root.body:
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            return True
        if isinstance(node, ast.For | ast.While):
            return True
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Call) and isinstance(module.resolve(value.func), Local):
            return True
    return False


def outlives_import(module: Module, binding: Binding, name: str) -> bool:
    """Whether something made at import is shared by whoever calls the module's functions.

    So it is where a view or a task uses it, or where the module is no script and doesn't use it up by itself.
    """
    if binding.scope.is_class:
        return True
    users = functions_using(module, binding, name)
    if any(is_view(module, one) or isinstance(one, ast.AsyncFunctionDef) for one in users):
        return True
    if is_script(module):
        return False
    for node in module.tree.root.body:
        for one in walk_body([node]):
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
                held = one.func.value
                if isinstance(held, ast.Name) and held.id == name and one.func.attr != "cursor":
                    return False
    return True


def made_at_import(module: Module) -> Iterator[tuple[str, Binding]]:
    """What is assigned while a module is imported: on its top level, and in the bodies of its classes."""
    scopes = [module.tree.top]
    scopes += [scope for scope in module.tree.scopes.values() if scope.is_class and scope.function() is None]
    for scope in scopes:
        for name, bound in scope.names.items():
            for binding in bound:
                if binding.how is Bound.ASSIGNED and module.tree.function_of(binding.node) is None:
                    yield name, binding


def exclusive(module: Module, one: ast.AST, other: ast.AST) -> bool:
    """Whether two nodes stand in different arms of one ``if``, ``match`` or ``try``, so that only one of them runs."""
    above = {}
    at = one
    for parent in module.tree.ancestors(one):
        above[parent] = at
        at = parent
    at = other
    for parent in module.tree.ancestors(other):
        if parent in above:
            return _arm(parent, above[parent]) != _arm(parent, at)
        at = parent
    return False


def _arm(parent: ast.AST, child: ast.AST) -> int:
    if isinstance(parent, ast.If):
        return 1 if child in parent.body else 2 if child in parent.orelse else 0
    if isinstance(parent, ast.Try):
        return parent.handlers.index(child) + 1 if child in parent.handlers else 0
    if isinstance(parent, ast.Match):
        return parent.cases.index(child) + 1 if child in parent.cases else 0
    return 0


def dominates(module: Module, one: ast.AST, other: ast.AST) -> bool:
    """Whether a node's statement stands in a block around a later node, so that it ran before it."""
    block = module.tree.parents.get(module.tree.statement_of(one))
    return any(parent is block for parent in module.tree.ancestors(other))


def leaves(body: list[ast.stmt]) -> bool:
    """Whether a block ends by leaving: a return, a raise, a break or a continue, an exit or an abort."""
    last = body[-1] if body else None
    if isinstance(last, ast.Return | ast.Raise | ast.Break | ast.Continue):
        return True
    call = last.value if isinstance(last, ast.Expr) else None
    if isinstance(call, ast.Call):
        return ast.unparse(call.func).rpartition(".")[2] in {"exit", "_exit", "abort", "fail", "skip"}
    return False
