"""SH602."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.lint.databases import databases
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule

__all__ = ["DjangoConnMaxAgeOverIdleLimit"]


class DjangoConnMaxAgeOverIdleLimit(Rule):
    """Django keeps connections for longer than the server does.

    What it does:
        Finds databases with `django.db.backends.mysql` whose `CONN_MAX_AGE` is `None` or not below the idle limit
        (`idle-limit` in `[tool.stillhere.lint]`; 28800 s where that isn't set), without `CONN_HEALTH_CHECKS`.

    Why it is bad:
        The server, or a proxy before it, closes a connection that was idle for that long. Django uses it all the
        same, and the first query of the next request fails with 2006 or 2013.

    Known limits:
        The limit of your server and of the hops before it isn't in the source: set `idle-limit` to the shortest.

    Example:
        ```python
        DATABASES = {"default": {"ENGINE": "django.db.backends.mysql", "NAME": "shop", "CONN_MAX_AGE": None}}
        ```

    Use instead:
        ```python
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "shop",
                "CONN_MAX_AGE": 280,
                "CONN_HEALTH_CHECKS": True,
            }
        }
        ```

    References:
        - Django, "Databases", persistent connections
    """

    id = "SH602"
    name = "django-conn-max-age-over-idle-limit"
    remedy = "Set CONN_MAX_AGE below the shortest idle limit, and CONN_HEALTH_CHECKS to True."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Databases of the settings."""
        for one in databases(module):
            if one.checked or not one.persists:
                continue
            if one.forever:
                yield Problem(
                    one.node, f"connections are kept for ever, past the idle limit of {options.idle_limit:g} s"
                )
            elif one.age is not None and one.age >= options.idle_limit:
                text = f"CONN_MAX_AGE={one.age:g} is not below the idle limit of {options.idle_limit:g} s"
                yield Problem(one.node, text)
