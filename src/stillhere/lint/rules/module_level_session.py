"""SH202."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import made_at_import, outlives_import
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing

__all__ = ["ModuleLevelSession"]

_WORDS = {
    Kind.SESSION: "session",
    Kind.ASYNC_SESSION: "session",
    Kind.CONNECTION: "connection",
    Kind.ASYNC_CONNECTION: "connection",
}


class ModuleLevelSession(Rule):
    """One session, made at import, for all requests and threads.

    What it does:
        Finds `session = Session()` and `connection = engine.connect()` on the top level of a module or in the body
        of a class, unless the module is a script that uses them by itself.

    Why it is bad:
        A session is one conversation with one connection. Shared by all requests, it keeps that connection for the
        life of the process: idle nights kill it, threads mix up their transactions and replies ("Packet sequence
        number wrong", 2014), and after one failure every request gets "Can't reconnect until invalid transaction is
        rolled back" until the process is restarted. Children of a fork inherit its socket.

    Known limits:
        A module with a `__main__` guard or with work on its top level counts as a script, unless a view or a task
        uses the session.

    Example:
        ```python
        Session = sessionmaker(engine)
        session = Session()


        def orders():
            return session.scalars(select(Order)).all()
        ```

    Use instead:
        ```python
        Session = sessionmaker(engine)


        def orders():
            with Session() as session:
                return session.scalars(select(Order)).all()
        ```

    References:
        - SQLAlchemy, "Is the Session thread-safe? Is AsyncSession safe to share in concurrent tasks?"
    """

    id = "SH202"
    name = "module-level-session"
    severity = Severity.ERROR
    remedy = "Keep the sessionmaker on the top level, and make a session for each request or unit of work."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Sessions and connections among the names of the top level."""
        del options
        for name, binding in made_at_import(module):
            one = thing(module, binding.value)
            if one is None or one.kind not in _WORDS or one.node is not binding.value or not concerns(one):
                continue
            if outlives_import(module, binding, name):
                text = f"{name} is one {_WORDS[one.kind]} for all requests and threads, made at import"
                yield Problem(one.node, text)
