"""Whether an outcome that was said to be unknown really was: seen from the wire, not from the client. Pure."""

from __future__ import annotations

from collections import defaultdict

from stillhere.lab.check.history import Cut, Kind, Operation, Troubles

__all__ = ["Evidence"]

_SLACK = 0.5  # seconds from a cut, a KILL or an outage to the moment at which a client meets it
_COMMITTING = {Kind.NOTE: "INSERT", Kind.CALL: "CALL"}


class Evidence:
    """What was done to the connections, by operation and by thread.

    Ambiguous is a COMMIT, or a write that commits by itself, whose connection was cut after the client had sent it
    and before the client had its reply; likewise where the server ended the connection, by a KILL of it, a crash or
    a restart. Ambiguous for its client is also what was sent in the moment between a cut and its arrival.
    """

    def __init__(self, troubles: Troubles) -> None:
        self._cuts: defaultdict[str, list[Cut]] = defaultdict(list)
        self._behind: defaultdict[int, list[float]] = defaultdict(list)
        for cut in troubles.cuts:
            self._cuts[cut.operation].append(cut)
            if cut.when == "AFTER_REPLY":
                self._behind[cut.thread_id].append(cut.at)
        self._kills: defaultdict[int, list[float]] = defaultdict(list)
        for at, thread_id in troubles.kills:
            self._kills[thread_id].append(at)
        self._outages = troubles.outages

    def of_doubt(self, operation: Operation) -> str:
        """What made an outcome unknown; empty where nothing did."""
        words = {"COMMIT", _COMMITTING.get(operation.kind, "COMMIT")}
        for cut in self._cuts.get(operation.id, ()):
            if cut.verb in words:
                return f"cut at {cut.verb}, {cut.when}"
        for loss in operation.losses:
            if any(operation.invoked - _SLACK <= at <= operation.ended for at in self._behind[loss.thread_id]):
                return "cut behind the reply before, which reached the client after it had sent the next command"
            for at in self._kills[loss.thread_id]:
                if operation.invoked - _SLACK <= at <= operation.ended:
                    return "its connection was killed"
        for outage in self._outages:
            if outage.began <= operation.ended and operation.invoked <= outage.ended + _SLACK:
                return "the server was crashed" if outage.crash else "the server was restarted"
        return ""
