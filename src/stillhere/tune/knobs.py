"""The settings that decide when connections end and who gets one. Nothing else is tuned here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from stillhere.registry import Registry
from stillhere.server.versions import Flavour, ServerVersion

__all__ = ["KNOBS", "Knob", "Unit"]


class Unit(Enum):
    """What a value counts. The value is what stands behind it in a sentence."""

    SECONDS = " s"
    BYTES = " bytes"
    COUNT = ""
    SWITCH = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One setting.

    Attributes:
        name: the variable.
        unit: what it counts.
        says: what it limits, in a few words.
        copied: whether a session takes its own copy when it logs in, so that a change reaches new sessions only.
        static: whether only a restart changes it.
        flavour: the only family that has it; ``None`` for both.
        mysql: MySQL's default from 8.0; ``None`` where it depends.
        mariadb: MariaDB's from 10.4; ``None`` where it depends.
    """

    name: str
    unit: Unit
    says: str
    copied: bool = False
    static: bool = False
    flavour: Flavour | None = None
    mysql: int | None = None
    mariadb: int | None = None

    def default(self, version: ServerVersion) -> int | None:
        """What the servers of that family are shipped with."""
        return self.mariadb if version.flavour is Flavour.MARIADB else self.mysql


def _idle_transaction(name: str, says: str) -> Knob:
    return Knob(name=name, unit=Unit.SECONDS, says=says, copied=True, flavour=Flavour.MARIADB, mariadb=0)


# Defaults and what is copied: "Server System Variables" of both manuals, and both servers asked.
KNOBS = Registry(
    "setting",
    (
        Knob(
            name="wait_timeout",
            unit=Unit.SECONDS,
            says="how long a session may be idle",
            copied=True,
            mysql=28800,
            mariadb=28800,
        ),
        Knob(
            name="interactive_timeout",
            unit=Unit.SECONDS,
            says="the same for clients that call themselves interactive",
            copied=True,
            mysql=28800,
            mariadb=28800,
        ),
        Knob(
            name="max_allowed_packet",
            unit=Unit.BYTES,
            says="the largest statement or row",
            copied=True,
            mysql=64 << 20,
            mariadb=16 << 20,
        ),
        Knob(name="max_connections", unit=Unit.COUNT, says="how many sessions at once", mysql=151, mariadb=151),
        Knob(
            name="max_connect_errors",
            unit=Unit.COUNT,
            says="after how many broken handshakes in a row a host is blocked",
            mysql=100,
            mariadb=100,
        ),
        Knob(
            name="connect_timeout",
            unit=Unit.SECONDS,
            says="how long a handshake may take",
            mysql=10,
            mariadb=10,
        ),
        Knob(
            name="net_read_timeout",
            unit=Unit.SECONDS,
            says="how long the server waits for more of what a client is sending",
            copied=True,
            mysql=30,
            mariadb=30,
        ),
        Knob(
            name="net_write_timeout",
            unit=Unit.SECONDS,
            says="how long a client may leave a result unread",
            copied=True,
            mysql=60,
            mariadb=60,
        ),
        Knob(
            name="skip_name_resolve",
            unit=Unit.SWITCH,
            says="whether clients' names are looked up",
            static=True,
            mysql=0,
            mariadb=0,
        ),
        _idle_transaction("idle_transaction_timeout", "how long a session may be idle in a transaction"),
        _idle_transaction("idle_readonly_transaction_timeout", "the same in a transaction that wrote nothing"),
        _idle_transaction("idle_write_transaction_timeout", "the same in a transaction that wrote"),
    ),
)
