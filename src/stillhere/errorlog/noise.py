"""Aborted connects that come as regularly as only a machine's do."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean

from stillhere.errorlog.summary import Noise

__all__ = ["NoiseWatch"]

_TIMES = 500  # of one host: enough to tell a period
_HOSTS = 200
_FEWEST = 6
_REGULAR = 0.8  # the share of the intervals that must be near the median; a check may be late or missed
_NEAR = 0.15  # of the period
_SECOND = 1.0  # what most logs resolve
_CHECKS = 4  # machines behind one address, or checks by one machine, that take turns


@dataclass(slots=True)
class _Host:
    count: int = 0
    times: list[float] = field(default_factory=list)


class NoiseWatch:
    """Looks at the times of each host's aborted connects; remembers a bounded number of hosts and times."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    def wants(self, host: str) -> bool:
        """Whether this host's next time would be remembered."""
        known = self._hosts.get(host)
        return len(known.times) < _TIMES if known is not None else len(self._hosts) < _HOSTS

    def see(self, host: str, seconds: float) -> None:
        """One aborted connect of this host, at so many seconds of any one clock."""
        if self.wants(host):
            self._hosts.setdefault(host, _Host()).times.append(seconds)

    def count(self, host: str, number: int) -> None:
        """So many more of this host."""
        known = self._hosts.get(host)
        if known is not None:
            known.count += number

    def result(self) -> tuple[Noise, ...]:
        """The hosts whose aborted connects are periodic, the most frequent first."""
        found = [
            Noise(host=host, period=period, count=known.count)
            for host, known in self._hosts.items()
            if (period := _period(known.times)) > 0
        ]
        return tuple(sorted(found, key=lambda noise: (-noise.count, noise.host)))


def _period(times: list[float]) -> float:
    """The period, in seconds; 0.0 where there is none.

    Where several checks take turns, each of them is regular: every second, third or fourth time is looked at as well.
    """
    for step in range(1, _CHECKS + 1):
        intervals = [after - before for before, after in zip(times, times[step:], strict=False)]
        if len(intervals) < _FEWEST:
            return 0.0
        middle = _middle(intervals)
        if middle < _SECOND:
            continue
        near = max(_NEAR * middle, min(_SECOND, middle / 2))
        if sum(abs(interval - middle) <= near for interval in intervals) >= _REGULAR * len(intervals):
            return round(middle, 1)
    return 0.0


def _middle(intervals: list[float]) -> float:
    """The mean of the middle half: neither a check that was missed nor a clock of whole seconds moves it far."""
    quarter = len(intervals) // 4
    return fmean(sorted(intervals)[quarter : len(intervals) - quarter])
