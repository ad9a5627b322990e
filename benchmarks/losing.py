"""Calls that meet a loss, and how to have nothing of it explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine


def continued(on: Engine) -> Callable[[], object]:
    """A SELECT whose connection has just been cut: opened again, and sent again."""
    connection = on.raw_connection()
    connection.autocommit(True)  # type: ignore[attr-defined]  # noqa: FBT003 - the driver's own
    cursor = connection.cursor()

    def run() -> object:
        _cut(connection)
        cursor.execute("SELECT 1")
        return cursor.fetchall()

    return run


def refused(on: Engine) -> Callable[[], object]:
    """A statement on a session that can't be restored: the driver's error with its notes, and a new connection."""
    connection = on.raw_connection()
    connection.autocommit(True)  # type: ignore[attr-defined]  # noqa: FBT003 - the driver's own
    cursor = connection.cursor()

    def run() -> object:
        cursor.execute("SET @pinned = CONNECTION_ID()")
        _cut(connection)
        try:
            cursor.execute("SELECT 1")
        except on.dialect.loaded_dbapi.OperationalError as error:
            connection.rollback()
            return error
        raise AssertionError("it was continued")

    return run


def unexplained(task: Callable[[Engine], Callable[[], object]]) -> Callable[[Engine], Callable[[], object]]:
    """The same with nothing seen, noted, asked or told of a loss."""

    def make(on: Engine) -> Callable[[], object]:
        from stillhere.continuity import explaining, recovery  # noqa: PLC0415 - only in the process that is measured

        def nothing(*_: Any, **__: Any) -> Any:
            return _Blank

        for name in explaining.__all__:
            setattr(explaining, name, nothing)
        recovery.of_loss = nothing  # type: ignore[assignment]
        return task(on)

    return make


class _Blank:
    """Takes what would be written to a sighting."""


def _cut(connection: Any) -> None:
    from stillhere.drivers.base import shut_down  # noqa: PLC0415 - only in the process that is measured

    shut_down(connection.driver_connection._stillhere.descriptor)  # noqa: SLF001 - as the network would
