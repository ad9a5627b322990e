"""Settings of frameworks: module and class constants, ``app.config[...]``, and calls that fill a configuration."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from stillhere.lint.project import Module
from stillhere.lint.tree import FunctionNode
from stillhere.lint.values import constant, mapping, of_call

__all__ = ["Setting", "settings"]

_CONFIGS = frozenset({"config", "conf"})
_FILLERS = ("update", "from_mapping", "setdefault")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: as written, such as ``SQLALCHEMY_DATABASE_URI`` or ``result_backend``.
        value: its expression.
        module: where that stands.
        node: what a finding points at.
        group: settings of one group belong to one application, as far as the module says.
        assigned: the name or attribute that is assigned to; ``None`` for a keyword or dictionary key.
    """

    name: str
    value: ast.expr
    module: Module
    node: ast.AST
    group: object
    assigned: ast.expr | None = None


def settings(module: Module) -> list[Setting]:
    """All settings that a module makes, in the order of the source."""
    if "settings" not in module.memory:
        found = [*_constants(module), *_assigned(module), *_filled(module)]
        module.memory["settings"] = sorted(found, key=lambda one: getattr(one.node, "lineno", 0))
    known = module.memory["settings"]
    assert isinstance(known, list)  # noqa: S101 - for the type checker
    return known


def _constants(module: Module) -> Iterator[Setting]:
    """Constants of the module or of a class: what Django, ``from_object`` and Celery's configuration modules read."""
    tree = module.tree
    statements: list[ast.Assign | ast.AnnAssign] = [*tree.each(ast.Assign), *tree.each(ast.AnnAssign)]
    for node in statements:
        scope = tree.scope_of(node)
        if node.value is None or isinstance(scope.node, FunctionNode):
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                yield Setting(target.id, node.value, module, node, scope.node, target)


def _assigned(module: Module) -> Iterator[Setting]:
    """``app.config["NAME"] = value`` and ``app.conf.name = value``."""
    for node in module.tree.each(ast.Assign):
        for target in node.targets:
            value = node.value
            if isinstance(target, ast.Subscript) and _is_config(target.value):
                name = constant(module, target.slice)
                if isinstance(name, str):
                    yield Setting(name, value, module, node, _owner(target.value), target)
            elif isinstance(target, ast.Attribute) and _is_config(target.value):
                yield Setting(target.attr, value, module, node, _owner(target.value), target)


def _filled(module: Module) -> Iterator[Setting]:
    """``app.config.update(...)``, ``from_mapping``, ``setdefault``; and dictionaries given to them."""
    for call in module.calls(*_FILLERS):
        if not isinstance(call.func, ast.Attribute) or not _is_config(call.func.value):
            continue
        group = _owner(call.func.value)
        if call.func.attr == "setdefault":
            name = constant(module, call.args[0]) if len(call.args) > 1 else ...
            if isinstance(name, str):
                yield Setting(name, call.args[1], module, call, group)
            continue
        filled = of_call(module, call)
        if call.args and not isinstance(call.args[0], ast.Starred):
            filled.add(mapping(module, call.args[0]))
        for name, entry in filled.entries.items():
            node = entry.node if entry.module is module else call
            yield Setting(name, entry.value, entry.module, node, group)


def _is_config(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in _CONFIGS


def _owner(node: ast.expr) -> str:
    return ast.dump(node)
