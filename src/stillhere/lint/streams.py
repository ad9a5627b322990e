"""Loops over rows that are still on the server: unbuffered cursors, ``yield_per`` and ``stream_results``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from stillhere.lint.flow import SESSIONS
from stillhere.lint.project import Local, Module
from stillhere.lint.things import Kind, Thing, concerns, is_stream, thing
from stillhere.lint.tree import walk_body

__all__ = ["StreamLoop", "root", "stream_loops"]

_FETCHES = frozenset({"fetchone", "fetchmany"})


@dataclass(frozen=True, eq=False)
class StreamLoop:
    """One such loop.

    Attributes:
        loop: the loop.
        source: what the rows come from, as written.
        cursor: the cursor, where it is a driver's.
        connection: the connection or session that is busy meanwhile.
    """

    loop: ast.While | ast.For | ast.AsyncFor
    source: str
    cursor: Thing | None
    connection: Thing


def stream_loops(module: Module) -> list[StreamLoop]:
    """Every such loop in a module."""
    if "stream loops" not in module.memory:
        module.memory["stream loops"] = list(_loops(module))
    found = module.memory["stream loops"]
    assert isinstance(found, list)  # noqa: S101 - for the type checker
    return found


def _loops(module: Module) -> Iterator[StreamLoop]:
    for loop in module.tree.loops:
        if isinstance(loop, ast.While):
            looked_at: list[ast.AST] = [loop.test, *loop.body]
            fetched = [
                node.func.value
                for node in walk_body(looked_at)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _FETCHES
            ]
        else:
            fetched = [loop.iter]
        for source in fetched:
            found = _stream(module, source)
            if found is not None and concerns(found[1]):
                yield StreamLoop(loop, ast.unparse(source), *found)
                break


def _stream(module: Module, source: ast.expr) -> tuple[Thing | None, Thing] | None:
    """The cursor and the connection that an expression reads rows from."""
    one = thing(module, source)
    if one is not None and one.kind is Kind.CURSOR:
        return (one, one.origin) if is_stream(one) and one.origin is not None else None
    if isinstance(source, ast.Name):
        ref = module.resolve(source)
        if isinstance(ref, Local) and ref.module is module and isinstance(ref.binding.value, ast.Call):
            return _stream(module, ref.binding.value)
        return None
    at: ast.expr = source
    streams = False
    while isinstance(at, ast.Call | ast.Attribute | ast.Await):
        if isinstance(at, ast.Await):
            at = at.value
            continue
        if isinstance(at, ast.Call):
            streams = streams or _asks_to_stream(at)
            at = at.func
            continue
        held = thing(module, at)
        if held is not None and held.kind in SESSIONS | {Kind.CONNECTION}:
            return (None, root(held)) if streams else None
        at = at.value
    held = thing(module, at)
    if held is not None and held.kind in SESSIONS | {Kind.CONNECTION} and streams:
        return None, root(held)
    return None


def root(one: Thing) -> Thing:
    """``connection.execution_options(...)`` is the connection itself."""
    while one.origin is not None and one.origin.kind is one.kind:
        one = one.origin
    return one


def _asks_to_stream(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Attribute) and call.func.attr == "yield_per":
        return True
    given = [
        *call.keywords,
        *(one for argument in call.args for one in ast.walk(argument) if isinstance(one, ast.keyword)),
    ]
    for keyword in given:
        if keyword.arg in {"stream_results", "yield_per"} and getattr(keyword.value, "value", True):
            return True
        if keyword.arg == "execution_options" and isinstance(keyword.value, ast.Dict):
            return "stream_results" in ast.unparse(keyword.value) or "yield_per" in ast.unparse(keyword.value)
    return False
