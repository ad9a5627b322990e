"""SH601."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.databases import databases
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Edit, Options, Problem, Rule
from stillhere.lint.rules.edits import add_key
from stillhere.lint.values import constant, number, of_call

__all__ = ["DjangoPersistentConnectionsUnchecked"]


class DjangoPersistentConnectionsUnchecked(Rule):
    """Django keeps connections between requests and doesn't look at them before it uses them again.

    What it does:
        Finds databases with `django.db.backends.mysql` and a `CONN_MAX_AGE` over 0 without `CONN_HEALTH_CHECKS`,
        and `dj_database_url.config(conn_max_age=...)` without `conn_health_checks`.

    Why it is bad:
        A connection that the server or a proxy closed while it was idle is used by the next request, whose first
        query fails with 2006 or 2013. Django then drops the connection, so that each worker fails once.

    Known limits:
        `CONN_HEALTH_CHECKS` exists since Django 4.1; older versions ignore it. The check is made once a request,
        before its first query, and not after a slow call in the middle.

    Example:
        ```python
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "shop",
                "CONN_MAX_AGE": 600,
            }
        }
        ```

    Use instead:
        ```python
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "shop",
                "CONN_MAX_AGE": 600,
                "CONN_HEALTH_CHECKS": True,
            }
        }
        ```

    References:
        - Django, "Databases", persistent connections
        - Django, "Settings", `CONN_HEALTH_CHECKS`
    """

    id = "SH601"
    name = "django-persistent-connections-unchecked"
    fixable = True
    remedy = 'Add "CONN_HEALTH_CHECKS": True.'

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Databases of the settings, and calls of dj_database_url."""
        for one in databases(module):
            if not one.persists or one.checked or one.age is None or one.age >= options.idle_limit:
                continue
            edits: tuple[Edit, ...] = ()
            if one.literal is not None and "CONN_HEALTH_CHECKS" not in one.given.entries:
                edits = add_key(module.source, one.literal, '"CONN_HEALTH_CHECKS": True')
            yield Problem(one.node, f"connections are kept for {one.age:g} s and not checked before use", edits=edits)
        if module.project.hints.not_mysql or not module.project.hints.mysql:
            return
        for call in module.calls("config", "parse"):
            if not module.name_of(call.func).startswith("dj_database_url."):
                continue
            given = of_call(module, call)
            age, checks = given.get("conn_max_age"), given.get("conn_health_checks")
            seconds = number(age.module, age.value) if age is not None else None
            forever = age is not None and constant(age.module, age.value) is None
            unchecked = checks is None or constant(checks.module, checks.value) is False
            if (forever or (seconds is not None and seconds > 0)) and unchecked and given.complete:
                node: ast.AST = age.node if age is not None else call
                yield Problem(node, "connections are kept and not checked before use", "Add conn_health_checks=True.")
