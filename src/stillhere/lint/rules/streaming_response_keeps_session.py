"""SH207."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillhere.lint.flow import SESSIONS
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing
from stillhere.lint.tree import Bound, FunctionNode

__all__ = ["StreamingResponseKeepsSession"]

_STREAMS = frozenset(
    {"fastapi.StreamingResponse", "sse_starlette.EventSourceResponse", "sse_starlette.sse.EventSourceResponse"}
)


class StreamingResponseKeepsSession(Rule):
    """A streaming response reads from a session that belongs to a dependency.

    What it does:
        Finds `StreamingResponse(rows(session))` where the session came by `Depends()`, and Flask responses whose
        generator uses `db.session` without `stream_with_context()`.

    Why it is bad:
        FastAPI 0.118 and later keeps the dependency open until the client has read the last byte: a slow client
        keeps a connection and a transaction for minutes. Versions from 0.106 on close the session before the first
        byte: the generator then takes a connection that nobody gives back. In Flask the session is removed when the
        view returns, with the same result.

    Known limits:
        The generator must be called, or named, where the response is made.

    Example:
        ```python
        @app.get("/export")
        def export(session: Session = Depends(get_session)):
            return StreamingResponse(lines(session))
        ```

    Use instead:
        ```python
        def lines():
            with Session() as session:
                for row in session.execute(select(Order).execution_options(yield_per=500)):
                    yield row.as_line()


        @app.get("/export")
        def export():
            return StreamingResponse(lines())
        ```

    References:
        - FastAPI, "Advanced Dependencies", dependencies with yield and StreamingResponse
        - Flask, `stream_with_context`
    """

    id = "SH207"
    name = "streaming-response-keeps-session"
    remedy = "Make the session inside the generator, so that it ends with it."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Responses whose first argument reaches such a session."""
        del options
        for call in module.calls("StreamingResponse", "EventSourceResponse"):
            function = module.tree.function_of(call)
            if module.name_of(call.func) in _STREAMS and call.args and function is not None:
                name = _session_of_dependency(module, function, call.args[0])
                if name:
                    yield Problem(call, f"the response is streamed from {name}, which belongs to a dependency")
        for call in module.calls("Response"):
            function = module.tree.function_of(call)
            if module.name_of(call.func).startswith("flask.") and call.args and function is not None:
                generator = _generator(module, call.args[0])
                if generator is not None and _uses_registry(module, generator):
                    yield Problem(call, f"{generator.name}() uses the session after the view has ended")


def _session_of_dependency(module: Module, function: FunctionNode, given: ast.expr) -> str:
    scope = module.tree.scopes[function]
    names = {
        name
        for name, bound in scope.names.items()
        if bound[0].how is Bound.PARAMETER and _is_dependency(module, bound[0].node, bound[0].value)
    }
    generator = _generator(module, given)
    nested = generator is not None and module.tree.function_of(generator) is function
    looked_at: list[ast.AST] = [given, *([generator] if nested and generator is not None else [])]
    for node in (one for root in looked_at for one in ast.walk(root)):
        if isinstance(node, ast.Name) and node.id in names:
            one = thing(module, node)
            if one is not None and one.kind in SESSIONS | {Kind.CONNECTION, Kind.ASYNC_CONNECTION} and concerns(one):
                return node.id
    return ""


def _is_dependency(module: Module, parameter: ast.AST, default: ast.expr | None) -> bool:
    if isinstance(default, ast.Call) and module.name_of(default.func) == "fastapi.Depends":
        return True
    annotation = getattr(parameter, "annotation", None)
    if isinstance(annotation, ast.Name):
        ref = module.resolve(annotation)
        annotation = getattr(getattr(ref, "binding", None), "value", None) or annotation
    return annotation is not None and "Depends(" in ast.unparse(annotation)


def _generator(module: Module, given: ast.expr) -> FunctionNode | None:
    called = given.func if isinstance(given, ast.Call) else given
    ref = module.resolve(called)
    node = getattr(getattr(ref, "binding", None), "node", None)
    if not isinstance(node, FunctionNode):
        return None
    return node if any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node)) else None


def _uses_registry(module: Module, generator: FunctionNode) -> bool:
    if generator not in module.tree.scopes:
        return False
    for node in ast.walk(generator):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            one = thing(module, node.func.value)
            if one is not None and one.kind is Kind.REGISTRY and concerns(one):
                return True
    return False
