"""SH103."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from urllib.parse import parse_qsl

from stillhere.findings import Severity
from stillhere.lint.engines import Database, engines
from stillhere.lint.flow import same
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.settings import Setting, settings
from stillhere.lint.things import Kind, thing
from stillhere.lint.values import GAP, mapping, of_call, text

__all__ = ["OptionsNotReachingEngine"]

_POOL = frozenset({"pool_recycle", "pool_pre_ping", "pool_size", "max_overflow", "pool_timeout", "pool_use_lifo"})
_REMOVED = {
    "SQLALCHEMY_POOL_RECYCLE": "pool_recycle",
    "SQLALCHEMY_POOL_SIZE": "pool_size",
    "SQLALCHEMY_POOL_TIMEOUT": "pool_timeout",
    "SQLALCHEMY_MAX_OVERFLOW": "max_overflow",
}
_DJANGO = frozenset({"CONN_MAX_AGE", "CONN_HEALTH_CHECKS"})
_FIRST_WITHOUT = 3


class OptionsNotReachingEngine(Rule):
    """Options that are written down and never reach the engine.

    What it does:
        Finds pool options in `connect_args`, in the URL's query, in `sessionmaker()`, and as attributes of an
        engine that exists already; settings that Flask-SQLAlchemy 3 no longer reads (`SQLALCHEMY_POOL_RECYCLE` and
        its like), `SQLALCHEMY_ENGINE_OPTIONS` set after `init_app()`, and Django's `CONN_MAX_AGE` inside `OPTIONS`
        or on the top level of the settings.

    Why it is bad:
        The author believes that connections are recycled or pinged, and they aren't; or the driver refuses a
        keyword that was meant for the pool.

    Known limits:
        Flask-SQLAlchemy before 3.0 read the old settings, and the new ones when the engine was first used: where a
        requirements file asks for such a version, they are left alone. Settings that are set by a function in
        another module are not followed.

    Example:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", connect_args={"pool_recycle": 280})
        ```

    Use instead:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_recycle=280)
        ```

    References:
        - SQLAlchemy, "Engine Configuration"
        - Flask-SQLAlchemy, "Changes", version 3.0.0
        - Django, "Databases", persistent connections
    """

    id = "SH103"
    name = "options-not-reaching-engine"
    severity = Severity.ERROR
    remedy = "Pass them to create_engine(), or put them into SQLALCHEMY_ENGINE_OPTIONS before init_app()."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """All of these places."""
        del options
        yield from _in_connect_args(module)
        yield from _in_sessionmaker(module)
        yield from _on_engine(module)
        yield from _in_flask(module)
        yield from _in_django(module)


def _in_connect_args(module: Module) -> Iterator[Problem]:
    for site in engines(module):
        if not site.concerns:
            continue
        entry = site.option("connect_args")
        given = mapping(entry.module, entry.value).entries if entry is not None else {}
        for name in sorted(_POOL & set(given)):
            node = given[name].node if given[name].module is module else site.node
            yield Problem(node, f"{name} in connect_args goes to the driver, not to the pool")
        call = site.call
        url = text(module, call.args[0]) if call is not None and call.args else None
        if url is not None and site.url.database is Database.MYSQL:
            for name, _ in parse_qsl(url.replace(GAP, "x").partition("?")[2]):
                if name in _POOL and call is not None:
                    yield Problem(call.args[0], f"{name} in the URL goes to the driver, not to the pool")


def _in_sessionmaker(module: Module) -> Iterator[Problem]:
    if module.project.hints.not_mysql:
        return
    for call in module.calls("sessionmaker", "async_sessionmaker", "Session", "scoped_session"):
        if not module.name_of(call.func).startswith("sqlalchemy."):
            continue
        for name, entry in of_call(module, call).entries.items():
            if name in _POOL:
                node = entry.node if entry.module is module else call
                yield Problem(node, f"{name} is an option of the engine; {ast.unparse(call.func)}() doesn't take it")


def _on_engine(module: Module) -> Iterator[Problem]:
    for node in module.tree.each(ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Attribute) and target.attr in _POOL:
                held = thing(module, target.value)
                if held is not None and held.kind in {Kind.ENGINE, Kind.ASYNC_ENGINE}:
                    yield Problem(node, f"setting {target.attr} on an engine that exists changes nothing")


def _in_flask(module: Module) -> Iterator[Problem]:
    hints = module.project.hints
    old = hints.flask_sqlalchemy is not None and hints.flask_sqlalchemy < _FIRST_WITHOUT
    if old or hints.not_mysql:
        return
    for one in settings(module):
        if one.name in _REMOVED and not _read_by_the_project(module, one):
            yield Problem(
                one.node,
                f"Flask-SQLAlchemy 3 doesn't read {one.name}",
                f'Write SQLALCHEMY_ENGINE_OPTIONS = {{"{_REMOVED[one.name]}": ...}}.',
            )
        elif one.name == "SQLALCHEMY_ENGINE_OPTIONS" and _set_too_late(module, one):
            yield Problem(one.node, "SQLALCHEMY_ENGINE_OPTIONS is set after the engine was made by init_app()")


def _read_by_the_project(module: Module, one: Setting) -> bool:
    """Whether the name is read again here, to be passed on by hand."""
    names = (ast.Name, ast.Attribute, ast.Constant)
    for node in ast.walk(module.tree.root):
        if isinstance(node, names) and node is not one.assigned:
            spelt = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "value", None)
            if spelt == one.name and not _is_key(module, node):
                return True
    return False


def _is_key(module: Module, node: ast.AST) -> bool:
    """Whether it names what is set: the key of a dictionary, the index of an assigned subscript, a target."""
    parent = module.tree.parents.get(node)
    if isinstance(parent, ast.Dict):
        return node in parent.keys
    if isinstance(parent, ast.Subscript | ast.Attribute):
        return isinstance(parent.ctx, ast.Store)
    return isinstance(getattr(node, "ctx", None), ast.Store) or (
        isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and parent.func.attr == "setdefault"
    )


def _set_too_late(module: Module, one: Setting) -> bool:
    tree = module.tree
    home = tree.scope_of(one.node)
    config = one.assigned.value if isinstance(one.assigned, ast.Subscript) else None
    if not isinstance(config, ast.Attribute):
        return False
    for call in module.calls("SQLAlchemy", "init_app"):
        if tree.scope_of(call) is not home or call.lineno >= one.node.lineno or not call.args:  # type: ignore[attr-defined]
            continue
        flask = module.name_of(call.func) == "flask_sqlalchemy.SQLAlchemy"
        if isinstance(call.func, ast.Attribute) and call.func.attr == "init_app":
            held = thing(module, call.func.value)
            flask = held is not None and held.kind is Kind.FLASK_DB
        if flask and same(module, call.args[0], config.value):
            return True
    return False


def _in_django(module: Module) -> Iterator[Problem]:
    found = {one.name: one for one in settings(module) if one.group is module.tree.root}
    databases = found.get("DATABASES")
    if databases is None or not isinstance(databases.value, ast.Dict):
        return
    for entry in mapping(module, databases.value).entries.values():
        database = mapping(entry.module, entry.value)
        engine = database.get("ENGINE")
        backend = text(engine.module, engine.value) if engine is not None else None
        if backend is None or "mysql" not in backend:
            continue
        inner = database.get("OPTIONS")
        for name, one in (mapping(inner.module, inner.value).entries if inner is not None else {}).items():
            if name in _DJANGO:
                yield Problem(one.node, f"{name} inside OPTIONS goes to the driver; it belongs beside ENGINE")
        for name in sorted(_DJANGO & set(found)):
            if name not in database.entries and not _read_by_the_project(module, found[name]):
                yield Problem(found[name].node, f"Django doesn't read {name} here; it belongs into DATABASES")
