"""One connection, two threads at once."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.findings import Remedy

__all__ = ["SharedBetweenThreads"]


class SharedBetweenThreads(Rule):
    """Two threads, or two tasks, used one connection at the same time.

    What happens:
        The drivers' ``threadsafety`` is 1: threads may share the module, not a connection. Replies mix: wrong packet
        sequences, 2014, ``InterfaceError (0, '')``, garbage.

    What shows it:
        Two were seen on it at once.

    What speaks against it:
        That a pool hands a connection from one thread to the next is ordinary: two thread idents alone prove nothing.

    What to do:
        One session for each thread or task. stillhere refuses the second by name (``ConnectionMisused``).

    Known limits:
        From a traceback alone, a reply out of turn leaves it possible only.

    References:
        PEP 249 (threadsafety); SQLAlchemy documentation, "Is the Session thread-safe? Is AsyncSession safe to share in
        concurrent tasks?".
    """

    name = "shared_between_threads"
    title = "Used by two threads at once"
    number = 31
    reference = (
        'PEP 249, threadsafety; SQLAlchemy documentation, "Is the Session thread-safe? Is AsyncSession safe to share in'
        ' concurrent tasks?"'
    )

    def judge(self, seen: Observations) -> Attribution | None:
        """By two at once."""
        reading, weighing, process = Reading(seen), Weighing(self), seen.process
        both = process.used_by_two_at_once
        if both is False or not (reading.lossy or reading.out_of_step):
            return None
        forked = process.opened_in_process != process.used_in_process
        if not both and (not reading.out_of_step or forked or seen.client.interrupted):
            return None
        opened, used = process.opened_in_thread, process.used_in_thread
        weighing.pro("two threads were on it at once", CLIENT, when=both is True)
        weighing.pro("a reply came out of turn", EXCEPTION, when=reading.out_of_step)
        other = opened is not None and used is not None and opened != used
        weighing.pro(f"opened by thread {opened}, used by thread {used}", CLIENT, when=other)
        return weighing.answer(
            Certainty.PROVED if both else Certainty.POSSIBLE,
            "two threads used the connection at once" if both else "two threads may have used the connection at once",
            Remedy(
                "Give each thread and each task its own session; keep none in a module or a global.",
                ("with Session(engine) as session: …  # inside the thread or task",),
            ),
            ("what else holds this session: a global, a closure handed to a thread, gather() over one session",),
        )
