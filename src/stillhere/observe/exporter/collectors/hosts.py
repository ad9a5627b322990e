"""Client hosts that are about to be blocked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from prometheus_client.core import Metric

from stillhere.observe.exporter.collector import Collector, Look, gauge, most_frequent


class Hosts(Collector):
    """Errors in a row by host, against ``max_connect_errors``: at the limit the server turns the host away (1129)."""

    name = "hosts"
    variables: ClassVar[frozenset[str]] = frozenset({"host_cache_size", "max_connect_errors", "performance_schema"})

    def collect(self, look: Look) -> Iterable[Metric]:
        """Needs SELECT on performance_schema.host_cache."""
        limit = look.snapshot.number("max_connect_errors")
        if limit is not None:
            yield gauge("host_error_limit", "max_connect_errors.", {(): limit})
        if not look.snapshot.switched_on("performance_schema") or look.snapshot.number("host_cache_size") == 0:
            raise LookupError("performance_schema or the host cache is switched off")
        if look.hosts is None:
            raise LookupError("needs SELECT on performance_schema.host_cache")
        errors = Counter({one.host or one.ip: one.connect_errors for one in look.hosts if one.connect_errors})
        yield gauge("host_errors", "Interrupted handshakes in a row, by client host.", most_frequent(errors), ("host",))
        near = sum(1 for one in look.hosts if limit and one.connect_errors >= limit / 2)
        yield gauge("hosts_near_block", "Client hosts at half of max_connect_errors or more.", {(): float(near)})
