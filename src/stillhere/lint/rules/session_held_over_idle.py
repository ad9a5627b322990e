"""SH201."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.flow import ENDS, SESSIONS, same, waits
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, Thing, concerns, engine_of, thing
from stillhere.lint.tree import walk_body

__all__ = ["SessionHeldOverIdle"]

_LONG = 60.0
_RAW_ENDS = ENDS - {"commit", "rollback"} | {"ping", "reconnect", "connect"}


class SessionHeldOverIdle(Rule):
    """A loop sleeps or waits for work while its session keeps a connection.

    What it does:
        Finds loops that sleep for a minute or longer, or wait for a queue, and in each turn use a session or
        connection made before the loop without ending it: no `commit()`, `rollback()` or `close()` inside.

    Why it is bad:
        From its first statement to the end of its transaction a session keeps its connection. While the loop waits,
        that connection is idle inside a transaction: the server or a proxy closes it, old versions of all rows are
        kept for it, and after the wait its first statement fails with 2006 or 2013. `pool_pre_ping` and
        `pool_recycle` don't help: they look at connections that leave the pool.

    Known limits:
        What a called function does with the session isn't seen. A driver's own connection isn't given back by a
        COMMIT, so that one is reported only where the wait is unlimited or longer than the idle limit, and the loop
        neither pings nor connects.

    Example:
        ```python
        session = Session()
        while True:
            for job in session.scalars(select(Job).where(Job.due)):
                job.run()
            time.sleep(300)
        ```

    Use instead:
        ```python
        while True:
            with Session.begin() as session:
                for job in session.scalars(select(Job).where(Job.due)):
                    job.run()
            time.sleep(300)
        ```

    References:
        - SQLAlchemy, "When do I construct a Session, when do I commit it, and when do I close it?"
        - MySQL, `wait_timeout`; MariaDB, `idle_transaction_timeout`
    """

    id = "SH201"
    name = "session-held-over-idle"
    remedy = "Make the session inside the loop, or end its transaction before the wait."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Loops with a wait, and what they use in it."""
        for loop in module.tree.loops:
            waiting = waits(module, loop.body, _LONG)
            if waiting is None:
                continue
            call, how = waiting
            for held, one in _used(module, loop, loop.body):
                if one.kind in {Kind.RAW, Kind.CURSOR} and waits(module, loop.body, options.idle_limit) is None:
                    continue
                what = "session" if one.kind in SESSIONS else "connection"
                yield Problem(call, f"the loop {how} while the {what} {ast.unparse(held)} stays open")
                break


def _used(module: Module, loop: ast.AST, body: list[ast.stmt]) -> Iterator[tuple[ast.expr, Thing]]:
    """Sessions and connections made before the loop, used in it and not ended in it."""
    seen: list[ast.expr] = []
    calls = [node for node in walk_body(body) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    for call in calls:
        held = call.func.value  # type: ignore[attr-defined]
        one = thing(module, held)
        if one is None or not isinstance(held, ast.Name | ast.Attribute) or one.kind not in _KINDS:
            continue
        if any(same(module, held, other) for other in seen) or _made_inside(module, loop, held):
            continue
        seen.append(held)
        ends = ENDS if one.kind in SESSIONS or one.kind is Kind.CONNECTION else _RAW_ENDS
        if any(same(module, other.func.value, held) and other.func.attr in ends for other in calls):  # type: ignore[attr-defined]
            continue
        if one.kind is Kind.CURSOR and any(other.func.attr in _RAW_ENDS for other in calls):  # type: ignore[attr-defined]
            continue
        if concerns(one) and not _protected_connection(one):
            yield held, one


_KINDS = SESSIONS | {Kind.CONNECTION, Kind.RAW, Kind.CURSOR}


def _made_inside(module: Module, loop: ast.AST, held: ast.expr) -> bool:
    """Whether the name is bound in the loop, or passed on to a helper there."""
    root = held
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return True
    for node in ast.walk(loop):
        if isinstance(node, ast.Name) and node.id == root.id and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Call) and any(same(module, argument, held) for argument in node.args):
            return True
    return False


def _protected_connection(one: Thing) -> bool:
    """A driver's connection under stillhere is looked at before use; a transaction isn't a matter of connections."""
    site = engine_of(one)
    return one.kind in {Kind.RAW, Kind.CURSOR} and site is not None and site.protected
