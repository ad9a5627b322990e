"""The way between client and server broke."""

from __future__ import annotations

import errno

from stillhere.causes.deaths import death
from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, PROCESSLIST, STATUS, Reading
from stillhere.causes.remedies import ASK_KILLS, ASK_UPTIME
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["NetworkLost"]

_SILENT = {
    errno.ETIMEDOUT: "the system gave up on a peer that was silent (110)",
    errno.EHOSTUNREACH: "the system found no way to the host (113)",
    errno.ENETUNREACH: "the system found no way to the network (101)",
    errno.ENETDOWN: "the system's network was down (100)",
}
_CUT = {
    errno.ECONNRESET: "the connection was reset (104)",
    errno.ECONNABORTED: "the connection was aborted (103)",
    errno.EPIPE: "the peer had closed the connection (32)",
}
_CUT_OFF = ("CR_SERVER_LOST", "CR_SERVER_GONE_ERROR")
_UNREACHED = ("CR_CONN_HOST_ERROR", "CR_CONNECTION_ERROR", "CR_UNKNOWN_HOST", *_CUT_OFF)
_OTHERS = ("ER_NET_PACKET_TOO_LARGE", "CR_NET_PACKET_TOO_LARGE", "ER_SERVER_SHUTDOWN", "ER_CONNECTION_KILLED")
_LONG = 30.0


class NetworkLost(Rule):
    """The way between client and server broke while the connection was in use, or the peer fell silent.

    What happens:
        Something between the two resets or closes the connection, or swallows its packets: a proxy or balancer that
        restarts, a moved address, a container network that is reloaded, a cable. The server lived on and ended
        nothing.

    What shows it:
        The system's own error: 110 (a silent peer), 113 or 101 (no way). The connection's thread still in the server's
        process list after the client lost it. Else by exclusion, with measurements: the server was not restarted,
        nobody sent KILL, and no limit of the server had passed. The server's log, later: ``Got an error reading
        communication packets`` about this connection.

    What speaks against it:
        A restart; a KILL; words of the server (1927, 1053, 4031, 1153); a log line that says that the server ended it.

    What to do:
        Look at what stands between: proxies' and balancers' logs and timeouts, the network's events at that minute.

    Known limits:
        Neither end can tell a dead peer from a broken network. Where ``Uptime`` and ``Com_kill`` weren't asked, a
        reset is only possibly the network's. The server's own host frozen or swapping looks the same while it lasts.

    References:
        MySQL manual, "Lost connection to MySQL server" and "Communication Errors and Aborted Connections"; tcp(7)
        (TCP_USER_TIMEOUT, keepalive).
    """

    name = "network_lost"
    title = "The way to the server broke"
    number = 39
    refines = ("handshake_lost",)
    reference = 'MySQL manual, "Lost connection to MySQL server" and "Communication Errors and Aborted Connections"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the system's error or the server's living thread, else by what is excluded."""
        reading, weighing = Reading(seen), Weighing(self)
        if not reading.told or _named_otherwise(reading):
            return None
        if reading.connecting:
            return self._unreached(reading, weighing)
        if not reading.lossy or (reading.stale and reading.over_idle_limit) or reading.over_transaction_limit:
            return None
        if reading.restart.happened and reading.os_error not in _SILENT:
            return None
        self._weigh(reading, weighing)
        return self._answer(reading, weighing, self._best(reading))

    def _best(self, reading: Reading) -> Certainty:
        server = reading.server
        paused = reading.pause is not None and reading.pause >= _LONG
        if reading.os_error in _SILENT and not reading.restart.happened:
            return Certainty.LIKELY if paused else Certainty.PROVED
        unharmed = reading.restart.happened is False and server.kills == 0
        # What lies idle for long is cut by limits more often than by accidents.
        brief = not paused and not reading.unplaced and (reading.in_flight or reading.idle is not None)
        if server.thread_alive or (unharmed and brief):
            return Certainty.LIKELY
        return Certainty.POSSIBLE

    def _weigh(self, reading: Reading, weighing: Weighing) -> None:
        server, restart = reading.server, reading.restart
        error = reading.os_error
        known = {**_SILENT, **_CUT}
        excluded = restart.happened is False and server.kills == 0
        weighing.pro(
            known.get(error or 0, ""), EXCEPTION, when=error in _SILENT or (error in _CUT and reading.in_flight)
        )
        weighing.pro("it was lost with a statement in flight", CLIENT, when=reading.in_flight and error not in known)
        hangup = reading.loss.hangup
        weighing.pro(f"the peer had hung up ({hangup}) without a word", "socket", when=bool(hangup))
        weighing.pro("its thread is still in the process list", PROCESSLIST, when=server.thread_alive is True)
        weighing.pro(restart.fact, restart.source, when=restart.happened is False)
        weighing.pro("Com_kill did not grow", STATUS, when=server.kills == 0)
        if reading.stale and reading.over_idle_limit is False and excluded:
            weighing.pro(f"idle {seconds(reading.idle or 0)} only, far from its idle limit", CLIENT)
        for line in reading.own_lines(Kind.ABORTED):
            ended = "timeout" in line.reason.lower() or "killed" in line.reason.lower()
            weighing.pro(f"the log: {_reason(ended=ended)}", source_of(line), when=not ended)
            weighing.con(f"the log: {_reason(ended=ended)}", source_of(line), when=ended)
        weighing.con(f"Com_kill grew by {server.kills}", STATUS, when=bool(server.kills), weak=True)
        weighing.con(restart.fact, restart.source, when=bool(restart.happened), weak=True)
        told = "ER_SERVER_SHUTDOWN" in reading.symbols_of(reading.loss.other_codes)
        weighing.con("another connection was told of a shutdown (1053) in the same second", CLIENT, when=told)

    def _unreached(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        if not reading.has(*_UNREACHED) and reading.codes:
            return None
        restart = reading.restart
        weighing.pro(_SILENT.get(reading.os_error or 0, ""), EXCEPTION, when=reading.os_error in _SILENT)
        weighing.pro(
            f"the server could not be reached ({reading.met(*_UNREACHED)})", EXCEPTION, when=reading.has(*_UNREACHED)
        )
        weighing.con(restart.fact, restart.source, when=bool(restart.happened))
        ran = restart.happened is False
        weighing.pro(restart.fact, restart.source, when=ran)
        # A greeting that is cut off may have many reasons; together with connections that were in use it has theirs.
        others = reading.loss.others or 0
        weighing.pro(f"{others} connections in use were lost within a second of it", CLIENT, when=bool(others))
        kills = reading.server.kills
        weighing.con(f"Com_kill grew by {kills}", STATUS, when=bool(kills) and reading.has(*_CUT_OFF), weak=True)
        lost_greeting = reading.has(*_CUT_OFF) and not others
        best = Certainty.LIKELY if (ran or reading.os_error in _SILENT) and not lost_greeting else Certainty.POSSIBLE
        return self._answer(reading, weighing, best)

    def _answer(self, reading: Reading, weighing: Weighing, best: Certainty) -> Attribution | None:
        if reading.connecting:
            what = "the server could not be reached over the network"
        elif reading.os_error in _SILENT:
            what = "the peer fell silent"
        elif reading.in_flight:
            what = "the connection was cut on its way, with a statement in flight"
        else:
            what = "the connection was cut on its way while nobody used it"
        ran = "; the server ran on" if reading.restart.happened is False else ""
        return weighing.answer(
            best,
            what + ran,
            Remedy(
                "Look at what stands between client and server at that moment: the logs and timeouts of proxies and"
                " balancers, changes of the network, a moved address. The stillhere plugin finds a silent peer within"
                " detect_within and continues on a new connection where nothing can be doubled.",
                ("create_engine(url + '?plugin=stillhere')",),
            ),
            (
                ASK_UPTIME,
                ASK_KILLS,
                "SHOW FULL PROCESSLIST: is the lost connection's thread still there?",
                "the logs of every proxy and balancer between client and server",
            ),
        )


def _reason(*, ended: bool) -> str:
    return (
        "the server itself ended this connection"
        if ended
        else "the server found this connection broken while it read or wrote"
    )


def _named_otherwise(reading: Reading) -> bool:
    """Whether the server, the driver or the log named another reason."""
    end = death(reading)
    return bool(
        reading.too_large
        or reading.timed_out
        or reading.read_timeout_passed
        or reading.client.interrupted
        or reading.out_of_step
        or reading.said_inactive
        or reading.loss.proactive
        or reading.has(*_OTHERS)
        or reading.own_lines(Kind.IDLE_TIMEOUT, Kind.PACKET_TOO_LARGE)
        or (end is not None and end.exact and reading.restart.happened is not False)
        or (reading.connecting and reading.lines(Kind.ACCEPT_FAILED, Kind.NAME_RESOLUTION, Kind.UPGRADE_REFUSED))
    )
