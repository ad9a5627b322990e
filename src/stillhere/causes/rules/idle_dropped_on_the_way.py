"""Something between client and server forgets idle connections."""

from __future__ import annotations

import errno

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, PROCESSLIST, STATUS, Reading
from stillhere.causes.remedies import ASK_LIMITS, ASK_UPTIME
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["IdleDroppedOnTheWay"]

_LEAST = 30.0
_SEVERAL = 2
_ROOM = 1.1
_CUT_AT_FIRST_PACKET = frozenset({errno.ETIMEDOUT, errno.ECONNRESET, errno.EPIPE})
_HOPS = (
    (50.0, "HAProxy's sample configurations"),
    (240.0, "an Azure load balancer"),
    (350.0, "an AWS network load balancer"),
    (1800.0, "RDS Proxy"),
)


class IdleDroppedOnTheWay(Rule):
    """A proxy, load balancer, NAT or firewall between client and server dropped the idle connection.

    What happens:
        Each hop keeps a table of connections and forgets those that are silent for longer than its own limit. Some
        reset both ends, some only answer the next packet with a reset, some swallow it, so that the client hangs. The
        server notices much later, if at all.

    What shows it:
        The connection had idled for at least half a minute but for much less than the server's own limit, the server
        was not restarted and nobody sent KILL; its thread is still in the process list; earlier losses had idled for
        as long too.

    What speaks against it:
        An idle time over the session's ``wait_timeout``; a restart; a KILL.

    What to do:
        Find the shortest limit on the way and stay below it: recycle or check pooled connections, or send keepalives
        more often than that.

    Known limits:
        From a traceback alone it can't be told from the server's own limit. The limits named are defaults of common
        hops (AWS NLB 350 s, Azure 240 s, RDS Proxy 1800 s, HAProxy's samples 50 s) and can be set otherwise.

    References:
        AWS documentation, "Network Load Balancers" (connection idle timeout); Microsoft Learn, "Load Balancer TCP
        Reset and Idle Timeout"; MySQL manual, "MySQL server has gone away".
    """

    name = "idle_dropped_on_the_way"
    title = "Dropped by a hop while idle"
    number = 3
    refines = ("network_lost",)
    reference = 'MySQL manual, "MySQL server has gone away"; tcp(7), tcp_keepalive_time'

    def judge(self, seen: Observations) -> Attribution | None:
        """By an idle time below the server's limit, and what is excluded."""
        reading, weighing = Reading(seen), Weighing(self)
        if _named_otherwise(reading) or reading.over_idle_limit or reading.over_transaction_limit:
            return None
        pause = reading.pause
        if pause is None:
            return self._open(reading, weighing) if reading.perhaps_stale else None
        at_first_packet = reading.in_flight and reading.os_error in _CUT_AT_FIRST_PACKET
        if pause < _LEAST or not (reading.stale or at_first_packet):
            return None
        self._weigh(reading, weighing, pause)
        limit = reading.idle_limit
        below = limit is None or pause * _ROOM < limit
        excluded = reading.restart.happened is False and seen.server.kills == 0 and limit is not None
        repeated = len([idle for idle in seen.loss.earlier_idle if idle >= _LEAST]) >= _SEVERAL and limit is not None
        sure = below and (excluded or repeated or seen.server.thread_alive is True)
        own = f"; the server's own limit is {seconds(limit)}" if limit else ""
        return weighing.answer(
            Certainty.LIKELY if sure else Certainty.POSSIBLE,
            f"idle {seconds(pause)} on a connection that something on the way had dropped{own}",
            _remedy(min((pause, *(idle for idle in seen.loss.earlier_idle if idle >= _LEAST)))),
            _SETTLE,
        )

    def _weigh(self, reading: Reading, weighing: Weighing, pause: float) -> None:
        limit, restart, server = reading.idle_limit, reading.restart, reading.server
        compared = f", wait_timeout {seconds(limit)}" if limit else ""
        weighing.pro(f"idle {seconds(pause)}{compared}", CLIENT)
        hop = next((name for least, name in reversed(_HOPS) if least <= pause), "")
        weighing.pro(f"as long as {hop} keeps one", CLIENT, when=bool(hop))
        earlier = [idle for idle in reading.loss.earlier_idle if idle >= _LEAST]
        if earlier:
            weighing.pro(f"{len(earlier)} earlier losses had idled for at least {seconds(min(earlier))} too", CLIENT)
        weighing.pro("its thread is still in the process list", PROCESSLIST, when=server.thread_alive is True)
        weighing.pro(restart.fact, restart.source, when=restart.happened is False)
        weighing.pro("Com_kill did not grow", STATUS, when=server.kills == 0)
        late = [line for line in reading.own_lines(Kind.ABORTED) if "error reading" in line.reason.lower()]
        if late:
            weighing.pro("the log: the server found this connection broken", source_of(late[0]))
        weighing.con(f"Com_kill grew by {server.kills}", STATUS, when=bool(server.kills), weak=True)
        weighing.con(restart.fact, restart.source, when=bool(restart.happened))

    def _open(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        weighing.pro(*reading.dead_before)
        reset = reading.os_error == errno.ECONNRESET
        weighing.pro("the system says that it was reset (104)", EXCEPTION, when=reset)
        weighing.con(reading.restart.fact, reading.restart.source, when=bool(reading.restart.happened), weak=True)
        return weighing.answer(
            Certainty.POSSIBLE,
            "a proxy, balancer or firewall on the way may have dropped the idle connection",
            _remedy(None),
            _SETTLE,
        )


_SETTLE = (
    ASK_LIMITS,
    "the idle timeouts of every proxy, load balancer, NAT and firewall between client and server",
    ASK_UPTIME,
)


def _named_otherwise(reading: Reading) -> bool:
    loss = reading.loss
    return bool(
        not reading.lossy
        or reading.said_inactive
        or reading.timed_out
        or reading.too_large
        or loss.proactive
        or reading.has("ER_CONNECTION_KILLED", "ER_SERVER_SHUTDOWN", "ER_NET_PACKET_TOO_LARGE")
        or reading.own_lines(Kind.IDLE_TIMEOUT)
        or any("timeout" in line.reason.lower() for line in reading.own_lines(Kind.ABORTED))
    )


def _remedy(least: float | None) -> Remedy:
    recycle = "" if least is None else f" It is at most {seconds(least)} here."
    value = 240 if least is None else max(1, int(least * 0.8))
    return Remedy(
        f"The shortest limit on the way decides: keep pooled connections below it.{recycle} The stillhere plugin"
        " looks at a"
        " connection before use and learns the limit from losses; with keepalive on, it pings before that.",
        (
            f"create_engine(url, pool_pre_ping=True, pool_recycle={value})",
            f"sysctl net.ipv4.tcp_keepalive_time={value}",
        ),
    )
