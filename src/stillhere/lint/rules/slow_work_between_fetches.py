"""SH502."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.flow import slow_call
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.streams import stream_loops
from stillhere.lint.tree import walk_body

__all__ = ["SlowWorkBetweenFetches"]


class SlowWorkBetweenFetches(Rule):
    """The server waits for a client that does something slow between two rows.

    What it does:
        Finds HTTP requests, mails, subprocesses and sleeps of a second or more in loops over an unbuffered cursor
        (`SSCursor`), a query with `yield_per()` or a result with `stream_results`.

    Why it is bad:
        The rows wait on the server, whose buffers fill up. After `net_write_timeout` (60 s by default) without
        progress it closes the connection, and the next fetch fails with 2013 "Lost connection to MySQL server
        during query".

    Known limits:
        Whether your pauses reach the timeout depends on sizes and speeds that the source doesn't show.

    Example:
        ```python
        cursor = connection.cursor(SSCursor)
        cursor.execute("SELECT id, address FROM customers")
        for number, address in cursor:
            requests.post(CRM, json={"id": number, "address": address}, timeout=30)
        ```

    Use instead:
        Read a page, close the result, do the slow work, then read the next page by its key:

        ```python
        cursor.execute("SELECT id, address FROM customers WHERE id > %s ORDER BY id LIMIT 500", (last,))
        for number, address in cursor.fetchall():
            requests.post(CRM, json={"id": number, "address": address}, timeout=30)
        ```

    References:
        - MySQL, `net_write_timeout`
    """

    id = "SH502"
    name = "slow-work-between-fetches"
    remedy = "Read a page at a time, and do the slow work between the pages."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Slow calls in such loops."""
        del options
        for stream in stream_loops(module):
            for node in walk_body(stream.loop.body):
                what = slow_call(module, node) if isinstance(node, ast.Call) else ""
                if what:
                    yield Problem(node, f"{what} is waited for while rows of {stream.source} are still unread")
                    break
