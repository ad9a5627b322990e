"""One socket in two processes."""

from __future__ import annotations

from stillhere.causes.observations import Observations
from stillhere.causes.reading import CLIENT, EXCEPTION, Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.findings import Remedy

__all__ = ["SharedAfterFork"]

_SETTLE = ("os.getpid() where the engine is made and where it is used", "the server's preload or prefork settings")


class SharedAfterFork(Rule):
    """A connection that was opened before a fork was used by parent and child at once.

    What happens:
        Both processes hold the same socket. Each reads replies that were meant for the other: 2014, wrong packet
        sequences, 2013, or somebody else's rows. When one of them closes it, or collects it as garbage, the other
        loses it.

    What shows it:
        The process that used the connection isn't the one that opened it.

    What speaks against it:
        The same process in both places.

    What to do:
        Make the engine after the fork, or throw away its connections in the child. stillhere closes inherited ones at
        the fork.

    Known limits:
        Without the process ids, a reply out of turn leaves it possible only: two threads or an interrupted call give
        the same.

    References:
        SQLAlchemy documentation, "Using Connection Pools with Multiprocessing or os.fork()".
    """

    name = "shared_after_fork"
    title = "Socket shared after fork"
    number = 30
    reference = 'SQLAlchemy documentation, "Using Connection Pools with Multiprocessing or os.fork()"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By two process ids."""
        reading, weighing, process = Reading(seen), Weighing(self), seen.process
        opened, used = process.opened_in_process, process.used_in_process
        trouble = reading.lossy or reading.out_of_step
        if not trouble:
            return None
        if opened is None or used is None:
            if not reading.out_of_step or process.used_by_two_at_once or seen.client.interrupted:
                return None
            weighing.pro("a reply came out of turn", EXCEPTION)
            return self._answer(
                weighing, Certainty.POSSIBLE, "the connection may have been shared with another process"
            )
        if opened == used:
            return None
        weighing.pro(f"opened in process {opened}, used in process {used}", CLIENT)
        weighing.pro("a reply came out of turn", EXCEPTION, when=reading.out_of_step)
        best = Certainty.PROVED if reading.out_of_step else Certainty.LIKELY
        sentence = f"opened in process {opened} and used in process {used}, after a fork"
        return self._answer(weighing, best, sentence)

    def _answer(self, weighing: Weighing, best: Certainty, sentence: str) -> Attribution | None:
        return weighing.answer(
            best,
            sentence,
            Remedy(
                "Make the engine in the child, or dispose of the parent's connections there without closing them."
                " The stillhere"
                " plugin puts inherited sockets out of use at the fork.",
                ("os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))",),
            ),
            _SETTLE,
        )
