"""``skip_name_resolve``: no look-up of clients' names at login.

Proposed only where look-ups were seen to fail and no account is bound to a host by name: such an account could not log
in any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence
from stillhere.tune.change import Answer, Gap, change, note
from stillhere.tune.measured import Measured

__all__ = ["judge"]

_NAME = "skip_name_resolve"


def judge(measured: Measured) -> Iterator[Answer]:
    """Whether look-ups delay or fail logins."""
    if measured.snapshot.switched_on(_NAME) is not False:
        return
    failed = measured.snapshot.count("connection_errors_peer_address") or 0
    if measured.hosts is None and not failed:
        yield Gap(name=_NAME, reason=measured.gaps.get("hosts", "hosts unknown"))
        return
    hosts = [host for host in measured.hosts or () if host.name_errors]
    if not hosts and not failed:
        return
    evidence = tuple(
        Evidence(f"{host.ip}: {host.name_errors} failed look-ups of its name", "performance_schema.host_cache")
        for host in hosts[:5]
    )
    if failed:
        evidence += (
            Evidence(f"{failed} errors while a client's address was looked up", "Connection_errors_peer_address"),
        )
    if measured.named is None:
        yield Gap(
            name=_NAME, reason=f"look-ups fail; {measured.gaps.get('named', 'accounts unknown')} to see who needs them"
        )
    elif measured.named:
        shown = ", ".join(measured.named[:5])
        yield note(
            measured,
            _NAME,
            message=f"look-ups of clients' names fail, and {len(measured.named)} accounts are bound to a name: {shown}",
            why="Every login waits for the resolver; without look-ups these accounts could not log in.",
            evidence=evidence,
            remedy=f"Bind the accounts to addresses, then set {_NAME}; or give the clients names.",
        )
    else:
        yield change(
            measured,
            _NAME,
            "ON",
            message="look-ups of clients' names fail, and no account is bound to a name",
            why="Every login from a new address waits for the resolver, longest where it doesn't answer.",
            evidence=evidence,
            cost="The process list and the logs show addresses. Hosts are no longer counted, nor shut out.",
        )
