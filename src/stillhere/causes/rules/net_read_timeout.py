"""The client sent a statement too slowly."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, VARIABLES, Reading
from stillhere.causes.remedies import ASK_LOG
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["NetReadTimeout"]

_DEFAULT = 30.0


class NetReadTimeout(Rule):
    """The server gave up in the middle of reading a statement that the client sent too slowly.

    What happens:
        Once the first bytes of a packet are there, the server waits ``net_read_timeout`` seconds (30 by default) for
        more. A client that pauses in mid-packet (LOAD DATA LOCAL from a slow source, a very slow line) is closed.

    What shows it:
        The loss came while sending, at least that long after it began; the log has ``Got timeout reading communication
        packets`` of this connection, which had not been idle.

    What speaks against it:
        A loss sooner after sending began. The log's line is the same for ``wait_timeout``: an idle connection is not
        this.

    What to do:
        Send in smaller pieces, or allow more time.

    Known limits:
        Drivers build a statement before they send it, so that this is rare outside LOAD DATA LOCAL; the pause itself
        isn't observed.

    References:
        MySQL manual, "Server System Variables" (net_read_timeout); MariaDB manual, "Server System Variables" (the
        same).
    """

    name = "net_read_timeout"
    title = "Statement sent too slowly"
    number = 9
    reference = 'MySQL manual, "Server System Variables", net_read_timeout'

    def judge(self, seen: Observations) -> Attribution | None:
        """By a long sending, and the log."""
        reading, weighing = Reading(seen), Weighing(self)
        took, limit = seen.loss.duration, reading.number("net_read_timeout")
        if seen.loss.phase != "SEND" or took is None or not reading.lossy or reading.too_large:
            return None
        if reading.timed_out or reading.restart.happened or reading.client.interrupted or reading.over_idle_limit:
            return None
        own = [line for line in reading.own_lines(Kind.ABORTED) if "timeout reading" in line.reason.lower()]
        over = took >= (limit or _DEFAULT)
        if not over and not own:
            return None
        named = f", net_read_timeout {seconds(limit)}" if limit else ""
        weighing.pro(
            f"it was lost {seconds(took)} after sending began{named}", VARIABLES if limit else CLIENT, when=over
        )
        weighing.con(f"it was lost {seconds(took)} after sending began{named}", CLIENT, when=not over)
        if own:
            weighing.pro("the log: the server timed out while it read from this connection", source_of(own[0]))
        best = Certainty.LIKELY if own and over else Certainty.POSSIBLE
        return weighing.answer(
            best,
            f"the server gave up reading a statement that took {seconds(took)} to send",
            Remedy(
                "Send in smaller pieces (LOAD DATA from a local file, not from a slow stream), or raise"
                " net_read_timeout.",
                ("SET SESSION net_read_timeout = 120",),
            ),
            (ASK_LOG, "SHOW SESSION VARIABLES LIKE 'net_read_timeout'"),
        )
