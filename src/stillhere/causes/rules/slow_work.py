"""Slow work between two statements of one transaction."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, VARIABLES, Reading
from stillhere.causes.remedies import ASK_LIMITS
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["SlowWork"]

_SLACK = 0.5

_TIMED_OUT = "timeout reading"


class SlowWork(Rule):
    """The application did something slow while it held a connection with an open transaction, and the limit passed.

    What happens:
        Between two statements of one request or task there is an HTTP call, a sleep, a large computation. The server
        sees an idle connection, and closes it by ``wait_timeout`` or a limit on idle transactions, which rolls the
        transaction back. No check at checkout helps: it was alive then.

    What shows it:
        A transaction was open, and the connection idled in it for as long as a limit of the server. From a traceback
        alone:
        2006 in the middle of a transaction.

    What speaks against it:
        No open transaction; an idle time below every limit; the first statement after checkout.

    What to do:
        Commit or roll back before the slow work, and begin again after it. stillhere runs the transaction again where
        nothing of it could have escaped, and says so where it can't.

    Known limits:
        The place in the source isn't observed: the linter finds slow calls inside transactions.

    References:
        SQLAlchemy documentation, "When do I construct a Session, when do I commit it, and when do I close it?"; MySQL
        manual, "Server System Variables" (wait_timeout).
    """

    name = "slow_work"
    title = "Slow work inside a transaction"
    number = 38
    refines = ("idle_timeout", "session_timeout")
    reference = (
        'SQLAlchemy documentation, "When do I construct a Session, when do I commit it, and when do I close it?"'
    )

    def judge(self, seen: Observations) -> Attribution | None:
        """By an open transaction and an idle time over a limit."""
        reading, weighing = Reading(seen), Weighing(self)
        if reading.in_transaction is not True or not reading.stale or seen.loss.proactive or reading.first:
            return None
        idle, limit = reading.idle, _limit(reading)
        weighing.pro("a transaction was open", CLIENT if seen.loss.in_transaction else "traceback")
        weighing.pro("the server said that it was for inactivity (4031)", EXCEPTION, when=reading.said_inactive)
        logged = reading.own_lines(Kind.IDLE_TIMEOUT)
        if not logged and reading.transaction_limit is None:  # MariaDB has one line for all its limits on idleness
            logged = tuple(line for line in reading.own_lines(Kind.ABORTED) if _TIMED_OUT in line.reason.lower())
        if logged:
            weighing.pro("the log says that this connection timed out", source_of(logged[0]))
        if idle is not None and limit is not None:
            over = idle >= limit[1] - _SLACK
            fact = f"idle {seconds(idle)} inside it, {limit[0]} {seconds(limit[1])}"
            weighing.pro(fact, VARIABLES, when=over)
            weighing.con(fact, VARIABLES, when=not over)
            best = Certainty.LIKELY
        else:
            weighing.pro(*reading.dead_before)
            best = Certainty.POSSIBLE
        restart = reading.restart
        weighing.con(restart.fact, restart.source, when=bool(restart.happened), weak=True)
        alive = seen.server.thread_alive is True
        weighing.con("its thread is still in the process list", "process list", when=alive)
        if reading.said_inactive or logged:
            best = Certainty.PROVED
        spent = "for a while" if idle is None else f"{seconds(idle)}"
        over_what = f", over {limit[0]} ({seconds(limit[1])})" if limit and not weighing.doubted else ""
        return weighing.answer(
            best,
            f"the application did something else {spent} inside an open transaction{over_what}",
            Remedy(
                "End the transaction before the slow call, and begin another after it; hand slow work to a task"
                " queue. Where"
                " the transaction can be run again unseen, the stillhere plugin does it.",
                ("session.commit()  # before the slow call: the connection goes back to the pool",),
            ),
            (ASK_LIMITS, "what the application does between the statement before and this one"),
        )


def _limit(reading: Reading) -> tuple[str, float] | None:
    limits = [limit for limit in (reading.transaction_limit,) if limit is not None]
    if reading.idle_limit is not None:
        limits.append(("wait_timeout", reading.idle_limit))
    return min(limits, key=lambda one: one[1], default=None)
