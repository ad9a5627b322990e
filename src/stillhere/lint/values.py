"""What an expression is worth as far as the source says it: numbers, texts with gaps, dictionaries of keywords.

A value is followed through names, attributes of settings classes and imports. What can't be known is ``None``, a gap in
a text, or a dictionary that says of itself that it isn't complete: never a guess.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from stillhere.lint.project import DEPTH, External, Local, Module
from stillhere.lint.tree import Bound

__all__ = ["GAP", "Entry", "Mapping", "constant", "follow", "mapping", "number", "of_call", "text"]

GAP = "\0"
"""Stands in a text for a part that isn't known."""

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: lambda left, right: float(int(left) << int(right)) if right < 64 else left,  # noqa: PLR2004
}
_ENVIRONMENT = frozenset({"os.getenv", "os.environ.get", "environ.get"})
_READERS = frozenset({"config", "env", "getenv", "get", "str", "int", "float", "db", "bool"})
_MAX_POWER = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A value in a dictionary, the module where it stands, and the node that names it."""

    value: ast.expr
    module: Module
    node: ast.AST


@dataclass(slots=True)
class Mapping:
    """A dictionary with text keys, as far as it is known.

    Attributes:
        entries: what is certain to be in it.
        complete: whether nothing else can be in it.
        literal: the one dictionary display that it is written as, where it is one.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    complete: bool = True
    literal: ast.Dict | None = None

    def get(self, name: str) -> Entry | None:
        """The entry of that name."""
        return self.entries.get(name)

    def lacks(self, name: str) -> bool:
        """Whether it is certain that there is no such entry."""
        return self.complete and name not in self.entries

    def add(self, other: Mapping) -> None:
        """Take over another's entries, as ``update`` does."""
        self.entries.update(other.entries)
        self.complete = self.complete and other.complete


def follow(module: Module, node: ast.expr, depth: int = DEPTH) -> tuple[ast.expr, Module]:
    """The expression that a name or an attribute was given, and the module where it stands; itself where it is none."""
    while depth > 0 and isinstance(node, ast.Name | ast.Attribute):
        ref = module.resolve(node)
        if not isinstance(ref, Local) or ref.binding.value is None or ref.binding.how is not Bound.ASSIGNED:
            break
        node, module = ref.binding.value, ref.module
        depth -= 1
    return node, module


def constant(module: Module, node: ast.expr) -> object:
    """The value of a constant, through names; ``...`` where it is none."""
    value, _ = follow(module, node)
    if isinstance(value, ast.Constant):
        return value.value
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub) and isinstance(value.operand, ast.Constant):
        operand = value.operand.value
        return -operand if isinstance(operand, int | float) else ...
    return ...


def number(module: Module, node: ast.expr | None, depth: int = DEPTH) -> float | None:  # noqa: PLR0911 - a case each
    """A number, through names, arithmetic and ``int(os.environ.get(name, default))``, which counts as its default."""
    if node is None or depth <= 0:
        return None
    node, module = follow(module, node)
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Constant(value=str() as value):
            return float(value) if value.strip().lstrip("-").isdecimal() else None
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = number(module, operand, depth - 1)
            return None if inner is None else -inner
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(module, left, op, right, depth)
        case ast.Call():
            default = _default(module, node)
            return number(module, default, depth - 1) if default is not None else None
    return None


def _arithmetic(module: Module, left: ast.expr, op: ast.operator, right: ast.expr, depth: int) -> float | None:
    act = _ARITHMETIC.get(type(op))
    first, second = number(module, left, depth - 1), number(module, right, depth - 1)
    if isinstance(op, ast.Pow) and first is not None and second is not None and 0 <= second <= _MAX_POWER:
        return float(first**second) if abs(first) <= 1024 else None  # noqa: PLR2004 - sizes are powers of small bases
    if act is None or first is None or second is None:
        return None
    try:
        return act(first, second)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None


def text(module: Module, node: ast.expr | None, depth: int = DEPTH) -> str | None:  # noqa: C901, PLR0911 - a case each
    """A text, with `GAP` for each part that isn't known; ``None`` where nothing of it is.

    ``os.environ.get(name, default)`` counts as its default.
    """
    if node is None or depth <= 0:
        return None
    node, module = follow(module, node)
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.JoinedStr(values=values):
            return _joined(module, values, depth)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [text(module, one, depth - 1) for one in (left, right)]
            return None if parts == [None, None] else "".join(GAP if part is None else part for part in parts)
        case ast.BinOp(left=left, op=ast.Mod()):
            return _gapped(text(module, left, depth - 1), "%")
        case ast.Call(func=ast.Attribute(attr="format", value=inner)):
            return _gapped(text(module, inner, depth - 1), "{")
        case ast.Call(func=ast.Attribute(attr="replace" | "strip" | "rstrip" | "lstrip" | "lower", value=inner)):
            return text(module, inner, depth - 1)
        case ast.Call():
            default = _default(module, node)
            return text(module, default, depth - 1) if default is not None else _returned(module, node, depth)
        case ast.BoolOp(op=ast.Or(), values=values):
            known = [text(module, one, depth - 1) for one in values]
            return next((one for one in known if one is not None), None)
        case ast.Subscript():
            return text(module, _subscript(module, node), depth - 1)
    return None


def _returned(module: Module, call: ast.Call, depth: int) -> str | None:
    """What a function of the project returns, where it has one return."""
    ref = module.resolve(call.func)
    if not isinstance(ref, Local) or not isinstance(ref.binding.node, ast.FunctionDef):
        return None
    returned = ref.module.returns(ref.binding.node)
    return text(ref.module, returned[0].value, depth - 1) if len(returned) == 1 else None


def _subscript(module: Module, node: ast.Subscript) -> ast.expr | None:
    """``CONFIG["url"]`` of a dictionary that is written out."""
    key = constant(module, node.slice)
    held, home = follow(module, node.value)
    if isinstance(key, str) and isinstance(held, ast.Dict):
        entry = mapping(home, held).get(key)
        return entry.value if entry is not None and entry.module is module else None
    return None


def _joined(module: Module, values: list[ast.expr], depth: int) -> str:
    parts = []
    for one in values:
        if isinstance(one, ast.FormattedValue):
            inner = text(module, one.value, depth - 1)
            parts.append(GAP if inner is None else inner)
        else:
            parts.append(text(module, one, depth - 1) or GAP)
    return "".join(parts)


def _gapped(template: str | None, mark: str) -> str | None:
    return None if template is None else template.replace(mark, GAP)


def _default(module: Module, call: ast.Call) -> ast.expr | None:
    """What a reader of the environment falls back on: ``os.environ.get``, decouple's ``config``, ``int()`` of one."""
    name = module.name_of(call.func)
    simple = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for keyword in call.keywords:
        if keyword.arg == "default":
            return keyword.value
    if name in {"builtins.int", "builtins.float", "builtins.str"} and len(call.args) == 1:
        return call.args[0]
    if name in _ENVIRONMENT or (simple in _READERS and not name.startswith("builtins.")):
        return call.args[1] if len(call.args) > 1 else None
    return None


def mapping(module: Module, node: ast.expr | None, depth: int = DEPTH) -> Mapping:  # noqa: PLR0911 - a case each
    """A dictionary: displays, ``dict(...)``, ``|``, ``{**a}``, copies, names and what is done to them afterwards."""
    unknown = Mapping(complete=False)
    if node is None or depth <= 0:
        return unknown
    match node:
        case ast.Name():
            return _named(module, node, depth)
        case ast.Attribute():
            value, home = follow(module, node)
            return mapping(home, value, depth - 1) if value is not node else unknown
        case ast.Dict():
            return _display(module, node, depth)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            found = mapping(module, left, depth - 1)
            found.add(mapping(module, right, depth - 1))
            found.literal = None
            return found
        case ast.IfExp(body=body, orelse=orelse):
            return _either(mapping(module, body, depth - 1), mapping(module, orelse, depth - 1))
        case ast.Call():
            return _made(module, node, depth)
    return unknown


def _named(module: Module, node: ast.Name, depth: int) -> Mapping:
    ref = module.resolve(node)
    if not isinstance(ref, Local) or ref.binding.value is None or ref.binding.how is not Bound.ASSIGNED:
        return Mapping(complete=False)
    home, binding = ref.module, ref.binding
    found = mapping(home, binding.value, depth - 1)
    if isinstance(binding.node, ast.Assign | ast.AnnAssign):
        name = next((one for one, bound in binding.scope.names.items() if binding in bound), "")
        _mutate(home, binding.scope.node, name, found, depth)
    return found


def _mutate(module: Module, inside: ast.AST, name: str, found: Mapping, depth: int) -> None:
    """What is done to a named dictionary elsewhere in its scope; a key set under a condition counts as there."""
    for change, node in _changes(module, inside, name):
        conditional = any(isinstance(one, ast.If | ast.Try) for one in _between(module, node, inside))
        if isinstance(change, ast.expr):
            more = mapping(module, change, depth - 1)
        else:
            key, value = change
            if key is None:
                found.complete = False
                continue
            more = Mapping({key: Entry(value, module, node)})
        if conditional and set(more.entries) & set(found.entries):
            found.complete = False  # which of the two values holds isn't known
            more.entries = {key: entry for key, entry in more.entries.items() if key not in found.entries}
        found.add(more)


def _between(module: Module, node: ast.AST, outer: ast.AST) -> Iterator[ast.AST]:
    for one in module.tree.ancestors(node):
        if one is outer:
            return
        yield one


_Change = tuple[ast.expr | tuple[str | None, ast.expr], ast.AST]


def _changes(module: Module, inside: ast.AST, name: str) -> Iterator[_Change]:
    """What changes a dictionary of this name, in the scope that binds it."""
    here = module.tree.scope_of
    for call in module.calls("update", "setdefault"):
        if isinstance(call.func, ast.Attribute) and _is(call.func.value, name) and here(call).node is inside:
            yield from _called(module, call, call.func.attr)
    for node in module.tree.each(ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and _is(target.value, name) and here(node).node is inside:
                yield (_key(module, target.slice), node.value), node
    for joined in module.tree.each(ast.AugAssign):
        if _is(joined.target, name) and isinstance(joined.op, ast.BitOr) and here(joined).node is inside:
            yield joined.value, joined


def _called(module: Module, call: ast.Call, method: str) -> Iterator[_Change]:
    if method == "setdefault":
        if len(call.args) > 1:
            yield (_key(module, call.args[0]), call.args[1]), call
        return
    if call.args:
        yield call.args[0], call
    for keyword in call.keywords:
        yield (keyword.arg, keyword.value) if keyword.arg else keyword.value, call


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _key(module: Module, node: ast.expr) -> str | None:
    key = constant(module, node)
    return key if isinstance(key, str) else None


def _display(module: Module, node: ast.Dict, depth: int) -> Mapping:
    found = Mapping(literal=node)
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            found.add(mapping(module, value, depth - 1))
            continue
        name = _key(module, key)
        if name is None:
            found.complete = False
        else:
            found.entries[name] = Entry(value, module, key)
    return found


def _made(module: Module, call: ast.Call, depth: int) -> Mapping:
    ref = module.resolve(call.func)
    name = ref.name if isinstance(ref, External) else ""
    if name == "builtins.dict":
        return of_call(module, call, depth)
    if isinstance(call.func, ast.Attribute) and call.func.attr == "copy" and not call.args:
        return mapping(module, call.func.value, depth - 1)
    if name in {"copy.copy", "copy.deepcopy"} and call.args:
        return mapping(module, call.args[0], depth - 1)
    if isinstance(ref, Local) and isinstance(ref.binding.node, ast.FunctionDef):
        returned = [one for one in ast.walk(ref.binding.node) if isinstance(one, ast.Return)]
        if len(returned) == 1 and returned[0].value is not None:
            return mapping(ref.module, returned[0].value, depth - 1)
    return Mapping(complete=False)


def of_call(module: Module, call: ast.Call, depth: int = DEPTH) -> Mapping:
    """A call's keywords, those that are unpacked from dictionaries included."""
    found = Mapping()
    for argument in call.args:
        if not isinstance(argument, ast.Starred) and module.name_of(call.func) == "builtins.dict":
            found.add(mapping(module, argument, depth - 1))
    for keyword in call.keywords:
        if keyword.arg is None:
            found.add(mapping(module, keyword.value, depth - 1))
        else:
            found.entries[keyword.arg] = Entry(keyword.value, module, keyword)
    return found


def _either(one: Mapping, other: Mapping) -> Mapping:
    common = {key: entry for key, entry in one.entries.items() if key in other.entries}
    same = one.complete and other.complete and set(one.entries) == set(other.entries)
    return Mapping(common, complete=same)
