"""SH505."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stillhere.lint.flow import SESSIONS
from stillhere.lint.project import Local, Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing
from stillhere.lint.tree import Bound

__all__ = ["UnboundedBlob"]

_LIMITED = re.compile(r"(?i)\blen\(|content_length|st_size|getsize|max_size|MAX_|\.size\b|LIMIT")


class UnboundedBlob(Rule):
    """A whole file or upload becomes one value of a statement, however large it is.

    What it does:
        Finds `read()` without a size among the parameters of `execute()`, and in objects that are added to a
        session, in functions that look at no length.

    Why it is bad:
        A statement with its values must fit into the server's `max_allowed_packet`, some bytes of overhead
        included. A larger one is refused with 1153 and the connection is closed, or 2006 in the middle of sending.

    Known limits:
        A limit that is set elsewhere (`MAX_CONTENT_LENGTH`, a proxy's body size) isn't seen, unless its name stands
        in the same function.

    Example:
        ```python
        session.execute(insert(Photo).values(image=request.files["photo"].read()))
        ```

    Use instead:
        ```python
        image = request.files["photo"].read(MAX_PHOTO + 1)
        if len(image) > MAX_PHOTO:
            abort(413)
        session.execute(insert(Photo).values(image=image))
        ```

    References:
        - MySQL, "Packet Too Large"
    """

    id = "SH505"
    name = "unbounded-blob"
    remedy = "Read with a limit below max_allowed_packet, or keep the file elsewhere and store its address."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Parameters of statements, and new objects."""
        del options
        for call in module.calls("execute", "add", "merge"):
            if not isinstance(call.func, ast.Attribute) or _limited(module, call):
                continue
            one = thing(module, call.func.value)
            if one is None or not concerns(one):
                continue
            if call.func.attr == "execute":
                # The first argument is the statement: a text that was read is a script, an expression has values.
                inside: list[ast.expr] = [*(one for one in call.args[:1] if _is_expression(one)), *call.args[1:]]
            elif one.kind in SESSIONS:
                inside = [_made(module, argument) for argument in call.args]
            else:
                continue
            if one.kind in SESSIONS | {Kind.CONNECTION, Kind.CURSOR, Kind.ASYNC_CONNECTION}:
                read = next((node for given in inside for node in _values(given) if _reads_all(module, node)), None)
                if read is not None:
                    yield Problem(read, "a whole file becomes one value, however large: see max_allowed_packet")


def _is_expression(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "values"


def _values(node: ast.expr) -> Iterator[ast.expr]:
    """What may be a value in an argument: elements, values of keys, keywords of calls inside."""
    match node:
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            for one in elements:
                yield from _values(one)
        case ast.Dict(values=values):
            for one in values:
                yield from _values(one)
        case ast.Call(keywords=keywords, func=ast.Attribute(value=receiver, attr=attr)) if attr != "read":
            yield from (keyword.value for keyword in keywords)
            yield from _values(receiver)
        case ast.Call(keywords=keywords, func=ast.Name()):
            yield from (keyword.value for keyword in keywords)
        case _:
            yield node


def _made(module: Module, node: ast.expr) -> ast.expr:
    ref = module.resolve(node) if isinstance(node, ast.Name) else None
    if isinstance(ref, Local) and ref.module is module and isinstance(ref.binding.value, ast.Call):
        return ref.binding.value
    return node


def _reads_all(module: Module, node: ast.expr) -> bool:
    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.Name):
        ref = module.resolve(node)
        if not isinstance(ref, Local) or ref.module is not module or ref.binding.how is not Bound.ASSIGNED:
            return False
        node = ref.binding.value or node
        node = node.value if isinstance(node, ast.Await) else node
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"read", "read_bytes"}
        and not node.args
        and not node.keywords
    )


def _limited(module: Module, call: ast.Call) -> bool:
    function = module.tree.function_of(call)
    if function is None:
        return True  # a script that knows its own files
    return bool(_LIMITED.search(ast.unparse(function)))
