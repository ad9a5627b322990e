"""SH303."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import same
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.starts import Start, starts
from stillhere.lint.things import Kind, concerns, thing
from stillhere.lint.tree import walk_body

__all__ = ["ConnectionHandedToThread"]

_WORDS = {
    Kind.SESSION: "session",
    Kind.CONNECTION: "connection",
    Kind.RAW: "connection",
    Kind.CURSOR: "cursor",
}
_REPEATED = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


class ConnectionHandedToThread(Rule):
    """One connection or session is used by several threads at once.

    What it does:
        Finds a session, connection or cursor that is handed to several threads (in a loop, or by a pool's `map`),
        or to one while the starting function goes on using it.

    Why it is bad:
        The drivers allow one thread at a time on a connection (PEP 249, `threadsafety` 1). Two threads mix their
        packets: "Packet sequence number wrong", `(0, '')`, garbage, or somebody else's rows. A session mixes up
        transactions as well.

    Known limits:
        Handing one over for good, and not touching it again, is allowed. What is reached through a closure or a
        global name isn't seen here.

    Example:
        ```python
        with Session() as session:
            for number in numbers:
                threading.Thread(target=export, args=(session, number)).start()
        ```

    Use instead:
        ```python
        for number in numbers:
            threading.Thread(target=export, args=(Session, number)).start()
        ```

        where `export` begins with `with Session() as session:`.

    References:
        - PEP 249, `threadsafety`
        - SQLAlchemy, "Is the Session thread-safe?"
    """

    id = "SH303"
    name = "connection-handed-to-thread"
    severity = Severity.ERROR
    remedy = "Hand over the sessionmaker or the engine, and let each thread take its own."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Arguments of threads."""
        del options
        for start in starts(module):
            for argument in () if start.is_process else start.arguments:
                if not isinstance(argument, ast.Name | ast.Attribute):
                    continue
                one = thing(module, argument)
                if one is None or one.kind not in _WORDS or not concerns(one):
                    continue
                how = _shared(module, start, argument)
                if how:
                    yield Problem(argument, f"the {_WORDS[one.kind]} {ast.unparse(argument)} {how}")


def _shared(module: Module, start: Start, argument: ast.expr) -> str:
    if _in_loop(module, start, argument):
        return "is handed to several threads"
    function = module.tree.function_of(start.call)
    others = {other.call: other for other in starts(module) if other is not start}
    for node in walk_body(function.body if function is not None else module.tree.root.body):
        if not isinstance(node, ast.Call) or node.lineno <= (start.call.end_lineno or start.call.lineno):
            continue
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in {"join", "result", "shutdown"}:
                return ""
            if same(module, node.func.value, argument) and node.func.attr != "close":
                return f"is handed to a thread and used here meanwhile (line {node.lineno})"
        if node in others and any(same(module, given, argument) for given in others[node].arguments):
            return "is handed to several threads"
    return ""


def _in_loop(module: Module, start: Start, argument: ast.expr) -> bool:
    """Whether the start is repeated with the same argument."""
    names = {node.id for node in ast.walk(argument) if isinstance(node, ast.Name)}
    for one in module.tree.ancestors(start.call):
        if isinstance(one, _REPEATED):
            stored = (node for node in ast.walk(one) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
            if not names & {node.id for node in stored}:
                return True
    return False
