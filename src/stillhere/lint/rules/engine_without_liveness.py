"""SH101."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stillhere.lint.engines import EngineSite, Maker, engines
from stillhere.lint.lifetimes import is_short_lived
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Edit, Options, Problem, Rule
from stillhere.lint.rules.edits import add_keyword
from stillhere.lint.values import constant, number

__all__ = ["EngineWithoutLiveness", "has_ping"]

_UNPOOLED = frozenset({"NullPool", "StaticPool", "SingletonThreadPool", "AssertionPool", "?"})


_LISTENERS = re.compile(r"(?s)listen(?:s_for)?\([^()]{0,200}?[\"'](?:checkout|engine_connect)[\"']|\bPoolListener\b")


class EngineWithoutLiveness(Rule):
    """A pooled engine hands out connections that the server has closed in the meantime.

    What it does:
        Looks for `create_engine()` and `create_async_engine()` with neither `pool_pre_ping=True` nor a
        `pool_recycle` over 0, for MySQL, MariaDB or an address that isn't known.

    Why it is bad:
        The server closes a connection that was idle for longer than `wait_timeout`, and so do proxies and
        firewalls, usually much earlier. The pool doesn't notice. The next request gets the dead connection, and its
        first statement fails with "MySQL server has gone away" (2006) or "Lost connection" (2013).

    Known limits:
        Engines with `poolclass=NullPool`, or with `plugin=stillhere` in the URL, don't need either and are left
        alone. So are engines of a project that listens to `checkout` or `engine_connect`, as older recipes for a
        ping do, an engine that is used up in the function that makes it, and options that are put together where
        the linter can't follow. Where the address is read from the environment, it may carry the plugin; then the
        finding is wrong, unless a file of the project shows the plugin. A check at checkout helps only at checkout:
        not after a slow call in the middle of a transaction.

    Example:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_size=10)
        ```

    Use instead:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop?plugin=stillhere", pool_size=10)
        ```

        or, with a round trip at each checkout:

        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop", pool_size=10, pool_pre_ping=True)
        ```

    References:
        - SQLAlchemy, "Dealing with Disconnects"
        - MySQL, `wait_timeout`
    """

    id = "SH101"
    name = "engine-without-liveness"
    fixable = True
    remedy = "Put plugin=stillhere into the URL, or pass pool_pre_ping=True."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines whose options are all known, with neither option among them."""
        del options
        if module.project.hints.listens or _LISTENERS.search(module.source.text):
            return
        for site in engines(module):
            if not site.concerns or site.protected or site.pool in _UNPOOLED:
                continue
            call = site.call
            if site.maker is Maker.FLASK:
                entry = site.option("pool_recycle")  # without one, Flask-SQLAlchemy sets 7200
                recycle = number(entry.module, entry.value) if entry is not None else None
                if recycle is not None and recycle <= 0 and site.options.complete and not has_ping(site):
                    yield Problem(site.node, f"pool_recycle={recycle:g} recycles nothing, and pool_pre_ping is off")
            elif call is not None and not _has_either(site) and not is_short_lived(site):
                edits: tuple[Edit, ...] = ()
                if "pool_pre_ping" not in site.options.entries:
                    edits = add_keyword(module.source, call, "pool_pre_ping=True")
                made = "create_async_engine()" if site.is_async else "create_engine()"
                text = f"{made} has neither pool_pre_ping nor pool_recycle, so it hands out connections that died idle"
                yield Problem(call, f"{text}{site.hint}", edits=edits)


def has_ping(site: EngineSite) -> bool:
    """Whether each connection is pinged at checkout; a setting that can't be read counts."""
    entry = site.option("pool_pre_ping")
    return entry is not None and constant(entry.module, entry.value) not in {False, None}


def _has_either(site: EngineSite) -> bool:
    """Whether one of the two options is there, or may be."""
    return not site.options.complete or has_ping(site) or _recycles(site)


def _recycles(site: EngineSite) -> bool:
    entry = site.option("pool_recycle")
    if entry is None:
        return False
    seconds = number(entry.module, entry.value)
    return seconds is None or seconds > 0
