"""How long an engine lives: one that is made, used and forgotten in one call never grows old."""

from __future__ import annotations

import ast

from stillhere.lint.engines import EngineSite
from stillhere.lint.flow import endless, functions_using, is_script, is_view, waits
from stillhere.lint.project import Module
from stillhere.lint.tree import FunctionNode, walk_body

__all__ = ["is_short_lived"]

_LONG = 60.0
_MAKERS = frozenset(
    {"sessionmaker", "scoped_session", "async_sessionmaker", "async_scoped_session", "Session", "AsyncSession"}
)


def is_short_lived(site: EngineSite) -> bool:  # noqa: PLR0911 - one reason each
    """Whether an engine is used up where it is made: kept in local names only, in code that doesn't wait.

    An engine of a test lives no longer than the test. On the top level of a script that serves nobody and that nobody
    imports, it lives no longer than the script.
    """
    call, module = site.call, site.module
    if call is None:
        return False
    if module.in_tests:
        return True
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
        return not any(_serves(module, name) for name in names) and not _is_imported(module)
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


def _serves(module: Module, name: str) -> bool:
    """Whether a view, a task, a coroutine or a function with an endless loop uses a name of the top level."""
    if any(is_view(module, one) for one in module.tree.functions):
        return True
    users = [one for binding in module.tree.top.names.get(name, ()) for one in functions_using(module, binding, name)]
    return any(isinstance(one, ast.AsyncFunctionDef) or any(map(endless, ast.walk(one))) for one in users)


def _is_imported(module: Module) -> bool:
    """Whether a file of the project imports this one."""
    return module.file is not None and module.project.imports(module.file.stem, module.file)


def _escapes(module: Module, function: FunctionNode, names: set[str]) -> bool:
    """Whether the engine, or a factory made on it, is returned, stored or captured."""
    held = set(names)
    for node in walk_body(function.body):
        if isinstance(node, ast.Assign) and _carries(node.value, held):
            for target in node.targets:
                if not isinstance(target, ast.Name) or target.id in module.tree.scopes[function].outer:
                    return True
                held.add(target.id)
        elif (isinstance(node, ast.Return | ast.Yield) and node.value is not None and _carries(node.value, held)) or (
            isinstance(node, FunctionNode | ast.Lambda | ast.ClassDef)
            and any(isinstance(one, ast.Name) and one.id in held for one in ast.walk(node))
        ):
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
