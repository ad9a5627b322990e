"""A session whose idle limit is not the global one."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, VARIABLES, Reading
from stillhere.causes.remedies import ASK_LIMITS, connection_died_in_the_pool
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["SessionTimeout"]

_SAME = 0.5


class SessionTimeout(Rule):
    """The session's wait_timeout is not the global one, and the shorter of the two cut it.

    What happens:
        A client that calls itself interactive gets ``interactive_timeout`` instead of ``wait_timeout``;
        ``init_connect``, a proxy or the application may ``SET SESSION wait_timeout``. Whoever compares the pool's
        settings with the global variable then finds nothing wrong.

    What shows it:
        The session's own value, read on the lost connection or given by MySQL 8's log line, differs from the global
        one, and the idle time reached it.

    What speaks against it:
        The same value in both places: then the rule is silent.

    What to do:
        Compare the two, find out where it is set, and set the pool by the session's.

    Known limits:
        The global value may have been changed after the session was opened; a session keeps what it began with.

    References:
        MySQL manual, "Server System Variables" (wait_timeout, interactive_timeout, init_connect); MariaDB manual,
        "Server System Variables" (the same).
    """

    name = "session_timeout"
    title = "Session timeout differs from the global"
    number = 2
    refines = ("idle_timeout",)
    reference = 'MySQL manual, "Server System Variables", wait_timeout, interactive_timeout and init_connect'

    def judge(self, seen: Observations) -> Attribution | None:
        """By the two values, else open where one of them isn't known."""
        reading, weighing = Reading(seen), Weighing(self)
        if seen.loss.proactive or not reading.perhaps_stale:
            return None
        own, common = _own(reading), reading.number("wait_timeout")
        if own is None or common is None:
            return self._open(reading, weighing) if reading.over_idle_limit is not False else None
        if abs(own - common) < _SAME or own > common:
            return None
        over = None if reading.idle is None else reading.idle >= own - _SAME
        if over is False and not reading.said_inactive:
            return None
        logged = reading.own_lines(Kind.IDLE_TIMEOUT)
        weighing.pro(f"the session's wait_timeout is {seconds(own)}, the global one {seconds(common)}", VARIABLES)
        if over and reading.idle is not None:
            weighing.pro(f"idle {seconds(reading.idle)}", CLIENT)
        weighing.pro("the server said that it was for inactivity (4031)", EXCEPTION, when=reading.said_inactive)
        if logged:
            weighing.pro("the log says that this connection timed out", source_of(logged[0]))
        weighing.con(reading.restart.fact, reading.restart.source, when=bool(reading.restart.happened), weak=True)
        weighing.con("its thread is still in the process list", "process list", when=seen.server.thread_alive is True)
        best = Certainty.LIKELY if over else Certainty.POSSIBLE
        if reading.said_inactive or logged:
            best = Certainty.PROVED
        idle = "" if reading.idle is None else f"idle {seconds(reading.idle)} on "
        sentence = (
            f"{idle}a connection whose wait_timeout is {seconds(own)} ({_origin(reading, own)}; global is"
            f" {seconds(common)})"
        )
        return weighing.answer(best, sentence, _remedy(own), (ASK_LIMITS,))

    def _open(self, reading: Reading, weighing: Weighing) -> Attribution | None:
        weighing.pro(*reading.dead_before)
        weighing.con(reading.restart.fact, reading.restart.source, when=bool(reading.restart.happened), weak=True)
        return weighing.answer(
            Certainty.POSSIBLE,
            "the session may have had a shorter wait_timeout than the global one",
            _remedy(None),
            (ASK_LIMITS,),
        )


def _own(reading: Reading) -> float | None:
    if reading.session.wait_timeout:
        return reading.session.wait_timeout
    return next((line.seconds for line in reading.own_lines(Kind.IDLE_TIMEOUT) if line.seconds), None)


def _origin(reading: Reading, own: float) -> str:
    if "wait_timeout" in reading.server.variables.get("init_connect", "").lower():
        return "set by init_connect"
    interactive = reading.number("interactive_timeout")
    if reading.session.interactive or (interactive is not None and abs(interactive - own) < _SAME):
        return "as interactive_timeout gives an interactive client"
    return "set in the session"


def _remedy(own: float | None) -> Remedy:
    general = connection_died_in_the_pool(own)
    return Remedy(
        "Set the pool by the session's value, not by the global one; or take away what shortens it (the driver's"
        f" interactive flag, init_connect, a SET in the application). {general.text}",
        ("SELECT @@session.wait_timeout, @@global.wait_timeout, @@global.interactive_timeout", *general.commands),
        general.cost,
    )
