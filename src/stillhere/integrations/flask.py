"""Flask: a session per request that is always given back, and 503 while the database is away.

```python
database = Stillhere(app, engine=create_engine("mysql+mysqldb://…?plugin=stillhere"))

@app.get("/orders")
def orders():
    return [order.name for order in database.session.scalars(select(Order))]
```

An application that has its own sessions (Flask-SQLAlchemy, say) calls ``Stillhere(app)`` without an engine,
for the answers alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from logging import Logger
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, ServiceUnavailable

from stillhere.errors import ConfigurationError, PacketTooLarge, ServerUnavailable
from stillhere.integrations.wsgi import HealthProbes
from stillhere.observe.health import Health

__all__ = ["Stillhere"]

_EXTENSION = "stillhere"
_HELD = "_stillhere_held"


class Stillhere:
    """The Flask extension.

    It answers 503 with ``Retry-After`` where a request meets `stillhere.errors.ServerUnavailable`, and 413
    where it meets `stillhere.errors.PacketTooLarge`, bare or inside SQLAlchemy's exception, as JSON or plain
    text by the request's ``Accept``. An application that wants another page registers its own handler for
    503 or 413, as for any other error of HTTP.

    Args:
        app: the application; leave it out and call `init_app` where there is a factory.
        engine: what `session` works on; none where only the answers are wanted.
        session_options: further arguments for SQLAlchemy's ``Session``.
        health: of this process, for ``/livez``, ``/readyz`` and ``/startupz``; ``True`` for one of `engine` with the
            defaults; none by default. They are answered before the application's own handlers, log-in included.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        engine: Engine | None = None,
        session_options: Mapping[str, Any] | None = None,
        health: Health | bool = False,
    ) -> None:
        if health is True:
            if engine is None:
                raise ConfigurationError("health=True needs engine=; or pass health=Health(engine)")
            health = Health(engine)
        self._health = health or None
        self._sessions: sessionmaker[Session] | None = None
        if engine is not None:
            # A session that outlives its request would take a connection that nobody gives back.
            options = {"close_resets_only": False, **(session_options or {})}
            self._sessions = sessionmaker(engine, **options)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Attach to an application; a second time to the same one is a `ConfigurationError`."""
        if _EXTENSION in app.extensions:
            raise ConfigurationError(f"stillhere is already attached to the application {app.name!r}")
        app.extensions[_EXTENSION] = self
        _translate_errors(app)
        if self._health is not None:
            app.wsgi_app = HealthProbes(app.wsgi_app, self._health)  # type: ignore[method-assign]
        if self._sessions is not None:
            app.teardown_request(_end_of_request)
            app.teardown_appcontext(_end_of_context)

    @property
    def session(self) -> Session:
        """The session of this request, or of this application context where there is no request.

        It is closed when the request ends, in whatever way; what wasn't committed is rolled back, and nothing
        is ever committed by itself. A streamed response that reads from it needs Flask's
        ``stream_with_context``, which keeps the request open until the last byte or the client's departure.
        """
        if self._sessions is None:
            raise ConfigurationError("Stillhere has no engine; pass engine= to use its session")
        owner = request.environ if has_request_context() else None
        held: list[_Held] = g.setdefault(_HELD, [])
        for one in held:
            if one.owner is owner and one.extension is self:
                return one.session
        new = _Held(self, owner, self._sessions())
        held.append(new)
        return new.session


@dataclass(eq=False)
class _Held:
    """A session, whose it is, and the connections that it has begun to use."""

    extension: Stillhere
    owner: Mapping[str, Any] | None
    session: Session
    connections: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        event.listen(self.session, "after_begin", self._began)

    def _began(self, _session: Session, _transaction: object, connection: Connection) -> None:
        self.connections.append(connection)

    def close(self, logger: Logger) -> None:
        """Close the session; where that fails, its connections, so that the pool gets its places back."""
        try:
            self.session.close()
        except Exception:
            logger.warning("closing the request's database session failed", exc_info=True)
            for connection in self.connections:
                if not connection.closed:
                    connection.invalidate()
                    connection.close()


def _end_of_request(_error: BaseException | None) -> None:
    """Close what this request holds. One application context can see several requests, in tests above all."""
    _close([one for one in g.get(_HELD, ()) if one.owner is request.environ])


def _end_of_context(_error: BaseException | None) -> None:
    """Close what is left: used outside requests, or skipped because another teardown function raised."""
    _close(list(g.get(_HELD, ())))


def _close(ending: list[_Held]) -> None:
    for one in ending:
        g.get(_HELD).remove(one)
        one.close(current_app.logger)


def _translate_errors(app: Flask) -> None:
    """Let the application meet our errors as errors of HTTP, before its own handlers are looked up.

    A handler registered for SQLAlchemy's exceptions could not do this: it would hide the application's own
    handlers from every database error that isn't ours.
    """
    handle = app.handle_user_exception

    def handle_translated(e: Exception) -> ResponseReturnValue | HTTPException:
        translated = _translated(e)
        if translated is None:
            return handle(e)
        translated.__cause__ = e
        app.logger.warning("%d: %s", translated.code, _database_error(e))
        return handle(translated)

    app.handle_user_exception = handle_translated  # type: ignore[method-assign]


def _translated(error: Exception) -> HTTPException | None:
    found = _database_error(error)
    match found:
        case ServerUnavailable():
            return _Unavailable(found)
        case PacketTooLarge():
            return _TooLarge()
        case _:
            return None


def _database_error(error: BaseException | None) -> BaseException | None:
    """The driver's exception inside SQLAlchemy's, or the exception itself."""
    inner = getattr(error, "orig", None)
    return inner if isinstance(inner, BaseException) else error


class _Worded(HTTPException):
    """An error of HTTP in plain text or JSON. It has our words, never the driver's: those name accounts."""

    error = ""

    def facts(self) -> dict[str, Any]:
        """What the JSON says."""
        return {"error": self.error, "message": self.description}

    def get_response(self, *_args: Any, **_kwargs: Any) -> Response:
        """The response, with the headers of this kind of error."""
        if request.accept_mimetypes.best_match(["text/plain", "application/json"]) == "application/json":
            response = jsonify(self.facts())
        else:
            response = Response(f"{self.description}\n", mimetype="text/plain")
        response.status_code = self.code or 500
        return response


class _Unavailable(_Worded, ServiceUnavailable):
    error = "database_unavailable"

    def __init__(self, error: ServerUnavailable) -> None:
        seconds = max(1, math.ceil(error.retry_after))
        super().__init__(f"The database can't be reached at the moment. Try again in {seconds} s.", retry_after=seconds)
        self.seconds = seconds

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"retry_after": self.seconds}

    def get_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().get_response(*args, **kwargs)
        response.headers["Retry-After"] = str(self.seconds)
        return response


class _TooLarge(_Worded, RequestEntityTooLarge):
    error = "packet_too_large"

    def __init__(self) -> None:
        super().__init__("This request carries more than the database accepts in one statement.")
