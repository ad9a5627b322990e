"""A statement larger than the server takes."""

from __future__ import annotations

from datetime import timedelta

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, TRACEBACK, VARIABLES, Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import bytes_of, source_of, utc
from stillhere.errorlog.entry import Entry, Kind
from stillhere.findings import Remedy

__all__ = ["PacketTooLarge"]

_SAID = "ER_NET_PACKET_TOO_LARGE"
_LEAST_DEFAULT = 1024**2
_STEP = 1024**2
_SAME_MOMENT = timedelta(seconds=2)
_DEFAULTS = "the limit is at least 1 MiB by default on every server, 16 MiB on MariaDB and 64 MiB on MySQL of today"


class PacketTooLarge(Rule):
    """The statement was larger than the server's max_allowed_packet, and the server closed the connection.

    What happens:
        The server reads the packet's length, answers 1153 and hangs up without reading the rest. A driver that is
        still sending sees a broken pipe or a reset, and reports 2006; one that reads first reports 1153. The limit is
        per packet: one statement, one row, one generated string. Many small ones don't add up.

    What shows it:
        1153; a log line about this connection; or a statement whose size, with its parameters, reaches the limit. It
        happens every time that the same statement is sent.

    What speaks against it:
        A size that is known and below the limit. Where the limit isn't known: below the smallest default that any
        supported server has (1 MiB; 16 MiB on MariaDB 10.2 and later, 64 MiB on MySQL 8.0 and later).

    What to do:
        Send less at once, or raise the limit on the server and in the client library. stillhere refuses such a
        statement before it is sent, so that the connection lives.

    Known limits:
        ``max_allowed_packet`` can be set as low as 1024; a limit that was read from the server is believed over the
        default.

    References:
        MySQL manual, "Packet Too Large"; MariaDB manual, "Server System Variables" (max_allowed_packet).
    """

    name = "packet_too_large"
    title = "Statement over max_allowed_packet"
    number = 4
    reference = 'MySQL manual, "Packet Too Large"; MariaDB manual, "Server System Variables", max_allowed_packet'

    def judge(self, seen: Observations) -> Attribution | None:
        """By 1153, the log, or the statement's size against the limit."""
        reading, weighing = Reading(seen), Weighing(self)
        if not reading.told:
            return self._in_a_log(reading, weighing)
        said, logged = reading.has(_SAID), reading.own_lines(Kind.PACKET_TOO_LARGE)
        weighing.pro("the server answered 1153", EXCEPTION, when=said)
        if logged:
            weighing.pro("the log says so of this connection", source_of(logged[0]))
        if said or logged:
            self._weigh_size(reading, weighing)
            return self._answer(reading, weighing, Certainty.PROVED)
        if not _fits(reading) or reading.said_inactive or reading.restart.happened:
            return None
        near = () if reading.by_key else _in_the_same_moment(reading)
        if near:
            weighing.pro("the log has a packet that is too large at that moment", source_of(near[0]))
        if reading.too_large or near:
            self._weigh_size(reading, weighing)
            return self._answer(reading, weighing, Certainty.LIKELY)
        return self._by_size(reading, weighing)

    def _by_size(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        size, least, limit = reading.statement_size, reading.statement_at_least, _limit(reading)
        shown = size if size is not None else (least if reading.by_key else None)
        if shown is not None:
            weighing.pro(f"{reading.met('CR_SERVER_GONE_ERROR', 'CR_SERVER_LOST_EXTENDED')} can mean it", EXCEPTION)
            what = f"the statement is {bytes_of(shown)}"
            if size is None:
                what = f"the statement is {bytes_of(shown)} and the id of one row"
            if limit:
                weighing.con(f"{what}, the limit {bytes_of(limit)}", VARIABLES)
            elif shown < _LEAST_DEFAULT:
                weighing.con(f"{what}; {_DEFAULTS}", TRACEBACK)
        elif least >= _LEAST_DEFAULT:
            weighing.pro(f"the statement is at least {bytes_of(least)}", TRACEBACK)
        return self._answer(reading, weighing, Certainty.POSSIBLE)

    def _weigh_size(self, reading: Reading, weighing: Weighing) -> None:
        size, limit = reading.statement_size or reading.statement_at_least, _limit(reading)
        if size and limit:
            weighing.pro(f"{bytes_of(size)} were to be sent, max_allowed_packet is {bytes_of(limit)}", CLIENT)

    def _answer(self, reading: Reading, weighing: Weighing, best: Certainty) -> Attribution | None:
        size, limit = reading.statement_size or reading.statement_at_least, _limit(reading)
        least = "" if reading.statement_size else "at least "
        what = f"a statement of {least}{bytes_of(size)}" if size else "a statement"
        over = f", {bytes_of(limit)}" if limit else ""
        sentence = f"{what} was over the server's max_allowed_packet{over}"
        return weighing.answer(
            best,
            sentence,
            _remedy(size),
            ("SELECT @@session.max_allowed_packet, beside the size of the statement with its parameters",),
        )

    def _in_a_log(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        lines = reading.lines(Kind.PACKET_TOO_LARGE)
        if lines:
            weighing.pro(f"the log has a packet that is too large {reading.counted(lines)}", source_of(lines[0]))
        return weighing.answer(
            Certainty.PROVED,
            f"clients sent more than max_allowed_packet {reading.counted(lines)}, and were closed",
            _remedy(0),
        )


def _in_the_same_moment(reading: Reading) -> tuple[Entry, ...]:
    """The log's lines about too large a packet of whoever it was, where client and log agree on the time."""
    window = reading.window
    if window is None:
        return ()
    return tuple(
        line
        for line in reading.lines(Kind.PACKET_TOO_LARGE)
        if line.at is not None and abs(utc(line.at) - window.end) <= _SAME_MOMENT
    )


def _fits(reading: Reading) -> bool:
    """Whether the client failed as it does when the server hangs up on it in the middle of sending."""
    gone = reading.has("CR_SERVER_GONE_ERROR", "CR_SERVER_LOST_EXTENDED")
    lost = reading.has("CR_SERVER_LOST") and bool(reading.too_large)
    sending = reading.loss.phase in ("", "SEND", "AWAIT", "COMMIT")
    return (gone or lost or (sending and bool(reading.too_large))) and sending and not reading.connecting


def _limit(reading: Reading) -> float | None:
    return reading.session.max_allowed_packet or reading.number("max_allowed_packet") or None


def _remedy(size: int) -> Remedy:
    enough = max(64, 2 * (size // _STEP + 1))
    return Remedy(
        "Send it in parts, or raise max_allowed_packet on the server, and in the client library where it has a limit"
        " of its"
        " own; existing connections keep the old one. The stillhere plugin refuses such a statement before it is sent.",
        (f"SET PERSIST max_allowed_packet = {enough * _STEP}  -- MySQL", f"[mysqld]\nmax_allowed_packet = {enough}M"),
        "each connection may then use that much memory",
    )
