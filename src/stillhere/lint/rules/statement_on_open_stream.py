"""SH501."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import SESSIONS, USES
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.streams import StreamLoop, root, stream_loops
from stillhere.lint.things import Kind, thing
from stillhere.lint.tree import walk_body

__all__ = ["StatementOnOpenStream"]


class StatementOnOpenStream(Rule):
    """A second statement on a connection whose rows are still being read.

    What it does:
        Finds loops over an unbuffered cursor (`SSCursor`), a query with `yield_per()` or a result with
        `stream_results`, in which the same connection or session sends another statement or a COMMIT.

    Why it is bad:
        The connection carries one conversation. Until the last row was read, mysqlclient's answer to anything else
        is "Commands out of sync" (2014); PyMySQL throws the unread rows away with no more than a warning, so that
        the loop ends early.

    Known limits:
        Statements that a called function sends on the same session aren't seen. A loop that leaves at once after
        the statement is left alone.

    Example:
        ```python
        for order in session.query(Order).yield_per(500):
            order.total = total_of(order)
            session.commit()
        ```

    Use instead:
        ```python
        for numbers in batched(session.scalars(select(Order.id)).all(), 500):
            with Session.begin() as session:
                for order in session.scalars(select(Order).where(Order.id.in_(numbers))):
                    order.total = total_of(order)
        ```

    References:
        - MySQL, "Commands out of sync"
        - SQLAlchemy, "Fetching Large Result Sets with Yield Per"
    """

    id = "SH501"
    name = "statement-on-open-stream"
    severity = Severity.ERROR
    remedy = "Read the rows to their end first, or use a second connection for the other statements."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Statements in such loops."""
        del options
        for stream in stream_loops(module):
            for node in walk_body(stream.loop.body):
                if isinstance(node, ast.Call) and _sends_too(module, stream, node) and not _leaves(module, node):
                    yield Problem(node, f"this is sent while rows of {stream.source} are still unread")
                    break


def _sends_too(module: Module, stream: StreamLoop, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in USES | {"commit"}:
        return False
    one = thing(module, call.func.value)
    if one is None:
        return False
    if one.kind is Kind.CURSOR:
        return one.origin == stream.connection and call.func.attr != "flush"
    if one.kind in SESSIONS | {Kind.CONNECTION}:
        return root(one) == stream.connection
    return one.kind is Kind.RAW and one == stream.connection and call.func.attr == "commit"


def _leaves(module: Module, node: ast.AST) -> bool:
    """Whether the loop ends right after this statement."""
    statement = module.tree.statement_of(node)
    parent = module.tree.parents[statement]
    for body in (getattr(parent, name, None) for name in ("body", "orelse")):
        if isinstance(body, list) and statement in body:
            after = body[body.index(statement) :]
            return any(isinstance(one, ast.Break | ast.Return | ast.Raise) for one in after)
    return False
