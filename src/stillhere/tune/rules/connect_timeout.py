"""``connect_timeout``: how long a handshake may take.

Raised to the default where it is below it and handshakes ran out of time.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence
from stillhere.tune.change import Answer, Gap, change
from stillhere.tune.knobs import KNOBS
from stillhere.tune.measured import Cut, Measured

__all__ = ["judge"]

_NAME = "connect_timeout"


def judge(measured: Measured) -> Iterator[Answer]:
    """Whether slow handshakes are given up."""
    limit, default = measured.value(_NAME), KNOBS.get(_NAME).default(measured.snapshot.version)
    if limit is None or default is None or limit >= default:
        return
    broken = measured.snapshot.count("aborted_connects_preauth") or 0  # MariaDB; port checks count as well
    evidence = measured.evidence(Cut.HANDSHAKE, _NAME)
    if not evidence and broken:
        evidence = (
            Evidence(
                f"{broken} connections ended before they had logged in; port checks are among them",
                "Aborted_connects_preauth",
            ),
        )
    if not evidence:
        if Cut.HANDSHAKE not in measured.cuts:
            yield Gap(name=_NAME, reason=measured.gaps.get("cuts", "nobody counted handshakes"))
        return
    yield change(
        measured,
        _NAME,
        default,
        message=f"handshakes are given up after {limit} s",
        why="A client behind TLS, a tunnel or a busy machine sees 2013 'reading authorization packet'.",
        evidence=evidence,
        cost=f"A connection that never logs in holds its thread for {default} s instead of {limit} s.",
    )
