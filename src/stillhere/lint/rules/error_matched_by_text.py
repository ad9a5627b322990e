"""SH407."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule

__all__ = ["ErrorMatchedByText"]

_TEXT = re.compile(
    r"(?i)gone away|lost connection to (?:mysql|server)|mysql connection not available|too many connections"
)


class ErrorMatchedByText(Rule):
    """A lost connection is recognised by words of its message.

    What it does:
        Finds comparisons with "gone away", "Lost connection to MySQL server" and their like.

    Why it is bad:
        The words depend on the library underneath: mysqlclient says "MySQL server has gone away" or "Server has
        gone away", "Lost connection to MySQL server during query" or "Lost connection to server during query",
        depending on what it was compiled with; other drivers have words of their own, and a newer server says 4031.
        The numbers are the same for all.

    Known limits:
        Only comparisons with `in`, `==` and the like, and calls of `find()`, `startswith()` and `re.search()`.

    Example:
        ```python
        except OperationalError as error:
            if "gone away" in str(error):
                reconnect()
        ```

    Use instead:
        ```python
        except OperationalError as error:
            if error.connection_invalidated:
                reconnect()
        ```

        or `stillhere.is_retryable(error)`, which knows the numbers.

    References:
        - SQLAlchemy, `DBAPIError.connection_invalidated`
        - MySQL, "Client Error Message Reference", 2006 and 2013
    """

    id = "SH407"
    name = "error-matched-by-text"
    remedy = "Decide by the number: error.orig.args[0], connection_invalidated, or stillhere.is_retryable()."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Comparisons with such words."""
        del options
        for node in module.tree.each(ast.Compare):
            if _in_test(module, node):
                continue
            for side in (node.left, *node.comparators):
                if isinstance(side, ast.Constant) and isinstance(side.value, str) and _TEXT.search(side.value):
                    yield Problem(
                        node, "the words of this message differ between drivers and servers; its number doesn't"
                    )
                    break
        for call in module.calls("find", "startswith", "search", "match"):
            given = call.args[0] if call.args else None
            words = given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""
            if _TEXT.search(words) and not _in_test(module, call):
                yield Problem(call, "the words of this message differ between drivers and servers; its number doesn't")


def _in_test(module: Module, node: ast.AST) -> bool:
    """An assertion about a message is no decision."""
    return any(isinstance(one, ast.Assert) for one in module.tree.ancestors(node))
