"""The main way in: a SQLAlchemy plugin, switched on by ``?plugin=stillhere`` in the URL."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import CreateEnginePlugin
from sqlalchemy.exc import ArgumentError, DisconnectionError

from stillhere.causes.observations import PoolSettings
from stillhere.continuity.endpoint import Endpoint
from stillhere.continuity.recovery import lay_ghosts
from stillhere.continuity.refusals import NOTE
from stillhere.continuity.states import LinkState
from stillhere.drivers import driver_of
from stillhere.errors import ConfigurationError, StillhereError
from stillhere.policy import Policy
from stillhere.survey.login import address_of

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

__all__ = ["StillherePlugin"]

_PREFIX = "stillhere."
_REPLAY = "stillhere_replay"
_DIALECTS = frozenset({"mysql", "mariadb"})


class StillherePlugin(CreateEnginePlugin):
    """Makes every connection of an engine a logical one.

    Options come from the URL (``?plugin=stillhere&stillhere.ride_through=15s``) or as
    ``create_engine(…, stillhere=Policy(…))``; those of the URL win.

    Raises:
        sqlalchemy.exc.ArgumentError: the URL is not for MySQL or MariaDB, an option is unknown or malformed,
            or the driver is not supported.
    """

    def __init__(self, url: URL, kwargs: dict[str, Any]) -> None:
        self.url = url
        base = kwargs.pop("stillhere", None)
        if base is not None and not isinstance(base, Policy):
            raise ArgumentError(f"create_engine(stillhere=…) takes a stillhere.Policy, found {type(base).__name__}")
        if url.get_backend_name() not in _DIALECTS:
            raise ArgumentError(
                f"plugin=stillhere is for mysql and mariadb URLs; this one is for {url.get_backend_name()!r}"
            )
        options = {key.removeprefix(_PREFIX): _single(key, url.query[key]) for key in _own_keys(url)}
        try:
            self._policy = Policy.from_options(options, base)
        except ConfigurationError as error:
            raise ArgumentError(str(error)) from error

    def update_url(self, url: URL) -> URL:
        """Take our options out of the URL, so that the driver doesn't see them."""
        return url.difference_update_query(_own_keys(url))

    def handle_dialect_kwargs(self, dialect_cls: type[Any], dialect_args: dict[str, Any]) -> None:
        """Refuse a driver that can't be protected, before anything connects."""
        if getattr(dialect_cls, "is_async", False):
            raise ArgumentError(
                f"stillhere has no support for the asyncio driver {dialect_cls.driver!r} yet; "
                "it supports mysqlclient and PyMySQL"
            )
        try:
            driver_of(dialect_args["dbapi"])
        except ConfigurationError as error:
            raise ArgumentError(str(error)) from error

    def engine_created(self, engine: Engine) -> None:
        """Wrap what the pool calls to connect, and listen where pool and engine meet losses."""
        endpoint = Endpoint(driver_of(engine.dialect.loaded_dbapi), self._policy, address_of(engine.url))
        pool = engine.pool
        endpoint.pool = _settings(pool)
        chain: Any = pool._invoke_creator  # noqa: SLF001 - the user's creator, or SQLAlchemy's own

        def creator(connection_record: Any) -> Any:
            # The connection must not keep its pool record alive, which keeps the connection.
            record: Any = weakref.ref(connection_record) if connection_record is not None else lambda: None
            return endpoint.connect(lambda: chain(record()))

        engine._stillhere = endpoint  # type: ignore[attr-defined]  # noqa: SLF001 - how others see that it is protected
        pool._creator = creator  # type: ignore[assignment]  # noqa: SLF001 - Engine.dispose() makes a new pool of it
        event.listen(pool, "checkout", _on_checkout)
        event.listen(pool, "reset", _on_reset)
        _watch_errors(engine.dialect)
        _watch_commits(engine.dialect)
        _watch_options(engine.dialect)


def _settings(pool: Any) -> PoolSettings:
    """What the pool was told, for whoever looks for a cause; kinds of pools differ in what they have."""
    size = getattr(pool, "size", None)
    size = size() if callable(size) else size
    return PoolSettings(
        size=size if isinstance(size, int) else None,
        overflow=getattr(pool, "_max_overflow", None),
        timeout=getattr(pool, "_timeout", None),
        recycle=getattr(pool, "_recycle", None),
        pre_ping=getattr(pool, "_pre_ping", None),
    )


def _on_checkout(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection leaves the pool: is it good? Asked of the kernel, not of the server."""
    link = dbapi_connection._stillhere  # noqa: SLF001 - ours
    fresh = link.session.in_prologue
    if link.leave_pool() and (lay_ghosts(link, dbapi_connection) or fresh):
        return
    # The pool opens another in its place and runs the user's "connect" listeners on it.
    raise DisconnectionError(
        "stillhere: the connection was lost, or came near its wait_timeout, while it was in the pool"
    )


def _on_reset(dbapi_connection: Any, _record: Any, _state: Any) -> None:
    """A connection goes back to the pool; the next checkout looks at it, and replaces it if it was lost."""
    dbapi_connection._stillhere.returning = True  # noqa: SLF001 - ours


def _watch_errors(dialect: Any) -> None:
    """A loss has been dealt with below: neither its connection nor the pool is to be thrown away for it.

    The connection goes on, refusing everything but ROLLBACK where a transaction was lost. Had SQLAlchemy
    invalidated it, the application would be told so by an error of SQLAlchemy's that knows no reason. Not by the
    ``handle_error`` event, since one listener makes SQLAlchemy look for others around each statement.
    """
    is_disconnect = dialect.is_disconnect

    def is_disconnect_unless_handled(error: Any, connection: Any, cursor: Any) -> bool:
        if isinstance(error, StillhereError) or any(note.startswith(NOTE) for note in getattr(error, "__notes__", ())):
            return False
        return bool(is_disconnect(error, connection, cursor))

    dialect.is_disconnect = is_disconnect_unless_handled


def _watch_commits(dialect: Any) -> None:
    """After a COMMIT that failed, SQLAlchemy refuses everything until ``rollback()``, but doesn't pass that one on.

    So the refusing is left to SQLAlchemy there, and the connection is told at once.
    """
    do_commit = dialect.do_commit

    def do_commit_or_roll_back(dbapi_connection: Any) -> None:
        try:
            do_commit(dbapi_connection)
        except Exception:
            link = dbapi_connection._stillhere  # noqa: SLF001 - ours
            if link is not None and link.state is LinkState.LOST:
                dbapi_connection.rollback()
            raise

    dialect.do_commit = do_commit_or_roll_back


def _watch_options(dialect: Any) -> None:
    """Have ``execution_options(stillhere_replay=False)`` reach the connection.

    By the dialect's own methods for options, not by an event of the engine: one listener on an engine makes
    SQLAlchemy look for listeners around each statement.
    """
    of_connection, of_engine = dialect.set_connection_execution_options, dialect.set_engine_execution_options

    def set_connection_execution_options(connection: Any, options: Any) -> None:
        of_connection(connection, options)
        _apply_options(connection, options)

    def set_engine_execution_options(engine: Any, options: Any) -> None:
        of_engine(engine, options)
        if _REPLAY in options:
            event.listen(engine, "engine_connect", lambda connection: _apply_options(connection, options))

    dialect.set_connection_execution_options = set_connection_execution_options
    dialect.set_engine_execution_options = set_engine_execution_options


def _apply_options(connection: Any, options: Any) -> None:
    if _REPLAY in options:
        link = connection.connection.dbapi_connection._stillhere  # noqa: SLF001 - ours
        link.replay_off = not (options[_REPLAY] and link.endpoint.policy.replay)


def _own_keys(url: URL) -> list[str]:
    return [key for key in url.query if key.startswith(_PREFIX)]


def _single(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"{key} is given {len(value)} times in the URL; once is meant")
    return value
