"""A call was interrupted in the middle of a reply."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.findings import Remedy

__all__ = ["InterruptedCall"]


class InterruptedCall(Rule):
    """A cancelled task, a greenlet's timeout or a signal broke off a call while its reply was on the way.

    What happens:
        The statement ran, its reply is still unread. Put back into a pool, the connection gives the next user that
        reply:
        somebody else's rows, or a wrong packet sequence.

    What shows it:
        What broke it off is in the chain: ``CancelledError``, ``GreenletExit``, ``Timeout``, ``KeyboardInterrupt``.

    What speaks against it:
        A reply out of turn alone may also come from two threads or two processes.

    What to do:
        Discard the connection after an interruption. stillhere does, and never re-pools it.

    Known limits:
        The interruption and the damage are two calls apart: the second one's traceback doesn't show the first.

    References:
        SQLAlchemy documentation, "Dealing with Disconnects"; Python documentation, "Task Cancellation".
    """

    name = "interrupted_call"
    title = "Call interrupted in mid-reply"
    number = 32
    reference = 'SQLAlchemy documentation, "Dealing with Disconnects"; Python documentation, "Task Cancellation"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By what broke it off."""
        reading, weighing, by = Reading(seen), Weighing(self), seen.client.interrupted
        if by:
            weighing.pro(f"{by} broke the call off", CLIENT)
            weighing.pro("a reply came out of turn", EXCEPTION, when=reading.out_of_step)
            return self._answer(weighing, Certainty.PROVED, f"{by} broke the call off in the middle of its reply")
        process = seen.process
        forked = process.opened_in_process != process.used_in_process
        if not reading.out_of_step or process.used_by_two_at_once or forked:
            return None
        weighing.pro("a reply came out of turn", EXCEPTION)
        return self._answer(weighing, Certainty.POSSIBLE, "an earlier call may have been broken off in its reply")

    def _answer(self, weighing: Weighing, best: Certainty, sentence: str) -> Attribution | None:
        return weighing.answer(
            best,
            sentence,
            Remedy(
                "Invalidate the connection when a call on it was interrupted, and let the pool open another. The"
                " stillhere"
                " plugin discards it by itself.",
                ("except BaseException:\n    connection.invalidate()\n    raise",),
            ),
            ("the application's log before this error: was a task cancelled, a request timed out, a signal handled?",),
        )
