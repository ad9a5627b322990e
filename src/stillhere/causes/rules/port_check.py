"""Monitors that open the port and hang up."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from stillhere.causes.observations import Observations
from stillhere.causes.reading import Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of, utc
from stillhere.errorlog.entry import Entry, Kind
from stillhere.findings import Remedy

__all__ = ["PortCheck"]

_ENOUGH = 4
_REGULAR = 0.2


class PortCheck(Rule):
    """A monitor or a balancer opens the port, and leaves without logging in: noise, not a loss.

    What happens:
        ``Aborted_connects`` grows, and the log has ``This connection closed normally without authentication``
        (MariaDB) or an aborted connect. No application sees anything, so that this rule judges from logs alone.

    What shows it:
        MariaDB's line says so itself; elsewhere aborted connects of one host in regular distance.

    What speaks against it:
        Irregular times: then logins may really fail.

    What to do:
        Nothing, or have the check log in and quit. On MySQL, checks that are broken off may block their host.

    Known limits:
        A monitor whose period varies by more than a fifth isn't recognised.

    References:
        MySQL manual, "Communication Errors and Aborted Connections"; MariaDB manual, "Server Status Variables"
        (Aborted_connects_preauth).
    """

    name = "port_check"
    title = "Port checks"
    number = 35
    is_loss = False
    reference = (
        'MySQL manual, "Communication Errors and Aborted Connections"; MariaDB manual, "Server Status Variables",'
        " Aborted_connects_preauth"
    )

    def judge(self, seen: Observations) -> Attribution | None:
        """By the log's own words, or regular times, where no client was told of anything."""
        reading, weighing = Reading(seen), Weighing(self)
        if reading.told:
            return None
        said, broken = reading.lines(Kind.UNAUTHENTICATED), reading.lines(Kind.ABORTED_CONNECT)
        host, period = _regular(broken)
        if said:
            weighing.pro(
                f"the log has a connection closed without authentication {reading.counted(said)}", source_of(said[0])
            )
        if period is not None:
            weighing.pro(f"aborted connects from {host} every {seconds(period)}", source_of(broken[0]))
        every = f", every {seconds(period)}" if period is not None else ""
        return weighing.answer(
            Certainty.PROVED if said else Certainty.LIKELY,
            f"something opens the port and leaves without logging in{every}: noise, nothing was lost",
            Remedy(
                "Nothing has to be done. To keep the counters clean, have the check log in and quit.",
                ("mysqladmin --user=monitor ping",),
            ),
            ("what monitors or balances this port, and how often",),
        )


def _regular(lines: tuple[Entry, ...]) -> tuple[str, float | None]:
    """The host whose aborted connects come in regular distance, and that distance."""
    hosts: dict[str, list[float]] = {}
    for line in lines:
        if line.at is not None and line.host:
            hosts.setdefault(line.host, []).append(utc(line.at).timestamp())
    for host, at in hosts.items():
        gaps = [later - sooner for sooner, later in pairwise(sorted(at))]
        if len(at) >= _ENOUGH and (period := median(gaps)) > 0:
            even = [gap for gap in gaps if abs(gap - period) <= period * _REGULAR]
            if len(even) * 4 >= len(gaps) * 3:
                return host, period
    return "", None
