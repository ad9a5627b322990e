"""The two families of servers."""

from __future__ import annotations

from enum import Enum


class Flavour(Enum):
    """Who made the server."""

    MARIADB = "mariadb"
    MYSQL = "mysql"

    @property
    def title(self) -> str:
        """The name as its makers write it."""
        return {"mariadb": "MariaDB", "mysql": "MySQL"}[self.value]
