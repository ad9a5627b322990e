"""Results of the statement before were not read."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.findings import Remedy

__all__ = ["ResultsUnread"]

_CODE = "CR_COMMANDS_OUT_OF_SYNC"


class ResultsUnread(Rule):
    """A statement was sent while results of the one before it waited to be read.

    What happens:
        An unbuffered cursor with rows left, a stored procedure or several statements in one text whose further results
        nobody took with ``nextset()``. The client library refuses the next statement with 2014.

    What shows it:
        2014, with an unbuffered cursor, in one process and one thread.

    What speaks against it:
        A buffered cursor; two processes or threads; an interrupted call.

    What to do:
        Read or close the result before the next statement.

    Known limits:
        2014 alone, without knowing the cursor, leaves it possible.

    References:
        MySQL manual, "Commands out of sync".
    """

    name = "results_unread"
    title = "Results left unread"
    number = 33
    reference = 'MySQL manual, "Commands out of sync"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By 2014 and the cursor."""
        reading, weighing, process = Reading(seen), Weighing(self), seen.process
        if not reading.has(_CODE) or seen.client.interrupted or process.used_by_two_at_once:
            return None
        opened, used = process.opened_in_process, process.used_in_process
        if opened != used:
            return None
        weighing.pro("error 2014", EXCEPTION)
        weighing.pro("the cursor was unbuffered", CLIENT, when=seen.client.buffered is False)
        weighing.con("the cursor was buffered", CLIENT, when=seen.client.buffered is True, weak=True)
        weighing.pro(f"one process ({used}) opened and used it", CLIENT, when=used is not None)
        return weighing.answer(
            Certainty.LIKELY if seen.client.buffered is False else Certainty.POSSIBLE,
            "results of the statement before were still unread",
            Remedy(
                "Read a result to its end, or close its cursor, before the next statement on the same connection;"
                " take all result"
                " sets of a procedure with nextset().",
                ("with connection.execution_options(stream_results=True).execute(statement) as result: …",),
            ),
            ("which cursor class is used, and whether CALL or several statements in one text are sent",),
        )
