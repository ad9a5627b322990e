"""SH209."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing
from stillhere.lint.tree import Bound

__all__ = ["ScopedSessionNeverRemoved"]

_REMOVED = re.compile(rb"\.remove\(\s*\)|\.remove\b(?!\()|zope\.sqlalchemy|ZopeTransaction")
_SERVES = re.compile(
    rb"(?m)^\s*(?:from|import)\s+(?:flask|fastapi|starlette|bottle|falcon|pyramid|tornado|aiohttp|sanic|cherrypy|celery"
    rb"|dramatiq|rq)\b"
)


class ScopedSessionNeverRemoved(Rule):
    """A scoped session keeps each thread's session, and its connection, for ever.

    What it does:
        Finds `scoped_session(...)` on the top level of a module in a project that serves requests or runs tasks,
        and nowhere calls `remove()`.

    Why it is bad:
        The registry keeps one session a thread. Without `remove()` at the end of a request, the next request of
        that thread finds the last one's session: its connection (idle since then), its open transaction and stale
        rows, and, after a failure, "Can't reconnect until invalid transaction is rolled back".

    Known limits:
        Any `remove()` without arguments in the project counts. Flask-SQLAlchemy's `db.session` removes itself.

    Example:
        ```python
        Session = scoped_session(sessionmaker(engine))


        @app.get("/orders")
        def orders():
            return [order.name for order in Session.scalars(select(Order))]
        ```

    Use instead:
        ```python
        Session = scoped_session(sessionmaker(engine))


        @app.teardown_appcontext
        def remove_session(error):
            Session.remove()
        ```

    References:
        - SQLAlchemy, "Contextual/Thread-local Sessions", using thread-local scope with web applications
    """

    id = "SH209"
    name = "scoped-session-never-removed"
    remedy = "Call remove() at the end of each request or task."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Registries of the top level; the project's other files are searched only where there is one."""
        del options
        for bound in module.tree.top.names.values():
            for binding in bound:
                if binding.how is not Bound.ASSIGNED or binding.value is None:
                    continue
                one = thing(module, binding.value)
                if one is None or one.kind is not Kind.REGISTRY or one.node is not binding.value or not concerns(one):
                    continue
                if _never_removed(module):
                    yield Problem(binding.value, "this registry's sessions are never removed")


def _never_removed(module: Module) -> bool:
    text = module.source.text.encode("utf-8", "surrogatepass")
    if _REMOVED.search(text) or module.project.mentions(_REMOVED, module.file):
        return False
    return _SERVES.search(text) is not None or module.project.mentions(_SERVES, module.file)
