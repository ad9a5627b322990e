"""Reading an application's own engines: imported by name, looked at, never connected with."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stillhere.doctor.engines import NEVER, EngineFacts
from stillhere.errors import ConfigurationError
from stillhere.masking import mask_sql, mask_urls
from stillhere.survey.login import address_of

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["AppEngine", "engines_of", "facts_of"]

_INTERACTIVE = 1 << 10  # CLIENT_INTERACTIVE of the protocol
_PLUGIN_MODULE = "stillhere.integrations.sqlalchemy"
_OWN = ("mysql", "mariadb")
_RESETS = {"reset_rollback": "rollback", "reset_commit": "commit"}
_CONNECT_DEFAULTS = {"pymysql": 10.0, "mysql.connector": 10.0}  # limits that drivers have by themselves, in seconds
_CONNECT_NAMES = ("connect_timeout", "connection_timeout")
_TLS_WORDS = ("ssl", "ssl_ca", "ssl_cert", "ssl_mode", "ssl_verify_cert", "ssl_key")
_ASKS_ITSELF = frozenset({"MySQLdb", "mysql.connector", "mariadb"})  # TLS where the server offers it
_DEPTH = 4


class AppEngine:
    """One engine of the application: its facts, and the URL to reach its server with.

    Attributes:
        facts: what the checks see.
        url: with the password; never shown.
    """

    __slots__ = ("facts", "url")

    def __init__(self, facts: EngineFacts, url: URL) -> None:
        self.facts = facts
        self.url = url


def engines_of(place: str) -> tuple[AppEngine, ...]:
    """Import an application and read the engines at a place in it.

    Args:
        place: ``module:attribute``, such as ``shop.db:engine``, with further attributes behind dots. The attribute may
            be an engine, an asyncio engine, a sessionmaker, a scoped session, or a Flask application with
            Flask-SQLAlchemy.

    Raises:
        ConfigurationError: no such module or attribute, the import fails, or there is no engine for MySQL or MariaDB.
    """
    module, colon, path = place.partition(":")
    if not module or not colon or not path:
        raise ConfigurationError(f"--app wants module:engine, such as shop.db:engine, not {place!r}")
    found = _attribute(place, _imported(place, module), path)
    engines = [(name, engine) for name, engine in _engines(place, found) if engine.dialect.name in _OWN]
    if not engines:
        raise ConfigurationError(
            f"--app {place}: found {_kind(found)}; wanted a SQLAlchemy engine for mysql or mariadb, a sessionmaker, or "
            "a Flask application with Flask-SQLAlchemy"
        )
    return tuple(AppEngine(facts_of(name, engine), engine.url) for name, engine in engines)


def facts_of(name: str, engine: Any) -> EngineFacts:
    """What an engine's settings are, without connecting.

    Args:
        name: what to call it.
        engine: a synchronous SQLAlchemy engine.
    """
    pool, dialect = engine.pool, engine.dialect
    driver = str(dialect.loaded_dbapi.__name__)
    arguments = _arguments(pool)
    known = arguments is not None
    passed = arguments or {}
    return EngineFacts(
        name=name,
        address=address_of(engine.url),
        drivername=engine.url.drivername,
        database=str(engine.url.database or ""),
        asynchronous=bool(dialect.is_async),
        protected=getattr(pool._creator, "__module__", "") == _PLUGIN_MODULE,  # noqa: SLF001 - no public way
        custom_creator=not known,
        pool=type(pool).__name__,
        size=_number(pool, "_pool", "maxsize"),
        overflow=getattr(pool, "_max_overflow", None),
        timeout=getattr(pool, "_timeout", None),
        recycle=float(getattr(pool, "_recycle", NEVER)),
        pre_ping=bool(getattr(pool, "_pre_ping", False)),
        reset=_RESETS.get(getattr(pool._reset_on_return, "name", ""), ""),  # noqa: SLF001 - no public way
        isolation=str(getattr(dialect, "_on_connect_isolation_level", None) or ""),
        connect_timeout=_seconds(
            passed, "connect_timeout", "connection_timeout", default=_CONNECT_DEFAULTS.get(driver, 0)
        )
        if known
        else None,
        read_timeout=_seconds(passed, "read_timeout", default=0.0) if known else None,
        init_command=mask_sql(str(passed.get("init_command") or "")),
        interactive=bool(int(passed.get("client_flag") or 0) & _INTERACTIVE),
        tls=_asks_tls(passed, driver) if known else None,
    )


def _imported(place: str, module: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # as python -m and every application server do
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ConfigurationError(f"--app {place}: no module {error.name!r} here or on the search path") from error
        raise ConfigurationError(f"--app {place}: importing it needs the module {error.name!r}") from error
    except Exception as error:
        text = mask_urls(mask_sql(f"{type(error).__name__}: {error}"))
        raise ConfigurationError(f"--app {place}: importing it failed with {text}") from error


def _attribute(place: str, found: Any, path: str) -> Any:
    for step in path.split("."):
        try:
            found = getattr(found, step)
        except AttributeError as error:
            raise ConfigurationError(f"--app {place}: {_kind(found)} has no {step!r}") from error
        except RuntimeError as error:  # Flask-SQLAlchemy's engine outside an application context
            raise ConfigurationError(
                f"--app {place}: {step!r} can't be read ({str(error).splitlines()[0]}); name the Flask application "
                "itself"
            ) from error
    return found


def _engines(name: str, found: Any) -> Iterator[tuple[str, Any]]:
    """The engines that something holds, each with a name."""
    from sqlalchemy.engine import Engine  # noqa: PLC0415 - not a dependency of the package

    if isinstance(found, Engine):
        yield name, found
    elif isinstance(getattr(found, "sync_engine", None), Engine):
        yield name, found.sync_engine
    elif "sqlalchemy" in (getattr(found, "extensions", None) or {}):
        with found.app_context():
            for bind, engine in found.extensions["sqlalchemy"].engines.items():
                yield f"{name}[{bind}]" if bind else name, engine
    else:
        factory = getattr(found, "session_factory", found)
        bind = (getattr(factory, "kw", None) or {}).get("bind")
        if bind is not None and bind is not found:
            yield from _engines(name, bind)


def _arguments(pool: Any) -> dict[str, Any] | None:
    """What SQLAlchemy passes to the driver; ``None`` where the application connects by itself.

    SQLAlchemy keeps it in the closure of the function that connects, beneath whatever plugins wrapped around it.
    """
    functions = [pool._creator]  # noqa: SLF001 - no public way
    for _ in range(_DEPTH):
        inner: list[Any] = []
        for function in functions:
            try:
                held = inspect.getclosurevars(function).nonlocals
            except TypeError:
                continue
            if "cparams" in held:
                return dict(held["cparams"])
            inner += [value for value in held.values() if inspect.isfunction(value)]
        functions = inner
    return None


def _asks_tls(passed: dict[str, Any], driver: str) -> bool | None:
    if passed.get("ssl_disabled"):
        return False
    if any(passed.get(word) for word in _TLS_WORDS):
        return True
    return None if driver in _ASKS_ITSELF else False


def _seconds(passed: dict[str, Any], *names: str, default: float) -> float:
    value = next((passed[name] for name in names if passed.get(name) is not None), default)
    try:
        return float(value)
    except (TypeError, ValueError):
        return default


def _number(pool: Any, *path: str) -> int | None:
    found = pool
    for step in path:
        found = getattr(found, step, None)
    return found if isinstance(found, int) else None


def _kind(found: Any) -> str:
    return f"module {found.__name__!r}" if inspect.ismodule(found) else f"a {type(found).__name__}"
