"""SH503."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stillhere.lint.engines import Database
from stillhere.lint.names import root_of
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, Thing, concerns, engine_of, thing
from stillhere.lint.values import constant, of_call, text

__all__ = ["MultiStatementResultsUnread"]

_QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`|--[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
_READS = frozenset({"nextset", "next_result", "fetchsets"})


class MultiStatementResultsUnread(Rule):
    """Several statements in one text, of whose results only the first is read.

    What it does:
        Finds `execute()` with two or more statements in a text, on drivers that accept that (mysqlclient by
        default, PyMySQL with `MULTI_STATEMENTS`, mysql-connector with `multi=True`), in functions without
        `nextset()`.

    Why it is bad:
        Each statement has a result. With mysqlclient, those that are left unread make the next COMMIT or ping fail:
        "Commands out of sync" (2014). An error of the second statement isn't raised by `execute()`: PyMySQL raises
        it out of a later call, and mysqlclient never does.

    Known limits:
        Only texts that are written out.

    Example:
        ```python
        connection = MySQLdb.connect(host="db.example", user="app", database="shop")
        cursor = connection.cursor()
        cursor.execute("SET @total = 0; UPDATE orders SET total = 0")
        ```

    Use instead:
        ```python
        cursor.execute("SET @total = 0")
        cursor.execute("UPDATE orders SET total = 0")
        ```

    References:
        - MySQL, "Multiple Statement Execution Support"
        - PEP 249, `nextset`
    """

    id = "SH503"
    name = "multi-statement-results-unread"
    remedy = "Send one statement at a time, or read every result with nextset()."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Statements on cursors and connections that accept several."""
        del options
        for call in module.calls("execute", "query", "exec_driver_sql"):
            if not isinstance(call.func, ast.Attribute) or not call.args or _reads_all(module, call):
                continue
            one = thing(module, call.func.value)
            if one is None or not concerns(one) or not _accepts(module, call, one):
                continue
            given = call.args[0]
            if isinstance(given, ast.Call) and module.name_of(given.func) == "sqlalchemy.text" and given.args:
                given = given.args[0]
            statement = text(module, given)
            if statement is not None and _count(statement) > 1:
                yield Problem(call, f"{_count(statement)} statements in one text, and only the first result is read")


def _count(statement: str) -> int:
    if re.match(r"(?is)\s*create\s+(?:\w+\s+)*?(?:procedure|function|trigger|event)\b", statement):
        return 1
    return sum(bool(part.strip()) for part in _QUOTED.sub("", statement).split(";"))


def _reads_all(module: Module, call: ast.Call) -> bool:
    function = module.tree.function_of(call)
    inside = function if function is not None else module.tree.root
    return any(isinstance(node, ast.Attribute) and node.attr in _READS for node in ast.walk(inside))


def _accepts(module: Module, call: ast.Call, one: Thing) -> bool:
    if one.kind not in {Kind.CURSOR, Kind.RAW, Kind.CONNECTION, Kind.SESSION, Kind.REGISTRY}:
        return False
    site = engine_of(one)
    if site is not None:
        return site.url.database is Database.MYSQL and site.url.driver in {"mysqldb", ""}
    first = one
    while first.origin is not None:
        first = first.origin
    made = first.node
    if not isinstance(made, ast.Call):
        return False
    driver = root_of(first.module.name_of(made.func))
    if driver == "MySQLdb":
        given = of_call(first.module, made).get("multi_statements")
        return given is None or constant(given.module, given.value) is not False
    if driver == "mysql.connector":
        return _multi(module, call) and isinstance(module.tree.parents[call], ast.Expr)
    flags = of_call(first.module, made).get("client_flag")
    return (
        driver in {"pymysql", "aiomysql", "asyncmy"}
        and flags is not None
        and "MULTI_STATEMENTS" in ast.unparse(flags.value)
    )


def _multi(module: Module, call: ast.Call) -> bool:
    return any(keyword.arg == "multi" and constant(module, keyword.value) is True for keyword in call.keywords)
