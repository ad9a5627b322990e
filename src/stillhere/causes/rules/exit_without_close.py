"""Programs that end without closing their connections."""

from __future__ import annotations

from collections import Counter

from stillhere.causes.observations import Observations
from stillhere.causes.reading import Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import moment, source_of, utc
from stillhere.errorlog.entry import Entry, Kind
from stillhere.findings import Remedy

__all__ = ["ExitWithoutClose"]

_BURST = 3
_WITHIN = 60.0


class ExitWithoutClose(Rule):
    """A program ended, or threw its connections away, without saying goodbye to the server.

    What happens:
        The server finds the end of the stream where a command should be, logs ``Got an error reading communication
        packets``, and counts ``Aborted_clients``. No client sees anything, so that only the log tells: this rule
        judges from logs alone.

    What shows it:
        Such lines in bursts within a minute, for one account: a deployment, a worker pool that is recycled, a job that
        ends.

    What speaks against it:
        A client that was told of a loss: the server can't tell a dead client from a broken network, and the line may
        be the network's.

    What to do:
        Close the pool at exit; nothing is lost, but the counter then means something.

    Known limits:
        Single lines stay possible only. The times of deployments aren't observed: compare.

    References:
        MySQL manual, "Communication Errors and Aborted Connections".
    """

    name = "exit_without_close"
    title = "Programs exit without closing"
    number = 34
    is_loss = False
    reference = 'MySQL manual, "Communication Errors and Aborted Connections"'

    def judge(self, seen: Observations) -> Attribution | None:
        """By bursts in a log, where no client was told of anything."""
        reading, weighing = Reading(seen), Weighing(self)
        if reading.told:
            return None
        lines = [line for line in reading.lines(Kind.ABORTED) if "error reading" in line.reason.lower()]
        if not lines:
            return None
        user, count = Counter(line.user for line in lines).most_common(1)[0]
        burst = _burst([line for line in lines if line.user == user])
        weighing.pro(
            f"the log has a connection that ended without goodbye {reading.counted(lines)}", source_of(lines[0])
        )
        if len(burst) >= _BURST and burst[0].at is not None:
            weighing.pro(f"{len(burst)} of one account within a minute, at {moment(burst[0].at)}", source_of(burst[0]))
        whose = f" of account {user}" if user else ""
        return weighing.answer(
            Certainty.LIKELY if len(burst) >= _BURST else Certainty.POSSIBLE,
            f"{count} connection{'s' if count > 1 else ''}{whose} ended without goodbye, as of a program that exits",
            Remedy(
                "Close the pool when the program ends; no client lost anything by it.",
                ("atexit.register(engine.dispose)",),
            ),
            ("the times of deployments and of worker recycling, beside the lines' times",),
        )


def _burst(lines: list[Entry]) -> list[Entry]:
    """The most lines that lie within a minute."""
    timed = [line for line in lines if line.at is not None]
    best: list[Entry] = []
    start = 0
    for end, line in enumerate(timed):
        while (utc(line.at) - utc(timed[start].at)).total_seconds() > _WITHIN:  # type: ignore[arg-type]
            start += 1
        if end - start + 1 > len(best):
            best = timed[start : end + 1]
    return best
