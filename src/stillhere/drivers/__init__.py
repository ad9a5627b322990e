"""Drivers, one file each, behind one protocol."""

from __future__ import annotations

from stillhere.drivers.base import Driver
from stillhere.drivers.mysqlclient import MYSQLCLIENT
from stillhere.drivers.pymysql import PYMYSQL
from stillhere.errors import ConfigurationError
from stillhere.registry import Registry

DRIVERS: Registry[Driver] = Registry(
    "driver",
    (
        MYSQLCLIENT,
        PYMYSQL,
    ),
)


def driver_of(dbapi: object) -> Driver:
    """The driver whose PEP 249 module this is.

    Raises:
        ConfigurationError: no driver of that module name is registered; the message lists those that are.
    """
    name = getattr(dbapi, "__name__", repr(dbapi))
    for driver in DRIVERS:
        if driver.module == name:
            return driver
    known = ", ".join(f"{driver.name} ({driver.module})" for driver in DRIVERS)
    raise ConfigurationError(f"stillhere has no support for the driver module {name!r}; it supports {known}")
