"""Which server this is, from the version text that it greets its clients with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

__all__ = ["Flavour", "ServerVersion", "parse_version"]


class Flavour(Enum):
    """The two families, which share a protocol and number some of their errors differently.

    Percona Server, Aurora, HeatWave and the managed MySQL services are `MYSQL`; the managed MariaDB
    services are `MARIADB`.
    """

    MYSQL = "MySQL"
    MARIADB = "MariaDB"


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """A server's family and version, such as ``ServerVersion(Flavour.MARIADB, (10, 11, 11))``."""

    flavour: Flavour
    number: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.flavour.value} {'.'.join(map(str, self.number))}"

    def at_least(self, *, mysql: tuple[int, ...] | None, mariadb: tuple[int, ...] | None) -> bool:
        """Whether it is as new as its own family's bound; a family without a bound (None) never is."""
        bound = mysql if self.flavour is Flavour.MYSQL else mariadb
        return bound is not None and self.number >= bound


# MariaDB 10.0 to 10.x greets with "5.5.5-" before its version, because old replicas refuse a major version
# of two digits; `SELECT VERSION()` has no such prefix. 11.x of some builds still sends it.
_REPLICATION_PREFIX = "5.5.5-"
_NUMBER = re.compile(r"\d+(?:\.\d+){0,2}")


def parse_version(text: str) -> ServerVersion:
    """Read a greeting's or ``VERSION()``'s text.

    Args:
        text: such as ``5.5.5-10.11.11-MariaDB-0+deb12u1``, ``8.0.36-28`` or ``8.0.36-cloud``.

    Raises:
        ValueError: there is no number in it.
    """
    stripped = text.strip()
    mariadb = "mariadb" in stripped.lower()
    if stripped.startswith(_REPLICATION_PREFIX) and _NUMBER.match(stripped, len(_REPLICATION_PREFIX)):
        stripped = stripped[len(_REPLICATION_PREFIX) :]
        mariadb = True  # only MariaDB hides its version so, even if a vendor dropped its name from the text
    found = _NUMBER.search(stripped)
    if found is None:
        raise ValueError(f"no version number in the server's version text {text!r}")
    parts = [int(part) for part in found.group().split(".")]
    major, minor, patch = (*parts, 0, 0, 0)[:3]
    return ServerVersion(Flavour.MARIADB if mariadb else Flavour.MYSQL, (major, minor, patch))
