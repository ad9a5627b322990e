"""``max_connect_errors``: after how many broken handshakes in a row a host is shut out (error 1129).

What breaks them is usually a health check that connects and hangs up; it is mended there. Raised only where a host was
shut out, or is half-way to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence, Severity
from stillhere.tune.change import Answer, Gap, change
from stillhere.tune.measured import Measured

__all__ = ["judge"]

_NAME = "max_connect_errors"
_SHARE = 0.5
_TIMES = 100  # a check every second then takes hours, not minutes, to shut its host out


def judge(measured: Measured) -> Iterator[Answer]:
    """Whether hosts are shut out, or will be."""
    limit = measured.value(_NAME)
    if limit is None or measured.snapshot.switched_on("skip_name_resolve"):
        return  # without look-ups the server keeps no account of hosts, and shuts none out
    if measured.hosts is None:
        yield Gap(name=_NAME, reason=measured.gaps.get("hosts", "hosts unknown"))
        return
    near = [host for host in measured.hosts if host.blocked_attempts or host.connect_errors >= limit * _SHARE]
    if not near:
        return
    shut = sum(host.connect_errors >= limit for host in near)
    yield change(
        measured,
        _NAME,
        max(10_000, limit * _TIMES),
        message=f"{shut} of {len(near)} hosts with broken handshakes are shut out (error 1129)"
        if shut
        else f"{len(near)} hosts are on their way to being shut out",
        why="A good handshake sets the count back; a port check never makes one.",
        evidence=tuple(
            Evidence(
                f"{host.ip}{f' ({host.host})' if host.host else ''}: {host.connect_errors} broken handshakes"
                f" of {limit}, {host.blocked_attempts} attempts refused",
                "performance_schema.host_cache",
            )
            for host in near[:5]
        ),
        severity=Severity.ERROR if shut else Severity.WARNING,
        cost="None in memory. Who guesses passwords is not held up by it: a wrong password doesn't count.",
        advice="Let the health check log in and quit. TRUNCATE performance_schema.host_cache lets hosts in again.",
    )
