"""SH504."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import is_loop
from stillhere.lint.names import root_of
from stillhere.lint.project import Local, Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing
from stillhere.lint.tree import Bound
from stillhere.lint.values import constant, follow, of_call, text

__all__ = ["UnboundedMultiRowInsert"]

_INSERTS = frozenset({"sqlalchemy.insert", "sqlalchemy.Table.insert", "sqlalchemy.mysql.insert"})
_CHUNKS = re.compile(r"(?i)chunk|batch|grouper|windowed|islice")
_VALUES = re.compile(r"(?is)\A\s*(?:insert|replace)\b.*\bvalues\b")


class UnboundedMultiRowInsert(Rule):
    """One INSERT with as many rows as there happen to be.

    What it does:
        Finds `insert(...).values([...])` with a list of unknown length, an INSERT whose VALUES are put together by
        `join()`, `executemany()` of mysql-connector (which makes one statement of all rows), and pandas'
        `to_sql(method="multi")` without `chunksize`.

    Why it is bad:
        The statement grows with the data until it is larger than the server's `max_allowed_packet`: 1153, and the
        connection is closed, or 2006 in the middle of sending. It works in tests, and fails on the day with the
        most data.

    Known limits:
        Whether the list can get long isn't in the source. Inserts in a loop over chunks are left alone, and so is
        `executemany()` of mysqlclient and PyMySQL, which cut it to size (64 KB and 1 MB), and SQLAlchemy's
        `execute(insert(...), rows)`.

    Example:
        ```python
        session.execute(insert(Reading).values([{"at": at, "value": value} for at, value in readings]))
        ```

    Use instead:
        ```python
        session.execute(insert(Reading), [{"at": at, "value": value} for at, value in readings])
        ```

    References:
        - MySQL, `max_allowed_packet` and "Packet Too Large"
    """

    id = "SH504"
    name = "unbounded-multi-row-insert"
    severity = Severity.INFO
    remedy = "Pass the rows to execute() beside the statement, or insert in chunks."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """All four forms."""
        del options
        text_of = "one INSERT of unknown length: past max_allowed_packet the server closes the connection"
        if not module.project.hints.not_mysql:
            for call in module.calls("values"):
                rows = call.args[0] if len(call.args) == 1 and _inserts(module, call) else None
                if rows is not None and _is_long(module, rows) and not _in_chunks(module, call):
                    yield Problem(rows, text_of)
            for call in module.calls("to_sql"):
                given = of_call(module, call)
                method = given.get("method")
                if method is not None and constant(module, method.value) == "multi" and given.lacks("chunksize"):
                    yield Problem(call, text_of)
        for call in module.calls("execute", "executemany", "exec_driver_sql"):
            one = thing(module, call.func.value) if isinstance(call.func, ast.Attribute) else None
            if one is None or not concerns(one) or not call.args or _in_chunks(module, call):
                continue
            if _joined(module, call.args[0]) or _connector(module, call, one.kind is Kind.CURSOR):
                yield Problem(call, text_of)


def _inserts(module: Module, call: ast.Call) -> bool:
    made = call.func.value if isinstance(call.func, ast.Attribute) else None
    while isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr == "prefix_with":
        made = made.func.value
    if not isinstance(made, ast.Call):
        return False
    name = module.name_of(made.func)
    return name in _INSERTS or (isinstance(made.func, ast.Attribute) and made.func.attr == "insert" and not made.args)


def _is_long(module: Module, node: ast.expr) -> bool:
    """A list whose length the source doesn't show."""
    if isinstance(node, ast.ListComp):
        return not _counted(node)
    if isinstance(node, ast.Call):
        return module.name_of(node.func) == "builtins.list" and bool(node.args)
    if isinstance(node, ast.Name):
        ref = module.resolve(node)
        if not isinstance(ref, Local) or ref.module is not module:
            return False
        if ref.binding.how is Bound.ASSIGNED and isinstance(ref.binding.value, ast.ListComp):
            return not _counted(ref.binding.value)
        if ref.binding.how is Bound.ASSIGNED and isinstance(ref.binding.value, ast.List) and not ref.binding.value.elts:
            return _appended(module, node.id)
    return False


def _counted(node: ast.ListComp) -> bool:
    """Over a written-out sequence, or a range of a constant."""
    source = node.generators[0].iter
    if isinstance(source, ast.List | ast.Tuple):
        return True
    return isinstance(source, ast.Call) and all(isinstance(one, ast.Constant) for one in source.args)


def _appended(module: Module, name: str) -> bool:
    """Whether rows are added to the list in a loop that doesn't empty it as well."""
    return any(
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == name
        and any(is_loop(one) for one in module.tree.ancestors(call))
        for call in module.calls("append", "extend")
    )


def _in_chunks(module: Module, call: ast.Call) -> bool:
    for one in module.tree.ancestors(call):
        if isinstance(one, ast.For) and _in_steps(module, one.iter):
            return True
        if isinstance(one, ast.For | ast.AsyncFor) and _CHUNKS.search(
            f"{ast.unparse(one.target)} {ast.unparse(one.iter)}"
        ):
            return True
        if isinstance(one, ast.While):
            return True
        if isinstance(one, ast.If) and "len(" in ast.unparse(one.test):
            return True
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            return bool(_CHUNKS.search(one.name)) or any(_CHUNKS.search(arg.arg) for arg in one.args.args)
    return False


def _in_steps(module: Module, node: ast.expr) -> bool:
    """``range(start, stop, step)``."""
    return isinstance(node, ast.Call) and len(node.args) == 3 and module.name_of(node.func) == "builtins.range"  # noqa: PLR2004


def _joined(module: Module, node: ast.expr) -> bool:
    """Whether a text's VALUES are rows put together by ``join``."""
    known = text(module, node)
    if known is None or not _VALUES.match(known):
        return False
    node, module = follow(module, node)
    return any(
        isinstance(one, ast.Call)
        and isinstance(one.func, ast.Attribute)
        and one.func.attr == "join"
        and bool(one.args)
        and isinstance(one.args[0], ast.ListComp | ast.GeneratorExp)
        and _is_row(module, one.args[0].elt)
        for one in ast.walk(node)
    )


def _is_row(module: Module, node: ast.expr) -> bool:
    """A text in brackets: the names of columns, and the placeholders of one row, have none."""
    known = text(module, node)
    return known is not None and known.lstrip().startswith("(")


def _connector(module: Module, call: ast.Call, is_cursor: bool) -> bool:
    if not is_cursor or not isinstance(call.func, ast.Attribute) or call.func.attr != "executemany":
        return False
    first = thing(module, call.func.value)
    while first is not None and first.origin is not None:
        first = first.origin
    made = first.node if first is not None else None
    if first is None or not isinstance(made, ast.Call) or root_of(first.module.name_of(made.func)) != "mysql.connector":
        return False
    known = text(module, call.args[0])
    return known is not None and bool(_VALUES.match(known)) and any(_is_long(module, one) for one in call.args[1:2])
