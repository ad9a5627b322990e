"""What a collector is: it makes metrics of what one look at a server showed. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeHistogramMetricFamily, GaugeMetricFamily, Metric

from stillhere.survey.host_cache import HostEntry
from stillhere.survey.snapshot import Snapshot

__all__ = ["LABELLED", "Collector", "Look", "counter", "gauge", "histogram", "most_frequent"]

LabelsT = TypeVar("LabelsT", bound=tuple[str, ...])

LABELLED = 50
"""How many values one label may have; the rest is counted under ``other``."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a scrape saw.

    Attributes:
        snapshot: the server.
        hosts: clients' hosts with connection errors; ``None`` where the account may not ask, or the server keeps none.
    """

    snapshot: Snapshot
    hosts: tuple[HostEntry, ...] | None = None


class Collector(ABC):
    """Some metrics of one server.

    Attributes:
        name: registry name; the value of the label ``collector``.
        variables: the global variables that it reads.
        counters: the status counters that it reads.
    """

    name: ClassVar[str]
    variables: ClassVar[frozenset[str]] = frozenset()
    counters: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def collect(self, look: Look) -> Iterable[Metric]:
        """The metrics. What the server does not have, or does not show, has none: never a zero in its place.

        Raises:
            LookupError: nothing can be said; the argument says what is missing.
        """


def gauge(name: str, help_text: str, samples: Mapping[LabelsT, float], labels: tuple[str, ...] = ()) -> Metric:
    """A gauge with one sample for each tuple of label values."""
    family = GaugeMetricFamily(f"stillhere_{name}", help_text, labels=labels)
    for values, number in samples.items():
        family.add_metric(values, number)
    return family


def counter(name: str, help_text: str, samples: Mapping[LabelsT, float], labels: tuple[str, ...] = ()) -> Metric:
    """The same for what only grows; ``_total`` is added to the name."""
    family = CounterMetricFamily(f"stillhere_{name}", help_text, labels=labels)
    for values, number in samples.items():
        family.add_metric(values, number)
    return family


def histogram(name: str, help_text: str, numbers: Iterable[float], bounds: tuple[float, ...]) -> Metric:
    """How many of the numbers there are now under each bound: a gauge histogram, without ``rate``."""
    known = sorted(numbers)
    buckets = [(repr(bound), float(sum(1 for number in known if number <= bound))) for bound in bounds]
    family = GaugeHistogramMetricFamily(f"stillhere_{name}", help_text)
    family.add_metric((), [*buckets, ("+Inf", float(len(known)))], gsum_value=sum(known))
    return family


def most_frequent(counted: Counter[str]) -> dict[tuple[str, ...], float]:
    """The most frequent values as label values, and the sum of the others as ``other``."""
    kept = counted.most_common(LABELLED)
    samples: dict[tuple[str, ...], float] = {(value,): float(count) for value, count in kept}
    rest = counted.total() - sum(count for _, count in kept)
    if rest:
        samples["other",] = samples.get(("other",), 0.0) + rest
    return samples
