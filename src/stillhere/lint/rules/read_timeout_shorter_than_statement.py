"""SH507."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from stillhere.lint.engines import engines
from stillhere.lint.names import DRIVERS
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.values import GAP, Entry, mapping, number, of_call, text

__all__ = ["ReadTimeoutShorterThanStatement"]

_LIMITS = (
    (re.compile(r"(?i)\bmax_execution_time\s*(?:=|:=)\s*(\d+)"), 0.001),
    (re.compile(r"(?i)\bmax_statement_time\s*(?:=|:=)\s*(\d+)"), 1.0),
    (re.compile(r"(?i)\b(?:innodb_)?lock_wait_timeout\s*(?:=|:=)\s*(\d+)"), 1.0),
)
_WAITS = (
    (re.compile(r"(?i)\bsleep\s*\(\s*(\d+)"), 1.0),
    (re.compile(r"(?i)\bget_lock\s*\([^,()]*,\s*(\d+)"), 1.0),
    (re.compile(r"(?i)\bmax_execution_time\s*\(\s*(\d+)"), 0.001),
)


class ReadTimeoutShorterThanStatement(Rule):
    """The client gives up before the server may.

    What it does:
        Compares a `read_timeout` with the server-side limits that the same connection sets (`max_execution_time`,
        `max_statement_time`, `innodb_lock_wait_timeout` in its `init_command`), and with `SLEEP()`, `GET_LOCK()`
        and `MAX_EXECUTION_TIME()` in statements of the same module.

    Why it is bad:
        The client closes the socket and reports 2013 "Lost connection to MySQL server during query (timed out)", as
        if the server were at fault. The server goes on working, holds its locks, and notices only when it wants to
        answer. A write may have been committed.

    Known limits:
        How long other statements take isn't in the source. Statements are compared only where the module has one
        `read_timeout`.

    Example:
        ```python
        connection = pymysql.connect(
            host="db.example",
            user="app",
            read_timeout=5,
            init_command="SET SESSION max_execution_time=30000",
        )
        ```

    Use instead:
        ```python
        connection = pymysql.connect(
            host="db.example",
            user="app",
            read_timeout=35,
            init_command="SET SESSION max_execution_time=30000",
        )
        ```

    References:
        - MySQL, `max_execution_time`; MariaDB, `max_statement_time`
        - PyMySQL, `Connection`, `read_timeout`
    """

    id = "SH507"
    name = "read-timeout-shorter-than-statement"
    remedy = "Make read_timeout longer than the server's own limit, so that the server is the one to stop."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Each connection's own settings, then the module's statements."""
        del options
        timeouts: list[float] = []
        for node, given in _connections(module):
            entry = given.get("read_timeout")
            seconds = number(entry.module, entry.value) if entry is not None else None
            if entry is None or seconds is None:
                continue
            timeouts.append(seconds)
            command = given.get("init_command")
            longest = _longest(text(command.module, command.value) if command is not None else None, _LIMITS)
            if longest >= seconds:
                where = entry.node if entry.module is module and hasattr(entry.node, "lineno") else node
                text_of = f"read_timeout={seconds:g} ends before the server's own limit of {longest:g} s"
                yield Problem(where, text_of)
        if len(timeouts) != 1:
            return
        for call in module.calls("execute", "exec_driver_sql", "text", "scalar", "scalars", "query"):
            longest = _longest(text(module, call.args[0]) if call.args else None, _WAITS)
            if longest >= timeouts[0]:
                yield Problem(call, f"this may take {longest:g} s, but read_timeout is {timeouts[0]:g} s")


def _connections(module: Module) -> Iterator[tuple[ast.AST, dict[str, Entry]]]:
    for call in module.calls("connect", "Connect", "Connection", "create_pool"):
        if module.name_of(call.func).rpartition(".")[0] in DRIVERS:
            yield call, of_call(module, call).entries
    for site in engines(module):
        if not site.concerns:
            continue
        entry = site.option("connect_args")
        given = dict(mapping(entry.module, entry.value).entries) if entry is not None else {}
        made = site.call
        url = text(module, made.args[0]) if made is not None and made.args else None
        for name, value in parse_qsl(url.partition("?")[2]) if url is not None else ():
            if name in {"read_timeout", "init_command"} and GAP not in value:
                given.setdefault(name, Entry(ast.Constant(value), module, site.node))
        yield site.node, given


def _longest(statement: str | None, patterns: tuple[tuple[re.Pattern[str], float], ...]) -> float:
    if statement is None:
        return 0.0
    return max((int(found) * unit for pattern, unit in patterns for found in pattern.findall(statement)), default=0.0)
