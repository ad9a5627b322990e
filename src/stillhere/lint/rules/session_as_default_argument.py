"""SH208."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing

__all__ = ["SessionAsDefaultArgument"]

_SHARED = frozenset({Kind.SESSION, Kind.ASYNC_SESSION, Kind.CONNECTION, Kind.ASYNC_CONNECTION, Kind.RAW, Kind.CURSOR})


class SessionAsDefaultArgument(Rule):
    """A session or connection is made once, as a default argument, and shared by all calls.

    What it does:
        Finds parameters whose default is a call that makes a session or opens a connection.

    Why it is bad:
        Python evaluates a default when the function is defined. All callers get the same session, in all threads,
        for the life of the process, and nobody notices when its connection dies.

    Known limits:
        FastAPI's `Depends(get_session)` is no such default, and is left alone.

    Example:
        ```python
        def orders(session=Session()):
            return session.scalars(select(Order)).all()
        ```

    Use instead:
        ```python
        def orders(session):
            return session.scalars(select(Order)).all()
        ```

    References:
        - Python, "Default Argument Values"
    """

    id = "SH208"
    name = "session-as-default-argument"
    severity = Severity.ERROR
    remedy = "Take the session as an argument without a default, or make it inside the function."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Defaults of all functions."""
        del options
        for function in module.tree.functions:
            arguments = function.args
            for default in (*arguments.defaults, *arguments.kw_defaults):
                if not isinstance(default, ast.Call) or module.name_of(default.func).startswith("fastapi."):
                    continue
                one = thing(module, default)
                if one is not None and one.kind in _SHARED and concerns(one):
                    yield Problem(default, "this default is made once, and shared by all calls")
