"""How long an engine lives: one that is made, used and forgotten in one call never grows old."""

from __future__ import annotations

import ast

from stillhere.lint.engines import EngineSite
from stillhere.lint.flow import functions_using, is_script, waits
from stillhere.lint.project import Module
from stillhere.lint.tree import FunctionNode, walk_body

__all__ = ["is_short_lived"]

_LONG = 60.0
_MAKERS = frozenset(
    {"sessionmaker", "scoped_session", "async_sessionmaker", "async_scoped_session", "Session", "AsyncSession"}
)


def is_short_lived(site: EngineSite) -> bool:
    """Whether an engine is used up where it is made: kept in local names only, in code that doesn't wait.

    On the top level of a script the same holds, where no function uses it.
    """
    call, module = site.call, site.module
    if call is None:
        return False
    function = module.tree.function_of(call)
    body = function.body if function is not None else module.tree.root.body
    if function is None and not is_script(module):
        return False
    if waits(module, body, _LONG) is not None:
        return False
    statement = module.tree.statement_of(call)
    if isinstance(statement, ast.Return) or isinstance(module.tree.parents[call], ast.Yield):
        return isinstance(module.tree.parents[call], ast.Attribute)  # return create_engine(...).connect()...
    names = _names(module, statement, call)
    if names is None:
        return False
    if function is None:
        return not any(_used_in_functions(module, name) for name in names)
    return not _escapes(module, function, names)


def _names(module: Module, statement: ast.stmt, call: ast.Call) -> set[str] | None:
    """The local names that hold it; ``None`` where something else does."""
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if not all(isinstance(target, ast.Name) for target in targets):
            return None
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        return None if names & module.tree.scope_of(call).outer else names
    return set()


def _used_in_functions(module: Module, name: str) -> bool:
    return any(functions_using(module, binding, name) for binding in module.tree.top.names.get(name, ()))


def _escapes(module: Module, function: FunctionNode, names: set[str]) -> bool:
    """Whether the engine, or a factory made on it, is returned, stored or captured."""
    held = set(names)
    for node in walk_body(function.body):
        if isinstance(node, ast.Assign) and _carries(node.value, held):
            for target in node.targets:
                if not isinstance(target, ast.Name) or target.id in module.tree.scopes[function].outer:
                    return True
                held.add(target.id)
        elif isinstance(node, ast.Return | ast.Yield) and node.value is not None and _carries(node.value, held):
            return True
        elif isinstance(node, FunctionNode | ast.Lambda | ast.ClassDef):
            if any(isinstance(one, ast.Name) and one.id in held for one in ast.walk(node)):
                return True
    return False


def _carries(value: ast.expr, held: set[str]) -> bool:
    """Whether a value is the engine, holds it, or is a factory made on it."""
    match value:
        case ast.Name(id=name):
            return name in held
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
            return any(_carries(part, held) for part in parts)
        case ast.Call(func=func, args=args, keywords=keywords):
            name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            given = [*args, *(keyword.value for keyword in keywords)]
            # An object of a class may keep it.
            return (name in _MAKERS or name[:1].isupper()) and any(_carries(one, held) for one in given)
    return False
