"""The way in without SQLAlchemy: a PEP 249 connection that outlives its server."""

from __future__ import annotations

from typing import Any

from stillhere.continuity.endpoint import Endpoint
from stillhere.drivers import driver_of
from stillhere.policy import Policy

__all__ = ["connect"]


def connect(dbapi: Any, *args: Any, stillhere: Policy | None = None, **kwargs: Any) -> Any:
    """Connect like ``dbapi.connect(*args, **kwargs)``, and stay connected.

    Args:
        dbapi: the driver's module, such as ``MySQLdb`` or ``pymysql``.
        *args: for the driver, unchanged.
        stillhere: how far to go; the defaults of `Policy` where none is given.
        **kwargs: for the driver, unchanged.

    Returns:
        A connection of the driver's own class.

    Raises:
        ConfigurationError: no support for that driver.
        ServerUnavailable: the server could not be reached within ``Policy.ride_through``.
        Exception: the driver's own error, for what waiting can't mend.
    """
    driver = driver_of(dbapi)
    where = kwargs.get("unix_socket") or f"{kwargs.get('host') or 'localhost'}:{kwargs.get('port') or 3306}"
    endpoint = Endpoint(driver, stillhere if stillhere is not None else Policy(), str(where))
    connection = endpoint.connect(lambda: driver.dbapi.connect(*args, **kwargs))
    connection._stillhere.ledger.end_prologue()  # noqa: SLF001 - ours
    return connection
