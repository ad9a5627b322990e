"""The client read a result too slowly."""

from __future__ import annotations

from stillhere.apptrace.report import Position
from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, TRACEBACK, VARIABLES, Reading
from stillhere.causes.remedies import ASK_LOG
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["NetWriteTimeout"]

_DEFAULT = 60.0


class NetWriteTimeout(Rule):
    """The server gave up writing a result that the client read too slowly.

    What happens:
        With an unbuffered cursor the rows stay on the server until they are fetched. When the application works
        between fetches for so long that the server can't write for ``net_write_timeout`` seconds (60 by default), the
        server closes the connection; the client gets what was on the way and then 2013, in the middle of a fetch.

    What shows it:
        The log's ``Got timeout writing communication packets`` of this connection (MariaDB 10.11 was seen to write
        ``Got an error writing`` for it); or a loss while fetching from an unbuffered cursor, that long after the
        statement was sent.

    What speaks against it:
        A buffered cursor: its rows are all in the client before the first fetch.

    What to do:
        Read the rows first and work afterwards, or read them page by page.

    Known limits:
        How long the pause between two fetches was isn't observed.

    References:
        MySQL manual, "Server System Variables" (net_write_timeout); MariaDB manual, "Server System Variables" (the
        same).
    """

    name = "net_write_timeout"
    title = "Result read too slowly"
    number = 8
    reference = 'MySQL manual, "Server System Variables", net_write_timeout'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the log, else by a long unbuffered fetch."""
        reading, weighing = Reading(seen), Weighing(self)
        if not reading.told:
            return self._in_a_log(reading, weighing)
        if not reading.in_flight or reading.timed_out or reading.restart.happened or reading.client.interrupted:
            return None
        fetching = seen.loss.phase == "FETCH" or (not seen.loss.phase and reading.position is Position.FETCH)
        own = [line for line in reading.own_lines(Kind.ABORTED) if "writing" in line.reason.lower()]
        said = [line for line in own if "timeout" in line.reason.lower()]
        if not fetching and not own:
            return None
        limit, took = reading.number("net_write_timeout"), seen.loss.duration
        long_enough = took is not None and took >= (limit or _DEFAULT)
        weighing.pro("it was lost while rows were fetched", CLIENT if seen.loss.phase else TRACEBACK, when=fetching)
        weighing.pro("the cursor was unbuffered", CLIENT, when=seen.client.buffered is False)
        weighing.con("the cursor was buffered", CLIENT, when=seen.client.buffered is True)
        if own:
            weighing.pro("the log: the server could not go on writing to this connection", source_of(own[0]))
        if took is not None:
            named = f", net_write_timeout {seconds(limit)}" if limit else ""
            weighing.pro(f"{seconds(took)} after the statement was sent{named}", VARIABLES, when=long_enough)
            weighing.con(f"{seconds(took)} only after the statement was sent{named}", VARIABLES, when=not long_enough)
        best = Certainty.PROVED if said else Certainty.POSSIBLE
        slow = seen.client.buffered is False and long_enough
        if not said and slow and (own or (reading.restart.happened is False and seen.server.kills == 0)):
            best = Certainty.LIKELY
        return self._answer(weighing, best)

    def _in_a_log(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        for line in reading.lines(Kind.ABORTED):
            if "timeout writing" in line.reason.lower():
                weighing.pro("the log has a timeout while writing", source_of(line))
                return self._answer(weighing, Certainty.PROVED)
        return None

    def _answer(self, weighing: Weighing, best: Certainty) -> Attribution | None:
        return weighing.answer(
            best,
            "the client read its result too slowly, and the server gave up writing it",
            Remedy(
                "Read the rows before working on them, or page by key with short statements; a longer"
                " net_write_timeout for the"
                " session helps where neither can be done.",
                ("SET SESSION net_write_timeout = 600", "SELECT … WHERE id > %s ORDER BY id LIMIT 1000"),
                "a slow reader holds the server's thread, its locks and its snapshot for as long",
            ),
            (ASK_LOG, "what the application does between two fetches, and for how long"),
        )
