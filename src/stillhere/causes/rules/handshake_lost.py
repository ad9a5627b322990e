"""The connection was lost before it was open."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import EXCEPTION, STATUS, VARIABLES, Reading
from stillhere.causes.remedies import ASK_LOG
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["HandshakeLost"]

_LOST = ("CR_SERVER_LOST", "CR_SERVER_HANDSHAKE_ERR", "CR_SERVER_LOST_EXTENDED", "ER_HANDSHAKE_ERROR")


class HandshakeLost(Rule):
    """Something answered on the port, and was gone before the client had logged in.

    What happens:
        The TCP connection opens, but the greeting or the answer to the login doesn't come: a tunnel, a sidecar or a
        balancer without a server behind it, a service that isn't MySQL, a server that is overloaded, or
        ``connect_timeout`` of either side.

    What shows it:
        2013 (``at 'reading initial communication packet'``, ``'reading authorization packet'``) or 2012 while
        connecting; ``Aborted_connects`` that grows.

    What speaks against it:
        A restart at that moment: then the server was on its way down or up.

    What to do:
        Talk to the port by hand, first next to the server, then from the client.

    Known limits:
        Which of the two ends gave up, and what stands between, isn't known from the number.

    References:
        MySQL manual, "Lost connection to MySQL server" and "Communication Errors and Aborted Connections".
    """

    name = "handshake_lost"
    title = "Lost before login was over"
    number = 10
    reference = 'MySQL manual, "Lost connection to MySQL server" and "Communication Errors and Aborted Connections"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the number while connecting."""
        reading, weighing = Reading(seen), Weighing(self)
        if not reading.connecting or not reading.has(*_LOST):
            return None
        weighing.pro(f"{reading.met(*_LOST)} while connecting", EXCEPTION)
        aborted = sum(seen.server.deltas.get(name, 0) for name in ("aborted_connects", "aborted_connects_preauth"))
        weighing.pro(f"Aborted_connects grew by {aborted}", STATUS, when=aborted > 0)
        limit, took = reading.number("connect_timeout"), seen.loss.duration
        if limit and took is not None:
            weighing.pro(f"it took {seconds(took)}, connect_timeout {seconds(limit)}", VARIABLES, when=took >= limit)
        lines = reading.lines(Kind.ABORTED_CONNECT)
        if lines:
            weighing.pro(f"the log has an aborted connect {reading.counted(lines)}", source_of(lines[0]))
        restart = reading.restart
        weighing.con(restart.fact, restart.source, when=bool(restart.happened), weak=True)
        weighing.con("the server can't be reached at all", EXCEPTION, when=seen.server.unreachable is True, weak=True)
        return weighing.answer(
            Certainty.LIKELY,
            "something answered on the port, and was gone before the login was over",
            Remedy(
                "Look at what answers on that port: a tunnel or balancer without a server behind it, TLS ended in"
                " the wrong"
                " place, a sidecar that isn't ready. Raise connect_timeout where the line is slow. The stillhere"
                " plugin waits"
                " (ride_through) and tries again.",
                (
                    "mysqladmin --protocol=tcp -h HOST -P PORT ping",
                    "openssl s_client -starttls mysql -connect HOST:PORT",
                ),
            ),
            (ASK_LOG, "SHOW GLOBAL STATUS LIKE 'Connection_errors%', before and after"),
        )
