"""MariaDB's ``idle_transaction_timeout`` and its two kin: how long a session may be idle within a transaction.

Raised only where sessions were seen cut at that age; switched on by nobody but the user, since it cuts.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.tune.change import Answer, change
from stillhere.tune.measured import Cut, Measured
from stillhere.tune.rules.wait_timeout import FLOOR

__all__ = ["NAMES", "judge"]

NAMES = ("idle_transaction_timeout", "idle_readonly_transaction_timeout", "idle_write_transaction_timeout")


def judge(measured: Measured) -> Iterator[Answer]:
    """Whether open transactions are cut sooner than an application needs."""
    need = measured.needs.idle or FLOOR
    for name in NAMES:
        limit = measured.value(name)
        if not limit or limit >= need or limit >= (measured.value("wait_timeout") or 0):
            continue
        at = [idle for seen in measured.happened(Cut.IDLE, name) for idle in seen.at]
        if any(abs(idle - limit) <= 2 for idle in at):  # noqa: PLR2004 - whole seconds, looked at twice in each
            yield change(
                measured,
                name,
                int(need),
                message=f"{name} = {limit} s cuts sessions in open transactions",
                why="The transaction is rolled back, and the client reads 2006 on its next statement.",
                evidence=measured.evidence(Cut.IDLE, name),
                cost=f"What an idle transaction has locked stays locked for {need:g} s instead of {limit} s.",
                advice="Better: no slow work (a call to another service, a sleep) inside a transaction.",
            )
