"""SH603."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.flow import waits
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.tree import walk_body

__all__ = ["DjangoConnectionOutsideRequest"]

_LONG = 60.0
_CLOSES = frozenset({"close_old_connections", "close_all", "close_if_unusable_or_obsolete", "ensure_connection"})


class DjangoConnectionOutsideRequest(Rule):
    """A long-running Django process keeps its connection over its pauses.

    What it does:
        Finds loops that sleep for a minute or longer, or wait for a queue, and use the ORM without
        `close_old_connections()`, in management commands and other code outside of requests.

    Why it is bad:
        Django closes old connections at the beginning and the end of a request. A process without requests keeps
        its connection for ever, `CONN_MAX_AGE=0` or not. After a pause longer than `wait_timeout` the next query
        fails with 2006, and so does every one after it: the dead connection is never replaced.

    Known limits:
        Threads and consumers whose loop is in another package aren't seen.

    Example:
        ```python
        class Command(BaseCommand):
            def handle(self, *args, **options):
                while True:
                    for job in Job.objects.filter(done=False):
                        job.run()
                    time.sleep(600)
        ```

    Use instead:
        ```python
        class Command(BaseCommand):
            def handle(self, *args, **options):
                while True:
                    close_old_connections()
                    for job in Job.objects.filter(done=False):
                        job.run()
                    time.sleep(600)
        ```

    References:
        - Django, "Databases", caveats of connection management
    """

    id = "SH603"
    name = "django-connection-outside-request"
    remedy = "Call django.db.close_old_connections() before each turn's first query."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Loops with a wait and the ORM."""
        del options
        if module.project.hints.not_mysql or b"django" not in module.source.text.encode("utf-8", "replace"):
            return
        for loop in module.tree.loops:
            waiting = waits(module, loop.body, _LONG)
            if waiting is None or not _queries(loop.body) or _closes(loop.body):
                continue
            call, how = waiting
            yield Problem(call, f"the loop {how} and keeps Django's connection, which then dies and is never replaced")


def _queries(body: list[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "objects" for node in walk_body(body))


def _closes(body: list[ast.stmt]) -> bool:
    for node in walk_body(body):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in _CLOSES:
                return True
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("connection.close"):
            return True
    return False
