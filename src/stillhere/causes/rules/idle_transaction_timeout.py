"""A transaction idle for longer than the server allows."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, VARIABLES, Reading
from stillhere.causes.remedies import ASK_LOG
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import seconds, source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["IdleTransactionTimeout"]

_SLACK = 0.5


class IdleTransactionTimeout(Rule):
    """The server closed a connection whose open transaction had been idle for too long.

    What happens:
        MariaDB 10.3 and later have ``idle_transaction_timeout``, ``idle_write_transaction_timeout`` and
        ``idle_readonly_transaction_timeout``; Percona Server has ``kill_idle_transaction``. All are off by default.
        Past one of them the server rolls back and closes the connection without a word; the next statement gets 2006.

    What shows it:
        One of the variables is on, a transaction was open, and the connection had idled for that long but for less
        than its ``wait_timeout``. MariaDB logs ``Got timeout reading communication packets`` for it, as for
        ``wait_timeout``.

    What speaks against it:
        No open transaction, or an idle time below the limit.

    What to do:
        Commit before slow work begins, or raise the limit.

    Known limits:
        Whether the transaction had written anything isn't observed, so that a limit on writing or read-only
        transactions alone is taken to apply.

    References:
        MariaDB manual, "Transaction Timeouts"; Percona Server manual, "Kill Idle Transactions".
    """

    name = "idle_transaction_timeout"
    title = "Transaction idle for too long"
    number = 13
    refines = ("slow_work",)
    reference = 'MariaDB manual, "Transaction Timeouts"; Percona Server manual, "Kill Idle Transactions"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By a limit that is on, an open transaction, and the idle time."""
        reading, weighing = Reading(seen), Weighing(self)
        limit = reading.transaction_limit
        if limit is None or not reading.perhaps_stale or reading.said_inactive or reading.in_transaction is False:
            return None
        name, allowed = limit
        idle = reading.idle
        weighing.pro(f"{name} is {seconds(allowed)}", VARIABLES)
        weighing.pro("a transaction was open", CLIENT, when=reading.in_transaction is True)
        logged = [line for line in reading.own_lines(Kind.ABORTED) if "timeout reading" in line.reason.lower()]
        if idle is not None:
            over = idle >= allowed - _SLACK
            weighing.pro(f"idle {seconds(idle)}", CLIENT, when=over)
            weighing.con(f"idle {seconds(idle)} only", CLIENT, when=not over)
            other = reading.idle_limit
            weighing.con(
                f"wait_timeout, {seconds(other or 0)}, came first",
                VARIABLES,
                when=other is not None and other <= allowed,
            )
        if logged:
            weighing.pro("the log says that this connection timed out", source_of(logged[0]))
        weighing.con(reading.restart.fact, reading.restart.source, when=bool(reading.restart.happened), weak=True)
        best = Certainty.POSSIBLE
        if reading.over_transaction_limit:
            best = Certainty.PROVED if logged else Certainty.LIKELY
        open_for = "" if idle is None else f" idle {seconds(idle)}"
        return weighing.answer(
            best,
            f"an open transaction{open_for}, with {name} at {seconds(allowed)}",
            Remedy(
                f"End the transaction before slow work begins, or raise {name}. stillhere takes such an end as meant"
                " (obey_kill_after), and doesn't run a long transaction again.",
                (f"SET GLOBAL {name} = 0  -- off",),
                "an idle transaction keeps its locks and its snapshot for as long",
            ),
            (ASK_LOG, f"SHOW SESSION VARIABLES LIKE '{name}' in the application's own session"),
        )
