"""SH108."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.engines import engines
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, engine_of, thing
from stillhere.lint.values import follow

__all__ = ["EngineFromEngineUrl"]


class EngineFromEngineUrl(Rule):
    """An engine built from another's `url` has lost the plugin.

    What it does:
        Finds `create_engine(other.url)` where the other engine is under stillhere and the new one doesn't name it.

    Why it is bad:
        SQLAlchemy takes `plugin=stillhere` out of the URL when it makes the first engine. The second one looks the
        same and isn't protected.

    Known limits:
        Only where the first engine can be traced in the source.

    Example:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop?plugin=stillhere")
        reports = create_engine(engine.url, pool_pre_ping=True)
        ```

    Use instead:
        ```python
        reports = create_engine(engine.url, plugins=["stillhere"])
        ```

    References:
        - SQLAlchemy, `CreateEnginePlugin`
    """

    id = "SH108"
    name = "engine-from-engine-url"
    remedy = 'Pass plugins=["stillhere"], or the text of the first URL.'

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Engines of a derived URL."""
        del options
        for site in engines(module):
            call = site.call
            if call is None or not call.args or not site.url.derived or site.protected or not site.options.complete:
                continue
            url, home = follow(module, call.args[0])
            if not isinstance(url, ast.Attribute):
                continue
            other = thing(home, url.value)
            first = engine_of(other)
            if (
                other is not None
                and other.kind in {Kind.ENGINE, Kind.ASYNC_ENGINE}
                and first is not None
                and first.protected
            ):
                yield Problem(call, "this engine's URL has lost plugin=stillhere, which the engine it comes from has")
