"""The servers that an exporter may look at: a file in TOML, read again when it changes.

```toml
allow = ["*.db.internal:3306"]        # addresses that may be asked for as they are, with the login below

[login]
driver = "mysqldb"
user = "monitor"
password_file = "/run/secrets/monitor"

[targets.orders]
url = "mysql+pymysql://monitor:secret@orders.db.internal/"
labels = { team = "shop" }
```

An address that is neither named nor allowed is refused: a page that logs in wherever a caller points it would hand the
monitor's password to whoever runs a server.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stillhere.errors import ConfigurationError
from stillhere.survey.login import address_of, target

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["Target", "Targets", "TargetsFile"]

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ADDRESS = re.compile(r"([\w.-]+)(?::(\d{1,5}))?")
_KEYS = {"login": {"driver", "user", "password", "password_file"}, "target": {"url", "labels"}}


@dataclass(frozen=True, slots=True)
class Target:
    """A server: its name on the page, how to log in, and labels for all of its metrics."""

    name: str
    url: URL
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Targets:
    """All that may be asked for.

    Attributes:
        named: by name.
        allow: patterns of addresses.
        login: with which driver and account addresses are asked; ``None`` where no address may be.
    """

    named: Mapping[str, Target] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    login: URL | None = None

    @classmethod
    def of_urls(cls, urls: list[str]) -> Targets:
        """Targets named after their addresses.

        Raises:
            ConfigurationError: a URL can't be used, or two are of one address.
        """
        named: dict[str, Target] = {}
        for text in urls:
            url = target(text)
            name = address_of(url)
            if name in named:
                raise ConfigurationError(f"{name} is given twice")
            named[name] = Target(name, url)
        return cls(named)

    def find(self, name: str) -> Target:
        """The target of that name or address.

        Raises:
            ConfigurationError: neither named nor allowed.
        """
        if name in self.named:
            return self.named[name]
        address = _ADDRESS.fullmatch(name)
        if address is not None and self.login is not None:
            full = f"{address[1]}:{address[2] or 3306}"
            if any(fnmatchcase(full, pattern) for pattern in self.allow):
                return Target(full, self.login.set(host=address[1], port=int(address[2] or 3306)))
        raise ConfigurationError(f"{name!r} is neither a target of the file nor an address that it allows")


class TargetsFile:
    """Targets from a file, read again when it changes.

    Args:
        path: of the file.

    Raises:
        ConfigurationError: it can't be read or used; the message says where.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._targets = Targets()
        self.targets()

    def targets(self) -> Targets:
        """As they are now; a change that can't be used is an error, and the next good one mends it."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._targets = _read(self._path)
                self._stamp = stamp
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self._path}: can't be read: {error}") from error
        return self._targets


def _read(path: Path) -> Targets:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from error
    _only(path, "", content, {"allow", "login", "targets"})
    login, allow = content.get("login"), content.get("allow", [])
    if allow and login is None:
        raise ConfigurationError(f"{path}: allow needs a [login] with user and password_file")
    named = content.get("targets", {})
    if not isinstance(named, dict) or not all(isinstance(one, dict) for one in named.values()):
        raise ConfigurationError(f"{path}: write each target as a table, [targets.NAME]")
    if not isinstance(allow, list) or not all(isinstance(one, str) for one in allow):
        raise ConfigurationError(f"{path}: allow is a list of patterns, such as ['*.db.internal:3306']")
    return Targets(
        {name: _target(path, name, one) for name, one in named.items()},
        tuple(pattern if ":" in pattern else f"{pattern}:3306" for pattern in allow),
        None if login is None else _login(path, login),
    )


def _target(path: Path, name: str, one: Mapping[str, Any]) -> Target:
    _only(path, f"targets.{name}", one, _KEYS["target"])
    if not isinstance(one.get("url"), str):
        raise ConfigurationError(f"{path}: targets.{name} needs a url")
    labels = one.get("labels", {})
    if not isinstance(labels, dict) or not all(_LABEL.fullmatch(key) for key in labels):
        raise ConfigurationError(f"{path}: targets.{name}.labels must have names of letters, digits and underscores")
    try:
        url = target(one["url"])
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: targets.{name}: {error}") from error
    return Target(name, url, {key: str(value) for key, value in labels.items()})


def _login(path: Path, login: Any) -> URL:
    from sqlalchemy.engine import URL  # noqa: PLC0415 - not a dependency of the package

    if not isinstance(login, dict):
        raise ConfigurationError(f"{path}: write the login as a table, [login]")
    _only(path, "login", login, _KEYS["login"])
    password = login.get("password")
    if "password_file" in login:
        secret = Path(str(login["password_file"]))
        try:
            password = secret.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise ConfigurationError(f"{path}: login.password_file {secret} can't be read: {error.strerror}") from error
    return URL.create(f"mysql+{login.get('driver', 'mysqldb')}", username=str(login.get("user", "")), password=password)


def _only(path: Path, where: str, table: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        place = f" in {where}" if where else ""
        raise ConfigurationError(f"{path}: unknown key {unknown[0]!r}{place}; there are: {', '.join(sorted(known))}")
