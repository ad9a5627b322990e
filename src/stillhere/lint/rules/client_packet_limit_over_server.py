"""SH506."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stillhere.lint.engines import engines
from stillhere.lint.names import DRIVERS
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.values import Entry, mapping, number, of_call, text

__all__ = ["ClientPacketLimitOverServer"]

_SET = re.compile(r"(?i)\bset\s+(?:(session|local|global)\s+|@@(?:(session|local|global)\.)?)?max_allowed_packet\b")
_CONNECTS = tuple(f"{driver}.connect" for driver in DRIVERS)


class ClientPacketLimitOverServer(Rule):
    """A packet limit is set where it changes nothing.

    What it does:
        Finds a client's `max_allowed_packet` over the server's (`max-allowed-packet` in `[tool.stillhere.lint]`; 64
        MiB, MySQL's default, where that isn't set), and `SET max_allowed_packet` in an `init_command` or a
        statement.

    Why it is bad:
        The server decides. A statement over its own limit is refused with 1153 and the connection is closed,
        whatever the client allows; and the session's variable is read-only: setting it fails with 1621. PyMySQL
        uses its argument only for the packets of LOAD DATA LOCAL.

    Known limits:
        MariaDB's default is 16 MiB, so that a limit between the two is found only when it is configured.

    Example:
        ```python
        connection = pymysql.connect(host="db.example", user="app", max_allowed_packet=1024**3)
        ```

    Use instead:
        Raise it on the server, for connections that are made afterwards:

        ```sql
        SET PERSIST max_allowed_packet = 268435456
        ```

    References:
        - MySQL, `max_allowed_packet`: "The session value of this variable is read only"
        - PyMySQL, `Connection`, `max_allowed_packet`
    """

    id = "SH506"
    name = "client-packet-limit-over-server"
    remedy = "Raise max_allowed_packet on the server, or send less in one statement."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Connections, engines and statements."""
        for call in module.calls("connect", "Connect", "Connection", "create_pool", "MySQLConnectionPool"):
            if module.name_of(call.func).rpartition(".")[0] in DRIVERS:
                yield from _in(module, of_call(module, call).entries, call, options)
        for site in engines(module):
            entry = site.option("connect_args")
            if entry is not None and site.concerns:
                yield from _in(module, mapping(entry.module, entry.value).entries, site.node, options)
        for call in module.calls("execute", "exec_driver_sql", "text"):
            given = text(module, call.args[0]) if call.args else None
            if given is not None and _SET.match(given.strip()) and not _is_global(given):
                yield Problem(call, "a session's max_allowed_packet is read-only; the server answers 1621")


def _in(module: Module, given: dict[str, Entry], fallback: ast.AST, options: Options) -> Iterator[Problem]:
    entry = given.get("max_allowed_packet")
    limit = number(entry.module, entry.value) if entry is not None else None
    if entry is not None and limit is not None and limit > options.packet_limit:
        node = entry.node if entry.module is module else fallback
        yield Problem(node, f"the client's limit of {limit:,.0f} bytes is over the server's {options.packet_limit:,}")
    command = given.get("init_command")
    statement = text(command.module, command.value) if command is not None else None
    if command is not None and statement is not None and _SET.search(statement) and not _is_global(statement):
        node = command.node if command.module is module else fallback
        yield Problem(node, "a session's max_allowed_packet is read-only; the server answers 1621")


def _is_global(statement: str) -> bool:
    found = _SET.search(statement)
    return found is not None and (found[1] or found[2] or "").lower() == "global"
