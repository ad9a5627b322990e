"""The metrics that an application has of its own connections: the one list, for every backend.

Names for Prometheus follow its conventions; names for OpenTelemetry are those of its semantic conventions for database
clients where they have one, and begin with ``stillhere.`` where they have none. Labels are bounded: causes, phases,
actions and exceptions are of this package, servers and pools are as many as the application has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

__all__ = ["INSTRUMENTS", "Instrument", "Kind", "Labels", "Sink"]

Labels: TypeAlias = tuple[str, ...]
"""Label values, in the order of `Instrument.labels`."""

_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LIFE = (1.0, 10.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 28800.0, 86400.0)
_BYTES = (1024.0, 16384.0, 262144.0, 1048576.0, 4194304.0, 16777216.0)


class Kind(Enum):
    """How numbers are put together."""

    COUNTER = "counts"
    HISTOGRAM = "is distributed"
    GAUGE = "is now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One metric.

    Attributes:
        name: for Prometheus, without the prefix ``stillhere_`` and without ``_total``.
        otel: for OpenTelemetry.
        unit: in UCUM, as OpenTelemetry has it.
        kind: how numbers are put together.
        text: what it says.
        labels: for Prometheus.
        attributes: the same for OpenTelemetry.
        bounds: of a histogram's buckets.
    """

    name: str
    otel: str
    unit: str
    kind: Kind
    text: str
    labels: tuple[str, ...]
    attributes: tuple[str, ...]
    bounds: tuple[float, ...] = ()


class Sink(Protocol):
    """A backend."""

    def add(self, instrument: Instrument, labels: Labels, number: float) -> None:
        """Count, put into a histogram, or set a gauge, by the instrument's kind. Never raises."""
        ...


_SERVER = ("server.address",)
_POOL = ("db.client.connection.pool.name",)


def _listed(*instruments: Instrument) -> Mapping[str, Instrument]:
    return {one.name: one for one in instruments}


INSTRUMENTS = _listed(
    Instrument(
        name="losses",
        otel="stillhere.losses",
        unit="{loss}",
        kind=Kind.COUNTER,
        text="Connections found lost, by what they were doing.",
        labels=("server", "phase"),
        attributes=(*_SERVER, "stillhere.phase"),
    ),
    Instrument(
        name="incidents",
        otel="stillhere.incidents",
        unit="{incident}",
        kind=Kind.COUNTER,
        text="Losses and failed connects, by their cause.",
        labels=("server", "cause"),
        attributes=(*_SERVER, "stillhere.cause"),
    ),
    Instrument(
        name="continued",
        otel="stillhere.continued",
        unit="{call}",
        kind=Kind.COUNTER,
        text="Calls that went on after a loss, by how; settle: a COMMIT that the witness decided.",
        labels=("server", "action"),
        attributes=(*_SERVER, "stillhere.action"),
    ),
    Instrument(
        name="replayed",
        otel="stillhere.replayed",
        unit="{transaction}",
        kind=Kind.COUNTER,
        text="Transactions that were run again, by outcome.",
        labels=("server", "outcome"),
        attributes=(*_SERVER, "stillhere.outcome"),
    ),
    Instrument(
        name="refused",
        otel="stillhere.refused",
        unit="{call}",
        kind=Kind.COUNTER,
        text="Calls that ended in an exception after a loss, or were not sent, by its class.",
        labels=("server", "error"),
        attributes=(*_SERVER, "error.type"),
    ),
    Instrument(
        name="recovery_seconds",
        otel="stillhere.recovery.duration",
        unit="s",
        kind=Kind.HISTOGRAM,
        text="From a loss to the call's success.",
        labels=("server",),
        attributes=_SERVER,
        bounds=_SECONDS,
    ),
    Instrument(
        name="wait_seconds",
        otel="stillhere.wait.duration",
        unit="s",
        kind=Kind.HISTOGRAM,
        text="Waiting for a server that could not be reached, by outcome; waits under a second are not counted.",
        labels=("server", "outcome"),
        attributes=(*_SERVER, "stillhere.outcome"),
        bounds=_SECONDS,
    ),
    Instrument(
        name="gate_down_seconds",
        otel="stillhere.gate.down",
        unit="s",
        kind=Kind.GAUGE,
        text="For how long the server has been out of reach; 0 while it is there.",
        labels=("server",),
        attributes=_SERVER,
    ),
    Instrument(
        name="gate_waiting",
        otel="stillhere.gate.waiting",
        unit="{call}",
        kind=Kind.GAUGE,
        text="Calls that wait for the server.",
        labels=("server",),
        attributes=_SERVER,
    ),
    Instrument(
        name="pool_connections",
        otel="db.client.connection.count",
        unit="{connection}",
        kind=Kind.GAUGE,
        text="Connections of the pool, by state.",
        labels=("pool", "state"),
        attributes=(*_POOL, "db.client.connection.state"),
    ),
    Instrument(
        name="pool_limit",
        otel="db.client.connection.max",
        unit="{connection}",
        kind=Kind.GAUGE,
        text="The most that the pool may have; absent without a limit.",
        labels=("pool",),
        attributes=_POOL,
    ),
    Instrument(
        name="pool_overflow",
        otel="stillhere.pool.overflow",
        unit="{connection}",
        kind=Kind.GAUGE,
        text="Connections beyond the pool's size.",
        labels=("pool",),
        attributes=_POOL,
    ),
    Instrument(
        name="checkout_seconds",
        otel="db.client.connection.wait_time",
        unit="s",
        kind=Kind.HISTOGRAM,
        text="Getting a connection out of the pool.",
        labels=("pool",),
        attributes=_POOL,
        bounds=_SECONDS,
    ),
    Instrument(
        name="use_seconds",
        otel="db.client.connection.use_time",
        unit="s",
        kind=Kind.HISTOGRAM,
        text="Between getting a connection and giving it back.",
        labels=("pool",),
        attributes=_POOL,
        bounds=_SECONDS,
    ),
    Instrument(
        name="connection_age_seconds",
        otel="stillhere.connection.age",
        unit="s",
        kind=Kind.HISTOGRAM,
        text="Age of a connection when it leaves the pool.",
        labels=("pool",),
        attributes=_POOL,
        bounds=_LIFE,
    ),
    Instrument(
        name="connection_idle_seconds",
        otel="stillhere.connection.idle",
        unit="s",
        kind=Kind.HISTOGRAM,
        text="For how long a connection was idle when it leaves the pool.",
        labels=("pool",),
        attributes=_POOL,
        bounds=_LIFE,
    ),
    Instrument(
        name="transaction_seconds",
        otel="stillhere.transaction.duration",
        unit="s",
        kind=Kind.HISTOGRAM,
        text="From a transaction's first statement to the end of its COMMIT or ROLLBACK.",
        labels=("pool", "outcome"),
        attributes=(*_POOL, "stillhere.outcome"),
        bounds=_SECONDS,
    ),
    Instrument(
        name="journal_bytes",
        otel="stillhere.journal.size",
        unit="By",
        kind=Kind.HISTOGRAM,
        text="What a transaction had recorded at its end.",
        labels=("pool",),
        attributes=_POOL,
        bounds=_BYTES,
    ),
)
"""By name."""
