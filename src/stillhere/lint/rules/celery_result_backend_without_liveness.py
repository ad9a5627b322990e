"""SH604."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.engines import Database, read_url
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.settings import Setting, settings
from stillhere.lint.values import constant, mapping, of_call, text

__all__ = ["CeleryResultBackendWithoutLiveness"]

_BACKENDS = ("result_backend", "CELERY_RESULT_BACKEND", "CELERY_RESULT_DBURI")
_ENGINE = ("database_engine_options", "CELERY_RESULT_ENGINE_OPTIONS", "CELERY_DATABASE_ENGINE_OPTIONS")
_SHORT = (
    "database_short_lived_sessions",
    "CELERY_RESULT_DB_SHORT_LIVED_SESSIONS",
    "CELERY_DATABASE_SHORT_LIVED_SESSIONS",
)
_ALIVE = frozenset({"pool_pre_ping", "pool_recycle", "poolclass"})


class CeleryResultBackendWithoutLiveness(Rule):
    """Celery stores results over a connection that died while the worker was idle.

    What it does:
        Finds a result backend `db+mysql://` with neither `database_engine_options` that name `pool_pre_ping` or
        `pool_recycle`, nor `database_short_lived_sessions`.

    Why it is bad:
        A worker keeps one engine for its results. After an idle night its pooled connection is dead, and storing
        the first result fails with 2006: the task ran, and its result is lost.

    Known limits:
        `database_short_lived_sessions` is what Celery's manual advises, and is accepted here. By its source (5.6)
        it makes the session anew, but on the same engine and pool, so that `pool_pre_ping` is the surer remedy.

    Example:
        ```python
        app = Celery("shop", broker="redis://", backend="db+mysql+pymysql://app@db.example/results")
        ```

    Use instead:
        ```python
        app = Celery("shop", broker="redis://", backend="db+mysql+pymysql://app@db.example/results")
        app.conf.database_engine_options = {"pool_pre_ping": True}
        ```

        or a URL with `plugin=stillhere`.

    References:
        - Celery, "Configuration and defaults", database backend settings
    """

    id = "SH604"
    name = "celery-result-backend-without-liveness"
    remedy = 'Set database_engine_options = {"pool_pre_ping": True}, or put plugin=stillhere into the URL.'

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Settings of Celery, and the constructor's ``backend``."""
        del options
        known = settings(module)
        if _alive(module, known):
            return
        for one in known:
            if one.name in _BACKENDS and _is_mysql(one.module, one.value):
                yield Problem(one.node, "results are stored over a pool that doesn't notice dead connections")
        for call in module.calls("Celery"):
            if module.name_of(call.func) != "celery.Celery":
                continue
            entry = of_call(module, call).get("backend") or of_call(module, call).get("result_backend")
            if entry is not None and _is_mysql(entry.module, entry.value):
                node = entry.node if entry.module is module else call
                yield Problem(node, "results are stored over a pool that doesn't notice dead connections")


def _alive(module: Module, known: list[Setting]) -> bool:
    for one in known:
        if one.name in _ENGINE:
            given = mapping(one.module, one.value)
            if not given.complete or _ALIVE & set(given.entries):
                return True
        if one.name in _SHORT and constant(one.module, one.value) is not False:
            return True
    # Settings in another module, by name: those may have it.
    for call in module.calls("config_from_object"):
        name = constant(module, call.args[0]) if call.args else ...
        other = module.project.named(module, name.partition(":")[0]) if isinstance(name, str) else None
        if other is not None and other is not module and _alive(other, settings(other)):
            return True
        if other is None and not (call.args and isinstance(call.args[0], ast.Name)):
            return True
    return False


def _is_mysql(module: Module, value: ast.expr) -> bool:
    known = text(module, value)
    if known is None or not known.startswith("db+"):
        return False
    url = read_url(module, ast.Constant(known.removeprefix("db+")))
    return url.database is Database.MYSQL and not url.protected
