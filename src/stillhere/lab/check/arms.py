"""How the clients connect: with and without help, and with which driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stillhere.registry import Registry

__all__ = ["ARMS", "DRIVERS", "Arm", "Dialect"]


@dataclass(frozen=True)
class Arm:
    """One way to connect.

    Attributes:
        name: registry name.
        query: what the database URL carries.
        engine: arguments of ``create_engine``.
        insist: try again whatever the database says.
    """

    name: str
    query: Mapping[str, str] = field(default_factory=dict)
    engine: Mapping[str, Any] = field(default_factory=dict)
    insist: bool = False


@dataclass(frozen=True)
class Dialect:
    """A driver, and SQLAlchemy's name for it."""

    name: str
    dialect: str


ARMS = Registry(
    "arm",
    (
        Arm("stock"),
        Arm("recipe", engine={"pool_recycle": 300, "pool_pre_ping": True}, insist=True),
        Arm("stillhere", query={"plugin": "stillhere"}),
    ),
)

DRIVERS = Registry("driver", (Dialect("mysqlclient", "mysql+mysqldb"), Dialect("pymysql", "mysql+pymysql")))
