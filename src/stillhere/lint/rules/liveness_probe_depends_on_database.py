"""SH605."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stillhere.lint.flow import SESSIONS
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing
from stillhere.lint.tree import FunctionNode, walk_body
from stillhere.lint.values import text

__all__ = ["LivenessProbeDependsOnDatabase"]

_LIVENESS = re.compile(r"(?i)(?:^|[/_.-])(?:livez?|liveness|alive)(?:$|[/_.-])")
_ASKS = frozenset({"execute", "connect", "scalar", "scalars", "query", "cursor", "exec", "ensure_connection", "begin"})
_THINGS = SESSIONS | {Kind.ENGINE, Kind.ASYNC_ENGINE, Kind.CONNECTION, Kind.ASYNC_CONNECTION, Kind.RAW, Kind.CURSOR}


class LivenessProbeDependsOnDatabase(Rule):
    """A liveness probe asks the database, so that an outage there restarts every process here.

    What it does:
        Finds routes called `live`, `livez`, `liveness` or `alive` whose function sends a statement or connects.

    Why it is bad:
        A failed liveness probe means "restart me". While the database is away, every process is killed again and
        again, which mends nothing; when it comes back, all of them start and connect at the same moment.

    Known limits:
        Routes called `health` or `ready` are left alone: readiness may depend on the database.

    Example:
        ```python
        @app.get("/livez")
        def livez():
            db.session.execute(text("SELECT 1"))
            return "ok"
        ```

    Use instead:
        ```python
        @app.get("/livez")
        def livez():
            return "ok"


        @app.get("/readyz")
        def readyz():
            db.session.execute(text("SELECT 1"))
            return "ok"
        ```

    References:
        - Kubernetes, "Liveness, Readiness, and Startup Probes"
    """

    id = "SH605"
    name = "liveness-probe-depends-on-database"
    remedy = "Ask the database in the readiness probe, and let the liveness probe answer for the process alone."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Functions of such routes."""
        del options
        for function in module.tree.functions:
            route = _route(module, function)
            if not route:
                continue
            for node in walk_body(function.body):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ASKS:
                    one = thing(module, node.func.value)
                    django = module.name_of(node.func.value) == "django.db.connection"
                    if (one is not None and one.kind in _THINGS and concerns(one)) or (
                        django and not module.project.hints.not_mysql
                    ):
                        yield Problem(node, f"the liveness probe {route} asks the database")
                        break


def _route(module: Module, function: FunctionNode) -> str:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.args:
            path = text(module, decorator.args[0])
            if path is not None and path.startswith("/") and _LIVENESS.search(path):
                return path
    return ""
