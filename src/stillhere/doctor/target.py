"""Where to look: one server, by the URL that reaches it, with the engines that use it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from stillhere.doctor.engines import EngineFacts
from stillhere.errors import ConfigurationError
from stillhere.survey.login import address_of, target

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from stillhere.doctor.application import AppEngine

__all__ = ["Target", "targets_of"]

_BLOCKING = (("pymysql", "pymysql"), ("MySQLdb", "mysqldb"))


@dataclass(frozen=True, slots=True)
class Target:
    """One server to be looked at.

    Attributes:
        address: as text, without credentials.
        url: with the password; never shown.
        engines: the application's engines that lead there.
    """

    address: str
    url: URL = field(repr=False)
    engines: tuple[EngineFacts, ...] = ()


def targets_of(urls: Iterable[str], engines: Iterable[AppEngine] = ()) -> tuple[Target, ...]:
    """One target for each URL, then one for each server that only an engine leads to.

    A server that several URLs name is looked at through the first of them.

    Raises:
        ConfigurationError: a URL is none, not for MySQL or MariaDB, or its driver isn't installed.
    """
    found: dict[str, Target] = {}
    meant = set()
    for text in urls:
        url = _usable(target(text))
        address = address_of(url)
        if _names_plugin(text):
            meant.add(address)
        found.setdefault(address, Target(address, url))
    for one in engines:
        facts = replace(one.facts, meant_protected=one.facts.address in meant)
        place = found.get(facts.address) or Target(facts.address, _usable(one.url))
        found[facts.address] = replace(place, engines=(*place.engines, facts))
    return tuple(found.values())


def _names_plugin(text: str) -> bool:
    from sqlalchemy import make_url  # noqa: PLC0415 - not a dependency of the package

    return "stillhere" in make_url(text).normalized_query.get("plugin", ())


def _usable(url: URL) -> URL:
    """The URL with a driver that blocks, where it names one for asyncio; its options are the other driver's own."""
    from sqlalchemy.exc import NoSuchModuleError  # noqa: PLC0415 - not a dependency of the package

    try:
        dialect = url.get_dialect()
        if not getattr(dialect, "is_async", False):
            dialect.import_dbapi()
            return url
    except NoSuchModuleError as error:
        raise ConfigurationError(f"SQLAlchemy has no dialect {url.drivername!r}") from error
    for module, name in _BLOCKING:
        if find_spec(module) is not None:
            return url.set(drivername=f"{url.get_backend_name()}+{name}", query={})
    raise ConfigurationError(
        f"the driver of {url.drivername} is for asyncio; to look at the server, run: pip install PyMySQL"
    )
