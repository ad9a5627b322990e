"""Every knob, with its unit, its default and the reason for the default."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from stillhere.errors import ConfigurationError

__all__ = ["Policy", "parse_bytes", "parse_duration", "parse_switch"]

_DURATION = re.compile(r"\A\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*\Z")
_SECONDS = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = re.compile(r"\A\s*(\d+)\s*([kmg]i?b?)?\s*\Z", re.IGNORECASE)
_FACTOR = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_SWITCH = {
    "on": True,
    "true": True,
    "1": True,
    "yes": True,
    "off": False,
    "false": False,
    "0": False,
    "no": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How far stillhere goes for an engine or a connection. Durations are in seconds.

    Attributes:
        ride_through: how long a call may wait for a server that can't be reached, before it raises
            `stillhere.errors.ServerUnavailable`. 10 s: a restart of most servers fits, and so does the
            patience of most proxies in front of the application.
        max_waiting: how many calls may wait for one server at once, in one process; the next one raises
            at once. 256: more waiters than threads would only hide an outage.
        detect_within: after how long without a reply the server is asked, over another connection,
            whether it still works on the statement. 3 s: well over an ordinary statement. 0 switches
            it off.
        ping_after: after how much idleness a connection whose socket can't be looked at is pinged. 60 s.
        obey_kill_after: a statement or transaction older than this, whose thread is gone while the
            server stayed up, was probably ended on purpose and is not continued. 5 s.
        replay: whether open transactions are run again on a new connection.
        replay_locks_within: a transaction that took row locks by reading is replayed only within this
            time of its loss, since the lock may have guarded something elsewhere. 1 s.
        journal_bytes: how many bytes of statements one transaction may record. 16 MiB: past it, the
            transaction goes on and is not replayable.
        journal_statements: how many statements one transaction may record. 10 000.
        synchronous_replication: declare that every server behind the address has every acknowledged
            commit (a Galera cluster with causal reads, a group with consistency AFTER), so that a
            transaction may be replayed on another server than the one that was lost.
        witness: leave a row with each writing transaction, by which a COMMIT whose reply was lost is settled.
            One more round trip for each of them. Needs ``stillhere witness create URL`` once.
        witness_autocommit: the same for writes outside transactions: each becomes a transaction of its own
            (BEGIN, the write, the witness, COMMIT: three more round trips). Needs ``witness``.
        incidents: look for the cause of each loss over a short connection of its own, at most one a second and
            server, and keep what was found in a local file (``stillhere incidents`` shows it). On: a loss whose
            cause is looked for a day later has none. Off: nothing more is asked and nothing is kept; what the lost
            connection itself told is still noted on exceptions and logged.
        stricter: a hook called with the `stillhere.events.Loss` before it is acted on; answering a
            text refuses to continue, with that text as the reason. It can't allow anything.
    """

    ride_through: float = 10.0
    max_waiting: int = 256
    detect_within: float = 3.0
    ping_after: float = 60.0
    obey_kill_after: float = 5.0
    replay: bool = True
    replay_locks_within: float = 1.0
    journal_bytes: int = 16 * 1024**2
    journal_statements: int = 10_000
    synchronous_replication: bool = False
    witness: bool = False
    witness_autocommit: bool = False
    incidents: bool = True
    stricter: Callable[[Any], str | None] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
                raise ConfigurationError(f"stillhere.{field.name} must not be negative, found {value}")
        if self.witness_autocommit and not self.witness:
            raise ConfigurationError("stillhere.witness_autocommit needs stillhere.witness=on as well")

    @classmethod
    def from_options(cls, options: Mapping[str, str], base: Policy | None = None) -> Policy:
        """A policy from texts, as they stand in a URL's query.

        Args:
            options: option name without prefix, such as ``ride_through``, to its text, such as ``15s``.
            base: the policy that the options change; the defaults where none is given.

        Raises:
            ConfigurationError: an unknown option or a malformed value; the message lists what there is.
        """
        values: dict[str, Any] = {}
        for name, text in options.items():
            parse = _PARSERS.get(name)
            if parse is None:
                raise ConfigurationError(f"unknown option 'stillhere.{name}'; there are: {', '.join(sorted(_PARSERS))}")
            values[name] = parse(f"stillhere.{name}", text)
        start = base if base is not None else cls()
        return cls(**{f.name: values.get(f.name, getattr(start, f.name)) for f in fields(cls)})


def parse_duration(option: str, text: str) -> float:
    """Seconds from ``15``, ``15s``, ``250ms``, ``2m`` or ``1h``; `ConfigurationError` for anything else."""
    match = _DURATION.match(text)
    if match is None:
        raise ConfigurationError(f"{option}: {text!r} is not a duration; write 15s, 250ms, 2m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


def parse_bytes(option: str, text: str) -> int:
    """Bytes from ``65536``, ``64k``, ``16M`` or ``1GiB``; `ConfigurationError` for anything else."""
    match = _BYTES.match(text)
    if match is None:
        raise ConfigurationError(f"{option}: {text!r} is not a size; write 65536, 64k, 16M or 1G")
    return int(match[1]) * _FACTOR[(match[2] or "")[:1].lower()]


def parse_switch(option: str, text: str) -> bool:
    """A boolean from ``on``/``off`` and their usual synonyms; `ConfigurationError` for anything else."""
    value = _SWITCH.get(text.strip().lower())
    if value is None:
        raise ConfigurationError(f"{option}: {text!r} is neither on nor off")
    return value


def parse_count(option: str, text: str) -> int:
    """A whole number; `ConfigurationError` for anything else."""
    if not text.strip().isdecimal():
        raise ConfigurationError(f"{option}: {text!r} is not a whole number")
    return int(text)


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "ride_through": parse_duration,
    "max_waiting": parse_count,
    "detect_within": parse_duration,
    "ping_after": parse_duration,
    "obey_kill_after": parse_duration,
    "replay": parse_switch,
    "replay_locks_within": parse_duration,
    "journal_bytes": parse_bytes,
    "journal_statements": parse_count,
    "synchronous_replication": parse_switch,
    "witness": parse_switch,
    "witness_autocommit": parse_switch,
    "incidents": parse_switch,
}
