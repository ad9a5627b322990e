"""Django's DATABASES: the entries that are MySQL's, and how long their connections are kept."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from stillhere.lint.project import Module
from stillhere.lint.settings import settings
from stillhere.lint.values import Mapping, constant, mapping, number, text

__all__ = ["DjangoDatabase", "databases"]


@dataclass(frozen=True, eq=False)
class DjangoDatabase:
    """One entry.

    Attributes:
        node: where CONN_MAX_AGE stands, else the entry itself.
        literal: the dictionary display in this module, where it is one.
        given: its settings.
        persists: whether connections outlive their request.
        age: for how many seconds; ``None`` for ever, or where it can't be read.
        forever: whether it says ``None``.
        checked: whether connections are checked before use, or may be.
    """

    node: ast.AST
    literal: ast.Dict | None
    given: Mapping
    persists: bool
    age: float | None
    forever: bool
    checked: bool


def databases(module: Module) -> Iterator[DjangoDatabase]:
    """The MySQL databases of a settings module."""
    for one in settings(module):
        if one.name != "DATABASES" or one.module is not module:
            continue
        for entry in mapping(module, one.value).entries.values():
            given = mapping(entry.module, entry.value)
            engine = given.get("ENGINE")
            backend = text(engine.module, engine.value) if engine is not None else None
            if backend is not None and ("mysql" in backend or "mariadb" in backend):
                yield _database(module, entry.value, given)


def _database(module: Module, value: ast.expr, given: Mapping) -> DjangoDatabase:
    age, checks = given.get("CONN_MAX_AGE"), given.get("CONN_HEALTH_CHECKS")
    seconds = number(age.module, age.value) if age is not None else 0.0
    forever = age is not None and constant(age.module, age.value) is None
    checked = not given.complete or (checks is not None and constant(checks.module, checks.value) is not False)
    literal = given.literal if isinstance(value, ast.Dict) and given.literal is value else None
    node: ast.AST = age.node if age is not None and age.module is module else value
    persists = forever or (seconds is not None and seconds > 0)
    return DjangoDatabase(node, literal, given, persists, seconds, forever, checked)
