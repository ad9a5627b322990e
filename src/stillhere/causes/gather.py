"""Reports by the million in bounded memory: alike ones are counted, a few of each are kept, bursts keep their times."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from stillhere.apptrace.report import Report

__all__ = ["Burst", "Bursts", "Gathered", "ReportGroup", "gather", "subject_of"]

_KEPT = 20
"""So many of the first, and so many of the last reports of a group are explained one by one."""
_GROUPS = 100
_BURSTS = 200
_GAP = timedelta(seconds=10)


@dataclass(slots=True)
class Burst:
    """Losses in quick succession."""

    first: datetime
    last: datetime
    count: int = 1


class Bursts:
    """When losses came: bursts with silence between them, at most 200; beyond that, longer silences are bridged."""

    def __init__(self) -> None:
        self._bursts: list[Burst] = []
        self._gap = _GAP

    def add(self, at: datetime) -> None:
        """Count one; their order need not be that of time."""
        index = bisect_right(self._bursts, at, key=lambda burst: burst.first)
        if index and at <= self._bursts[index - 1].last + self._gap:
            burst = self._bursts[index - 1]
            burst.last = max(burst.last, at)
            burst.count += 1
        else:
            self._bursts.insert(index, Burst(at, at))
        while len(self._bursts) > _BURSTS:
            self._gap *= 2
            self._bridge()

    def _bridge(self) -> None:
        bridged: list[Burst] = []
        for burst in self._bursts:
            if bridged and burst.first <= bridged[-1].last + self._gap:
                bridged[-1].last = max(bridged[-1].last, burst.last)
                bridged[-1].count += burst.count
            else:
                bridged.append(burst)
        self._bursts = bridged

    def __iter__(self) -> Iterator[Burst]:
        return iter(self._bursts)


@dataclass(slots=True)
class ReportGroup:
    """Reports that are alike in everything but their time.

    Attributes:
        source: name of the input with the first of them.
        count: how many.
        first: the earliest time; ``None`` where none has one.
        last: the latest time.
        bursts: when they came.
    """

    source: str
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    bursts: Bursts = field(default_factory=Bursts)
    _early: list[Report] = field(default_factory=list)
    _late: deque[Report] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, report: Report) -> None:
        """Count one, and keep it if it is among the first or, so far, the last."""
        self.count += 1
        (self._early if len(self._early) < _KEPT else self._late).append(report)
        if report.at is not None:
            self.first = min(self.first or report.at, report.at)
            self.last = max(self.last or report.at, report.at)
            self.bursts.add(report.at)

    @property
    def kept(self) -> tuple[Report, ...]:
        """The first and last few."""
        return (*self._early, *self._late)


@dataclass(slots=True)
class Gathered:
    """All reports of all inputs.

    Attributes:
        groups: in order of their first report.
        dropped: reports of kinds beyond the hundredth, counted and not kept.
    """

    groups: dict[tuple[object, ...], ReportGroup] = field(default_factory=dict)
    dropped: int = 0

    def add(self, report: Report, source: str) -> None:
        """Count one."""
        key = _alike(report)
        group = self.groups.get(key)
        if group is None:
            if len(self.groups) >= _GROUPS:
                self.dropped += 1
                return
            group = self.groups[key] = ReportGroup(source)
        group.add(report)


def gather(reports: Iterable[Report], source: str, into: Gathered, zone: tzinfo | None = None) -> int:
    """Take in the reports of one input as they are read; how many there were.

    Args:
        reports: as `stillhere.apptrace.read` gives them.
        source: the input's name.
        into: where they are counted.
        zone: where times that name no zone are local; ``None`` leaves them in UTC.
    """
    count = 0
    for report in reports:
        into.add(_in_zone(report, zone), source)
        count += 1
    return count


def subject_of(report: Report) -> str:
    """What was lost, in one clause."""
    name = report.exception.rpartition(".")[2] or "error"
    parts = [name + (f" {report.errno}" if report.errno is not None else "")]
    if report.driver:
        parts.append(f"({report.driver})")
    if report.frame is not None and report.frame.path:
        where = report.frame.path.replace("\\", "/").rpartition("/")[2]
        parts.append(
            f"at {where}:{report.frame.line}" + (f" in {report.frame.function}" if report.frame.function else "")
        )
    elif report.request:
        parts.append(f"in {report.request}")
    return " ".join(parts)


def _in_zone(report: Report, zone: tzinfo | None) -> Report:
    if zone is None or report.zoned or report.at is None:
        return report
    return replace(report, at=report.at.replace(tzinfo=zone).astimezone(UTC), zoned=True)


def _alike(report: Report) -> tuple[object, ...]:
    frame = report.frame
    return (
        report.driver,
        report.exception,
        report.codes,
        report.os_error,
        report.timed_out,
        report.position,
        (frame.path, frame.line) if frame is not None else None,
        report.pool,
        report.notes,
    )
