"""SH302."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.starts import starts
from stillhere.lint.things import Kind, concerns, engine_of, thing

__all__ = ["ConnectionHandedToProcess"]

_WORDS = {
    Kind.SESSION: "session",
    Kind.ASYNC_SESSION: "session",
    Kind.REGISTRY: "session",
    Kind.CONNECTION: "connection",
    Kind.RAW: "connection",
    Kind.CURSOR: "cursor",
    Kind.ENGINE: "engine",
}


class ConnectionHandedToProcess(Rule):
    """A connection, session or engine is handed to another process.

    What it does:
        Finds them among the arguments of `multiprocessing.Process`, of a process pool's methods and of
        `ProcessPoolExecutor.submit()`.

    Why it is bad:
        A connection is a socket with a conversation on it. A forked child has a copy of the same socket: both sides
        write into one conversation and read each other's replies. A spawned child can't have it at all: it fails
        when the argument is pickled.

    Known limits:
        Only arguments that are named at the start, not what an object has inside. An engine under stillhere may be
        handed to a forked child.

    Example:
        ```python
        with Session() as session:
            child = multiprocessing.Process(target=export, args=(session, 2024))
            child.start()
        ```

    Use instead:
        ```python
        child = multiprocessing.Process(target=export, args=(DATABASE_URL, 2024))
        child.start()
        ```

    References:
        - SQLAlchemy, "Using Connection Pools with Multiprocessing or os.fork()"
    """

    id = "SH302"
    name = "connection-handed-to-process"
    severity = Severity.ERROR
    remedy = "Hand over the URL or a key, and connect in the child."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Arguments of processes."""
        del options
        for start in starts(module):
            for argument in start.arguments if start.is_process else ():
                one = thing(module, argument) if isinstance(argument, ast.Name | ast.Attribute) else None
                if one is None or one.kind not in _WORDS or not concerns(one):
                    continue
                site = engine_of(one)
                if one.kind is Kind.ENGINE and site is not None and site.protected:
                    continue
                what = f"the {_WORDS[one.kind]} {ast.unparse(argument)}"
                yield Problem(argument, f"{what} is handed to another process, which would share its socket")
