"""SH405."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.names import root_of
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, Thing, concerns, thing
from stillhere.lint.values import constant

__all__ = ["PingReconnect"]

_BY_DEFAULT = frozenset({"aiomysql", "asyncmy"})


class PingReconnect(Rule):
    """`ping()` reconnects silently, and what the connection held is gone.

    What it does:
        Finds `ping(reconnect=True)` and `ping(True)` on a driver's connection; and `ping()` of aiomysql and
        asyncmy, where reconnecting is the default.

    Why it is bad:
        The connection behind the object is another one afterwards. An open transaction has been rolled back, its
        earlier statements are gone and the next COMMIT commits the rest; session variables, temporary tables, locks
        and `LAST_INSERT_ID()` are gone as well. Nothing tells. PyMySQL has deprecated the argument, and MySQL's
        client library the option behind it.

    Known limits:
        Right after taking a connection, before anything was done on it, it does no harm; but a pool can do that
        better.

    Example:
        ```python
        connection.ping(reconnect=True)
        cursor = connection.cursor()
        ```

    Use instead:
        ```python
        connection = stillhere.connect(pymysql, host="db.example", user="app", database="shop")
        cursor = connection.cursor()
        ```

        or a pool with `pool_pre_ping=True`.

    References:
        - PyMySQL, `Connection.ping`
        - MySQL, "Automatic Reconnection Control", deprecated since 8.0.34
    """

    id = "SH405"
    name = "ping-reconnect"
    remedy = "Use stillhere.connect(), or a pool, and let a lost transaction be an error."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Pings that may reconnect."""
        del options
        for call in module.calls("ping"):
            if not isinstance(call.func, ast.Attribute):
                continue
            keyword = next((one for one in call.keywords if one.arg == "reconnect"), None)
            held = thing(module, call.func.value)
            raw = held is not None and held.kind is Kind.RAW and concerns(held)
            if keyword is not None:
                wanted = constant(module, keyword.value) is True
            elif call.args:
                wanted = raw and constant(module, call.args[0]) is True
            else:
                wanted = raw and held is not None and _driver(held) in _BY_DEFAULT
            if wanted:
                yield Problem(call, "this reconnects silently: an open transaction and the session's state are gone")


def _driver(one: Thing) -> str:
    while one.origin is not None:
        one = one.origin
    return root_of(one.module.name_of(one.node.func)) if isinstance(one.node, ast.Call) else ""
