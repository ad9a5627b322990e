"""What kind of thing an expression is: an engine, a session, a connection, a cursor, and from what it was made."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from stillhere.lint.engines import EngineSite, engine_at
from stillhere.lint.names import DRIVERS, root_of
from stillhere.lint.project import DEPTH, External, Local, Module
from stillhere.lint.tree import Binding, Bound, FunctionNode
from stillhere.lint.values import of_call

__all__ = ["Kind", "Thing", "concerns", "engine_of", "is_stream", "thing"]


class Kind(Enum):
    """The kinds that rules speak of."""

    ENGINE = auto()
    ASYNC_ENGINE = auto()
    FACTORY = auto()
    """``sessionmaker(...)``: calling it makes a session."""
    ASYNC_FACTORY = auto()
    REGISTRY = auto()
    """``scoped_session(...)`` and Flask-SQLAlchemy's ``db.session``: a session of each thread or request."""
    SESSION = auto()
    ASYNC_SESSION = auto()
    CONNECTION = auto()
    """SQLAlchemy's."""
    ASYNC_CONNECTION = auto()
    RAW = auto()
    """A driver's own connection."""
    RAW_POOL = auto()
    CURSOR = auto()
    FLASK_DB = auto()
    HTTP = auto()
    """A client that speaks to some other service."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One such thing.

    Attributes:
        kind: what it is.
        module: where it is made.
        node: the expression that makes it, or the parameter that brings it.
        origin: what it was made from: a session's factory, a factory's engine, a cursor's connection.
        in_transaction: whether it is a connection or session of ``begin()``: a transaction is open as long as it is.
    """

    kind: Kind
    module: Module
    node: ast.AST
    origin: Thing | None = None
    in_transaction: bool = False


_MADE = {
    "sqlalchemy.create_engine": Kind.ENGINE,
    "sqlalchemy.engine_from_config": Kind.ENGINE,
    "sqlalchemy.create_async_engine": Kind.ASYNC_ENGINE,
    "sqlalchemy.async_engine_from_config": Kind.ASYNC_ENGINE,
    "sqlalchemy.sessionmaker": Kind.FACTORY,
    "sqlalchemy.async_sessionmaker": Kind.ASYNC_FACTORY,
    "sqlalchemy.scoped_session": Kind.REGISTRY,
    "sqlalchemy.async_scoped_session": Kind.REGISTRY,
    "sqlalchemy.Session": Kind.SESSION,
    "sqlalchemy.AsyncSession": Kind.ASYNC_SESSION,
    "flask_sqlalchemy.SQLAlchemy": Kind.FLASK_DB,
    "requests.Session": Kind.HTTP,
    "requests.session": Kind.HTTP,
    "httpx.Client": Kind.HTTP,
    "httpx.AsyncClient": Kind.HTTP,
    "aiohttp.ClientSession": Kind.HTTP,
    "urllib3.PoolManager": Kind.HTTP,
    "smtplib.SMTP": Kind.HTTP,
    "smtplib.SMTP_SSL": Kind.HTTP,
    "boto3.client": Kind.HTTP,
    **{f"{driver}.connect": Kind.RAW for driver in DRIVERS},
    **{f"{driver}.create_pool": Kind.RAW_POOL for driver in ("aiomysql", "asyncmy")},
}
_ANNOTATED = {
    "sqlalchemy.Engine": Kind.ENGINE,
    "sqlalchemy.AsyncEngine": Kind.ASYNC_ENGINE,
    "sqlalchemy.Session": Kind.SESSION,
    "sqlalchemy.AsyncSession": Kind.ASYNC_SESSION,
    "sqlalchemy.Connection": Kind.CONNECTION,
    "sqlalchemy.AsyncConnection": Kind.ASYNC_CONNECTION,
    "sqlalchemy.scoped_session": Kind.REGISTRY,
    "httpx.Client": Kind.HTTP,
    "httpx.AsyncClient": Kind.HTTP,
    "aiohttp.ClientSession": Kind.HTTP,
    **{f"{driver}.connect": Kind.RAW for driver in DRIVERS},
}
_METHODS = {
    (Kind.ENGINE, "connect"): Kind.CONNECTION,
    (Kind.ENGINE, "begin"): Kind.CONNECTION,
    (Kind.ENGINE, "raw_connection"): Kind.RAW,
    (Kind.ENGINE, "execution_options"): Kind.ENGINE,
    (Kind.ASYNC_ENGINE, "connect"): Kind.ASYNC_CONNECTION,
    (Kind.ASYNC_ENGINE, "begin"): Kind.ASYNC_CONNECTION,
    (Kind.FACTORY, "begin"): Kind.SESSION,
    (Kind.ASYNC_FACTORY, "begin"): Kind.ASYNC_SESSION,
    (Kind.SESSION, "connection"): Kind.CONNECTION,
    (Kind.REGISTRY, "connection"): Kind.CONNECTION,
    (Kind.CONNECTION, "execution_options"): Kind.CONNECTION,
    (Kind.RAW, "cursor"): Kind.CURSOR,
    (Kind.RAW_POOL, "acquire"): Kind.RAW,
    (Kind.RAW_POOL, "get_connection"): Kind.RAW,
    (Kind.RAW_POOL, "connection"): Kind.RAW,
}
_ATTRIBUTES = {
    (Kind.FLASK_DB, "session"): Kind.REGISTRY,
    (Kind.FLASK_DB, "engine"): Kind.ENGINE,
    (Kind.RAW, "connection"): Kind.RAW,
}
_CALLED = {
    Kind.FACTORY: Kind.SESSION,
    Kind.ASYNC_FACTORY: Kind.ASYNC_SESSION,
    Kind.REGISTRY: Kind.SESSION,
}
_POOLS = ("MySQLConnectionPool", "PooledDB", "PersistentDB", "ConnectionPool")


def thing(module: Module, node: ast.expr | None, depth: int = DEPTH) -> Thing | None:
    """What an expression is; ``None`` where it is none of these, or can't be told."""
    if node is None or depth <= 0:
        return None
    known = module.memory.setdefault("things", {})
    assert isinstance(known, dict)  # noqa: S101 - for the type checker
    if node not in known:
        known[node] = None  # what is made from itself is nothing
        known[node] = _thing(module, node, depth)
    found: Thing | None = known[node]
    return found


def engine_of(one: Thing | None) -> EngineSite | None:
    """The engine behind a thing, where it can be traced."""
    while one is not None:
        if one.kind in {Kind.ENGINE, Kind.ASYNC_ENGINE} and isinstance(one.node, ast.Call):
            site = engine_at(one.module, one.node)
            if site is not None:
                return site
        one = one.origin
    return None


def concerns(one: Thing) -> bool:
    """Whether a thing may be on a MySQL or MariaDB server: known to be, or nothing in the project says otherwise."""
    at: Thing | None = one
    while at is not None:
        if at.kind is Kind.RAW and isinstance(at.node, ast.Call) and at.origin is None:
            return True
        at = at.origin
    site = engine_of(one)
    if site is not None:
        return site.concerns
    return not one.module.project.hints.not_mysql


def is_stream(one: Thing) -> bool:
    """Whether a cursor's rows stay on the server until they are fetched."""
    call = one.node
    if one.kind is not Kind.CURSOR or not isinstance(call, ast.Call):
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in {"cursor", "cursorclass"})]
    origin = one.origin.node if one.origin is not None else None
    if not given and isinstance(origin, ast.Call):
        entry = of_call(one.module, origin).get("cursorclass")
        given = [entry.value] if entry is not None else []
    return any(
        one.module.name_of(value).rpartition(".")[2] in {"SSCursor", "SSDictCursor"}
        or (isinstance(value, ast.Name | ast.Attribute) and "SSCursor" in ast.dump(value))
        or (isinstance(value, ast.Name | ast.Attribute) and "SSDictCursor" in ast.dump(value))
        for value in given
    )


def _thing(module: Module, node: ast.expr, depth: int) -> Thing | None:  # noqa: PLR0911 - a case each
    match node:
        case ast.Await(value=inner):
            return thing(module, inner, depth - 1)
        case ast.NamedExpr(value=inner):
            return thing(module, inner, depth - 1)
        case ast.IfExp(body=body, orelse=orelse):
            return thing(module, body, depth - 1) or thing(module, orelse, depth - 1)
        case ast.BoolOp(values=values):
            return next((one for one in (thing(module, value, depth - 1) for value in values) if one), None)
        case ast.Name() | ast.Attribute():
            return _held(module, node, depth)
        case ast.Call():
            return _made(module, node, depth)
    return None


def _held(module: Module, node: ast.Name | ast.Attribute, depth: int) -> Thing | None:
    ref = module.resolve(node)
    if isinstance(ref, Local):
        return _bound(ref.module, ref.binding, depth)
    if isinstance(node, ast.Attribute):
        base = thing(module, node.value, depth - 1)
        if base is not None and (base.kind, node.attr) in _ATTRIBUTES:
            return Thing(_ATTRIBUTES[base.kind, node.attr], module, node, base)
    return None


def _bound(module: Module, binding: Binding, depth: int) -> Thing | None:
    found = _annotated(module, binding, depth) if binding.annotation is not None else None
    if found is not None:
        return found
    if binding.how in {Bound.ASSIGNED, Bound.ENTERED}:
        return thing(module, binding.value, depth - 1)
    if binding.how is Bound.PARAMETER and isinstance(binding.value, ast.Call):
        return _dependency(module, binding.value, depth)
    node = binding.node if binding.how is Bound.FUNCTION else None
    if isinstance(node, FunctionNode) and any(module.name_of(one) in _PROPERTIES for one in node.decorator_list):
        return _returned(module, node, depth)  # a property: its value, not the function
    return None


_PROPERTIES = frozenset({"builtins.property", "functools.cached_property", "django.utils.functional.cached_property"})
_DEPENDS = frozenset({"fastapi.Depends", "fastapi.Security"})


def _annotated(module: Module, binding: Binding, depth: int) -> Thing | None:
    node = binding.annotation
    depends = None
    if isinstance(node, ast.Name | ast.Attribute):  # SessionDep = Annotated[Session, Depends(get_session)]
        ref = module.resolve(node)
        if isinstance(ref, Local) and isinstance(ref.binding.value, ast.Subscript):
            module, node = ref.module, ref.binding.value
    if isinstance(node, ast.Subscript) and module.name_of(node.value).endswith("Annotated"):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        node = parts[0]
        depends = next((one for one in parts[1:] if isinstance(one, ast.Call)), None)
    elif isinstance(node, ast.Subscript) and module.name_of(node.value).endswith("Optional"):
        node = node.slice
    elif isinstance(node, ast.BinOp):
        node = node.left
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return None
    kind = _ANNOTATED.get(module.name_of(node)) if isinstance(node, ast.expr) else None
    if depends is None and isinstance(binding.value, ast.Call) and binding.how is Bound.PARAMETER:
        depends = binding.value
    behind = _dependency(module, depends, depth) if depends is not None else None
    if kind is None:
        return behind
    made = thing(module, binding.value, depth - 1) if binding.how in {Bound.ASSIGNED, Bound.ENTERED} else None
    return made or Thing(kind, module, binding.node, behind)


def _dependency(module: Module, call: ast.Call, depth: int) -> Thing | None:
    """What FastAPI's ``Depends(get_session)`` gives."""
    if module.name_of(call.func) not in _DEPENDS or not call.args:
        return None
    ref = module.resolve(call.args[0])
    if isinstance(ref, Local) and isinstance(ref.binding.node, FunctionNode):
        return _returned(ref.module, ref.binding.node, depth)
    return None


def _returned(module: Module, function: FunctionNode, depth: int) -> Thing | None:
    """What a function returns or yields."""
    if depth <= 0:
        return None
    for node in module.returns(function):
        found = thing(module, node.value, depth - 1) if node.value is not None else None
        if found is not None:
            return found
    return None


def _made(module: Module, call: ast.Call, depth: int) -> Thing | None:
    ref = module.resolve(call.func)
    if isinstance(ref, External):
        kind = _MADE.get(ref.name)
        if kind is None and root_of(ref.name) in {*DRIVERS, "dbutils", "DBUtils"} and ref.name.endswith(_POOLS):
            kind = Kind.RAW_POOL
        if ref.name == "contextlib.closing" and call.args:
            return thing(module, call.args[0], depth - 1)
        return Thing(_async_factory(module, call, kind), module, call, _source(module, call, depth)) if kind else None
    if isinstance(ref, Local) and isinstance(ref.binding.node, FunctionNode):
        return _returned(ref.module, ref.binding.node, depth - 1)
    if isinstance(ref, Local):
        base = _bound(ref.module, ref.binding, depth - 1)
        if base is not None and base.kind in _CALLED:
            return Thing(_CALLED[base.kind], module, call, base)
    if isinstance(call.func, ast.Attribute):
        return _method(module, call, call.func, depth)
    return None


def _method(module: Module, call: ast.Call, func: ast.Attribute, depth: int) -> Thing | None:
    base = thing(module, func.value, depth - 1)
    if base is None:
        return None
    kind = _METHODS.get((base.kind, func.attr))
    if kind is None:
        # db.session() and the like: an attribute that is called.
        inner = _ATTRIBUTES.get((base.kind, func.attr))
        kind = _CALLED.get(inner) if inner is not None else None
    if kind is None:
        return None
    return Thing(kind, module, call, base, in_transaction=func.attr == "begin")


def _async_factory(module: Module, call: ast.Call, kind: Kind) -> Kind:
    """``sessionmaker(class_=AsyncSession)``."""
    if kind is Kind.FACTORY:
        entry = of_call(module, call).get("class_")
        if entry is not None and entry.module.name_of(entry.value) == "sqlalchemy.AsyncSession":
            return Kind.ASYNC_FACTORY
    return kind


_BINDS: tuple[Callable[[ast.Call], ast.expr | None], ...] = (
    lambda call: next((one.value for one in call.keywords if one.arg in {"bind", "session_factory"}), None),
    lambda call: call.args[0] if call.args else None,
)


def _source(module: Module, call: ast.Call, depth: int) -> Thing | None:
    """What a session or a factory is made on."""
    for given in _BINDS:
        found = thing(module, given(call), depth - 1)
        if found is not None:
            return found
    return None
