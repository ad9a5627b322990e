"""The server's release series: how long it gets fixes, and what later ones know about lost connections."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence, Severity
from stillhere.maintain.inventory import Inventory
from stillhere.maintain.step import Answer, Gap, advice
from stillhere.server.lifecycles import READ_ON, helpful_since, series_of

__all__ = ["judge"]

_KIND = "version"
_SOON = 180  # days: an upgrade wants to be planned


def judge(inventory: Inventory) -> Iterator[Answer]:
    """Advice where the series has ended, or will within half a year."""
    snapshot = inventory.snapshot
    series = series_of(snapshot.version)
    if series is None:
        yield Gap(kind=_KIND, reason=f"{snapshot.version} is not in the table of release series of {READ_ON}")
        return
    left = (series.ends - snapshot.taken_at.date()).days
    newer = helpful_since(snapshot.version)
    if left > _SOON and not newer:
        return
    ended = f"{series} {'got its last fixes on' if left < 0 else 'gets fixes until'} {series.ends}"
    yield advice(
        _KIND,
        snapshot.address,
        message=ended if left <= _SOON else f"{snapshot.version} lacks what later ones know about lost connections",
        why="A server without fixes keeps its faults, those that cut connections among them.",
        evidence=(
            Evidence(f"VERSION() is {snapshot.version_text}; {ended}", f"release policies, read on {READ_ON}"),
            *(Evidence(f"since {'.'.join(map(str, one.number))}: {one.brought}", "release notes") for one in newer),
        ),
        remedy="Plan the upgrade to a long-term series; a vendor may support his own builds longer.",
        severity=Severity.WARNING if left < 0 else Severity.INFO,
    )
