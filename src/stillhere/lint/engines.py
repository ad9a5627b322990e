"""Engines: where one is made, for which database, with which options, and whether stillhere looks after it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from stillhere.lint.project import Local, Module
from stillhere.lint.settings import Setting, settings
from stillhere.lint.values import GAP, Entry, Mapping, constant, follow, mapping, of_call, text

__all__ = ["Database", "EngineSite", "Maker", "Url", "engine_at", "engines", "read_url"]


class Database(Enum):
    """Which server an engine speaks to."""

    MYSQL = auto()
    OTHER = auto()
    UNKNOWN = auto()


class Maker(Enum):
    """What makes an engine."""

    CREATE = auto()
    CREATE_ASYNC = auto()
    FROM_CONFIG = auto()
    FLASK = auto()


@dataclass(frozen=True, slots=True)
class Url:
    """What is known of an engine's URL.

    Attributes:
        database: whose.
        driver: the part after ``+``, or empty.
        protected: whether it carries ``plugin=stillhere``; ``None`` where it may.
        derived: whether it is another engine's ``url``, which has lost the plugin.
    """

    database: Database = Database.UNKNOWN
    driver: str = ""
    protected: bool | None = None
    derived: bool = False


@dataclass(frozen=True, eq=False)
class EngineSite:
    """One place that makes an engine.

    Attributes:
        node: what a finding points at.
        module: where it stands.
        maker: what makes it.
        url: its URL.
        options: the keywords that reach the engine.
    """

    node: ast.AST
    module: Module
    maker: Maker
    url: Url
    options: Mapping

    @property
    def call(self) -> ast.Call | None:
        """The call that makes it, where it is one."""
        return self.node if isinstance(self.node, ast.Call) else None

    @property
    def is_async(self) -> bool:
        """Whether it is for asyncio."""
        return self.maker is Maker.CREATE_ASYNC

    @property
    def concerns(self) -> bool:
        """Whether it may be MySQL's: known to be, or nothing in the project says otherwise."""
        if self.url.database is Database.UNKNOWN:
            return not self.module.project.hints.not_mysql
        return self.url.database is Database.MYSQL

    @property
    def protected(self) -> bool:
        """Whether stillhere looks after it, as far as the project says."""
        plugins = self.options.get("plugins")
        if plugins is not None:
            value, home = follow(plugins.module, plugins.value)
            if isinstance(value, ast.List | ast.Tuple | ast.Set):
                if any(constant(home, one) == "stillhere" for one in value.elts):
                    return True
            else:
                return True  # it can't be read; the benefit of the doubt
        if self.url.protected is None:
            return not self.url.derived and self.module.project.hints.protected
        return self.url.protected

    @property
    def hint(self) -> str:
        """What a message adds where the URL isn't known."""
        return "" if self.url.protected is not None else " (unless its URL carries plugin=stillhere)"

    @property
    def pool(self) -> str:
        """The name of the pool class that it is given; empty for the default, ``?`` where it can't be read."""
        entry = self.options.get("poolclass")
        if entry is None:
            return "" if self.options.complete else "?"
        name = entry.module.name_of(entry.value)
        return name.rpartition(".")[2] or "?"

    def option(self, name: str) -> Entry | None:
        """The option of that name, where it is certain to be there."""
        return self.options.get(name)


_CREATORS = {
    "sqlalchemy.create_engine": Maker.CREATE,
    "sqlalchemy.create_async_engine": Maker.CREATE_ASYNC,
    "sqlalchemy.engine_from_config": Maker.FROM_CONFIG,
    "sqlalchemy.async_engine_from_config": Maker.FROM_CONFIG,
}


def engine_at(module: Module, call: ast.Call) -> EngineSite | None:
    """The engine that a call makes; ``None`` where it makes none."""
    maker = _CREATORS.get(module.name_of(call.func))
    if maker is None:
        return None
    known = module.memory.setdefault("engines at calls", {})
    assert isinstance(known, dict)  # noqa: S101 - for the type checker
    if call not in known:
        options = of_call(module, call)
        if maker is Maker.FROM_CONFIG:
            options.complete = False
        at = call.args[0] if call.args else getattr(options.entries.pop("url", None), "value", None)
        url = Url() if maker is Maker.FROM_CONFIG else read_url(module, at)
        if "async_creator" in options.entries or "creator" in options.entries:
            url = Url(url.database, url.driver, url.protected)
        known[call] = EngineSite(call, module, maker, url, options)
    found: EngineSite = known[call]
    return found


def engines(module: Module) -> list[EngineSite]:
    """Every engine that a module makes or configures, in the order of the source."""
    if "engines" not in module.memory:
        module.memory["engines"] = list(_engines(module))
    found = module.memory["engines"]
    assert isinstance(found, list)  # noqa: S101 - for the type checker
    return found


def _engines(module: Module) -> Iterator[EngineSite]:
    for terminal in list(module.tree.calls):
        for call in module.tree.calls[terminal]:
            if isinstance(call.func, ast.Name | ast.Attribute) and (
                terminal.endswith(("engine", "from_config")) or isinstance(call.func, ast.Name)
            ):
                site = engine_at(module, call)
                if site is not None:
                    yield site
    yield from _flask(module)


def _flask(module: Module) -> Iterator[EngineSite]:
    """Flask-SQLAlchemy makes its engine from settings; it adds ``pool_recycle=7200`` of its own."""
    groups: dict[object, dict[str, Setting]] = {}
    for one in settings(module):
        groups.setdefault(one.group, {})[one.name] = one
    for group in groups.values():
        options = group.get("SQLALCHEMY_ENGINE_OPTIONS")
        if options is None:
            continue
        url = _flask_url(group, groups.values())
        yield EngineSite(options.node, module, Maker.FLASK, url, mapping(options.module, options.value))
    for call in module.calls("SQLAlchemy"):
        if module.name_of(call.func) == "flask_sqlalchemy.SQLAlchemy":
            entry = of_call(module, call).get("engine_options")
            if entry is not None:
                yield EngineSite(entry.value, module, Maker.FLASK, Url(), mapping(entry.module, entry.value))


def _flask_url(group: dict[str, Setting], groups: Iterable[dict[str, Setting]]) -> Url:
    """The URL beside the options; where another class of settings has it, MySQL's before another's."""
    beside = [group] if "SQLALCHEMY_DATABASE_URI" in group else list(groups)
    found = [read_url(one.module, one.value) for one in (each.get("SQLALCHEMY_DATABASE_URI") for each in beside) if one]
    order = (Database.MYSQL, Database.UNKNOWN, Database.OTHER)
    return min(found, key=lambda url: order.index(url.database), default=Url())


def read_url(module: Module, node: ast.expr | None) -> Url:
    """What an expression for a URL says."""
    if node is None:
        return Url()
    value, home = follow(module, node)
    if isinstance(value, ast.Attribute) and value.attr == "url":
        return Url(derived=True)
    if isinstance(value, ast.Call):
        found = _url_object(home, value)
        if found is not None:
            return found
    known = text(home, value)
    return Url() if known is None else _parse(known, certain=_is_certain(home, value))


def _url_object(module: Module, call: ast.Call) -> Url | None:
    name = module.name_of(call.func)
    if name in {"sqlalchemy.URL.create", "sqlalchemy.URL"}:
        options = of_call(module, call)
        at = call.args[0] if call.args else getattr(options.get("drivername"), "value", None)
        drivername = text(module, at)
        plugin = options.get("query")
        query = mapping(module, plugin.value).get("plugin") if plugin is not None else None
        protected = query is not None or (None if plugin is not None else False)
        parsed = _parse(f"{drivername}://", certain=True) if drivername else Url()
        return Url(parsed.database, parsed.driver, protected)
    if name == "sqlalchemy.make_url" and call.args:
        return read_url(module, call.args[0])
    if isinstance(call.func, ast.Attribute) and call.func.attr.startswith(("update_query", "set", "difference_update")):
        inner = read_url(module, call.func.value)
        plugged = "stillhere" in ast.dump(call)
        return Url(inner.database, inner.driver, plugged or inner.protected, inner.derived and not plugged)
    return None


def _is_certain(module: Module, node: ast.expr) -> bool:
    """Whether a text is what will be used, and not merely the default of a setting."""
    if isinstance(node, ast.Call):
        is_format = isinstance(node.func, ast.Attribute) and node.func.attr == "format"
        return is_format or isinstance(module.resolve(node.func), Local)
    if isinstance(node, ast.BoolOp):
        return False
    return not any(
        isinstance(one, ast.Name | ast.Attribute) and isinstance(follow(module, one)[0], ast.Call)
        for one in (node.values if isinstance(node, ast.JoinedStr) else ())
    )


def _parse(known: str, *, certain: bool) -> Url:
    scheme, found, rest = known.partition("://")
    if "plugin=stillhere" in known:
        return Url(Database.MYSQL, scheme.partition("+")[2] if found else "", protected=True)
    if not found or GAP in scheme:
        return Url(Database.MYSQL if scheme.startswith(("mysql", "mariadb")) else Database.UNKNOWN)
    dialect, _, driver = scheme.partition("+")
    ours = dialect.lower() in {"mysql", "mariadb"}
    if not certain:
        # The default of an environment variable: where it is MySQL's, so will be the real one; SQLite says nothing.
        local = not ours and dialect == "sqlite"
        return Url(Database.UNKNOWN if local else Database.MYSQL if ours else Database.OTHER, driver, None)
    open_end = GAP in rest.rpartition("/")[2] or ("?" in rest and GAP in rest.partition("?")[2])
    return Url(Database.MYSQL if ours else Database.OTHER, driver, None if open_end else False)
