"""How remedies and evidence are worded, once for all checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stillhere.doctor.case import Case
from stillhere.findings import Evidence

__all__ = [
    "LogLevel",
    "duration",
    "log_level",
    "option_lines",
    "plural",
    "raise_variable",
    "set_variable",
    "size",
    "status",
    "variable",
]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_EXACT = 600.0  # seconds up to which no rounding is done
_KIB = 1024
_UNITS = ("bytes", "KiB", "MiB", "GiB")
_VARIABLES = "SHOW GLOBAL VARIABLES"
_STATUS = "SHOW GLOBAL STATUS"


def set_variable(case: Case, name: str, value: float | str) -> tuple[str, ...]:
    """The commands that set a global variable now and for good."""
    text = f"{value:.0f}" if isinstance(value, float) else str(value)
    if case.snapshot.version.at_least(mysql=(8, 0), mariadb=None):
        return (f"SET PERSIST {name} = {text};",)
    return (f"SET GLOBAL {name} = {text};", option_lines(name, text))


def raise_variable(case: Case, name: str, value: float) -> tuple[str, ...]:
    """The same, where it is higher than the present one; nothing where the variable is at its end."""
    return set_variable(case, name, value) if value > (case.number(name) or 0) else ()


def account_literal(case: Case) -> str:
    """The account that logged in, as statements name it; a placeholder where it isn't known."""
    if case.account is None:
        return "'USER'@'HOST'"
    user, _, host = case.account.name.rpartition("@")
    return "@".join("'" + part.replace("\\", "\\\\").replace("'", "''") + "'" for part in (user, host))


def option_lines(name: str, value: float | str) -> str:
    """The lines of an option file for a variable."""
    return f"# in the option file\n[mysqld]\n{name} = {value}"


def variable(case: Case, *names: str) -> Evidence:
    """Global variables as evidence; those that the server doesn't have are left out."""
    return Evidence(_pairs(case.snapshot.variables, names), _VARIABLES)


def status(case: Case, *names: str) -> Evidence:
    """Status counters as evidence; those that the server doesn't have are left out."""
    return Evidence(_pairs(case.snapshot.status, names), _STATUS)


def plural(count: int, noun: str) -> str:
    """``1 server``, ``2 servers``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time for people: ``90 s``, ``350 s``, ``5 min``, ``8 h``, ``3 days``."""
    if seconds < _EXACT and (seconds < 2 * _MINUTE or seconds % _MINUTE):
        return f"{seconds:.0f} s" if seconds == int(seconds) else f"{seconds:.1f} s"
    unit, name = next(
        (pair for pair in ((_DAY, "days"), (_HOUR, "h")) if seconds >= 2 * pair[0] or seconds == pair[0]),
        (_MINUTE, "min"),
    )
    amount = f"{seconds / unit:.1f}".removesuffix(".0")
    return "1 day" if (amount, name) == ("1", "days") else f"{amount} {name}"


def size(count: float) -> str:
    """Bytes for people: ``512 KiB``, ``16 MiB``, ``1.5 GiB``."""
    power = next((power for power in (3, 2, 1) if count >= _KIB**power), 0)
    amount = count / _KIB**power
    return f"{amount:.0f} {_UNITS[power]}" if amount == int(amount) else f"{amount:.1f} {_UNITS[power]}"


class LogLevel(NamedTuple):
    """The variable that sets how much the error log says, its value, and that from which it names each loss."""

    name: str
    value: float
    wanted: int

    @property
    def names_losses(self) -> bool:
        """Whether account, host and reason of each aborted connection are logged."""
        return self.value >= self.wanted


def log_level(case: Case) -> LogLevel:
    """Seen on MySQL 9.7 and MariaDB 10.11: the one logs aborted connections as notes, the other as warnings."""
    name, wanted = ("log_warnings", 2) if case.mariadb else ("log_error_verbosity", 3)
    return LogLevel(name, case.number(name) or 0.0, wanted)


def _pairs(found: Mapping[str, str], names: Iterable[str]) -> str:
    return ", ".join(f"{name} = {found[name.lower()]}" for name in names if name.lower() in found)
