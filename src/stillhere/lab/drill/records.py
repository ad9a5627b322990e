"""What a drill found, as records, as JSON, and as an exit code. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from stillhere.causes.engine import UNKNOWN
from stillhere.lab.drill.check import Audit
from stillhere.lab.drill.naming import Naming
from stillhere.lab.drill.shots import Shot

__all__ = ["ArmResult", "Decision", "Round", "Verdict", "decide", "rows"]

_NAME = "stillhere"
_OURS = frozenset({_NAME, "witness"})  # the arms that promise something
_SHOWS = 2.0  # a latency fault shows where requests take so many times longer than before it


@dataclass(frozen=True)
class ArmResult:
    """What one arm went through in one round.

    Attributes:
        arm: its name.
        audit: its numbers.
        recovery_ms: from the server's return to its first good answer; ``None`` where there was none.
        shots: its requests.
        naming: why it says that it lost connections.
    """

    arm: str
    audit: Audit
    recovery_ms: float | None
    shots: Sequence[Shot] = ()
    naming: Naming = field(default_factory=Naming)


@dataclass(frozen=True)
class Round:
    """One fault on one server.

    Attributes:
        fault: its name.
        title: its title.
        summary: what happens.
        server: the server's flavour.
        version: the server's version.
        driver: the driver's package.
        slow: whether the fault shows as slowness, not as errors.
        began: start of the load, on the monotonic clock.
        struck: start of the fault.
        back: when the fault was over and the server could be reached.
        ended: end of the load.
        results: one for each arm.
        cause: the cause that it brings about; empty for a fault that loses no connection.
        also: causes that it brings about on the way.
    """

    fault: str
    title: str
    summary: str
    server: str
    version: str
    driver: str
    slow: bool
    began: float
    struck: float
    back: float
    ended: float
    results: tuple[ArmResult, ...]
    cause: str = ""
    also: frozenset[str] = frozenset()

    @property
    def right(self) -> frozenset[str]:
        """The names of causes that are right."""
        return self.also | ({self.cause} if self.cause else set())

    @property
    def shows(self) -> bool:
        """Whether the fault did any harm to any arm; if it didn't, it did not happen."""
        return any(_harmed(one.audit) or (self.slow and self.slowdown(one) > _SHOWS) for one in self.results)

    def slowdown(self, result: ArmResult) -> float:
        """How many times longer the quickest tenth of the requests took during the fault than before it.

        The quickest ones: they are the network's and the server's share, and not that of a busy machine.
        """
        before = _quickest(shot for shot in result.shots if shot.ended < self.struck)
        during = _quickest(shot for shot in result.shots if self.struck <= shot.begun and shot.ended <= self.back)
        return during / before if before else 0.0


class Verdict(IntEnum):
    """How a drill ends; the exit code of the command."""

    PASSED = 0
    FAILED = 1
    VOID = 2


@dataclass(frozen=True)
class Decision:
    """How a drill ends, and why.

    Attributes:
        verdict: the exit code.
        reasons: a line for each thing that went wrong.
        remarks: a line for each thing that no promise covers and somebody should look at.
        took_part: whether the stillhere arm was drilled.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    took_part: bool = True

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.verdict is Verdict.PASSED and not self.took_part:
            return f"All faults did harm. The {_NAME} arm took no part."
        return _SENTENCES[self.verdict]


_SENTENCES = {
    Verdict.PASSED: f"{_NAME} lost no write and doubled none, gave no wrong answer, "
    "let no raw driver error through, and named no wrong cause.",
    Verdict.FAILED: f"{_NAME} broke a promise.",
    Verdict.VOID: "The drill proves nothing: a fault that harms nobody did not happen.",
}


def decide(rounds: Iterable[Round]) -> Decision:
    """Whether stillhere kept its word, and whether the faults happened at all."""
    broken: list[str] = []
    silent: list[str] = []
    remarks: list[str] = []
    took_part = False
    for one in rounds:
        where = f"{one.fault} on {one.server}"
        if not one.shows and any(result.arm not in _OURS for result in one.results):
            silent.append(f"{where}: no arm noticed anything, so the fault did not happen")
        for result in one.results:
            counts = _broken_promises(result.audit) if result.arm in _OURS else []
            if result.arm in _OURS:
                took_part = True
                remarks += [
                    f"{where}: {count} {name} in the {result.arm} arm, which it did not name"
                    for name, count in result.audit.unnamed.items()
                ]
            broken += [f"{where}: the {result.arm} arm has {text}" for text in counts]
            broken += [
                f"{where}: the {result.arm} arm named {name} for {_times(count)}, where the cause was "
                f"{one.cause or 'none'}: {result.naming.says.get(name, '')}"
                for name, count in result.naming.wrong(one.right).items()
            ]
            unknown = result.naming.causes.get(UNKNOWN, 0)
            remarks += [f"{where}: the {result.arm} arm found no cause for {_times(unknown)}"] if unknown else []
    if broken:
        return Decision(Verdict.FAILED, tuple(broken + silent), tuple(remarks), took_part)
    return Decision(Verdict.VOID if silent else Verdict.PASSED, tuple(silent), tuple(remarks), took_part)


def rows(rounds: Iterable[Round]) -> list[dict[str, Any]]:
    """The rounds as the JSON file holds them: an object for each fault, server and arm."""
    return [
        {
            "fault": one.fault,
            "server": one.server,
            "driver": one.driver,
            "arm": result.arm,
            "requests": result.audit.requests,
            "errors": result.audit.errors,
            "unavailable": result.audit.unavailable,
            "wrong": result.audit.wrong,
            "lost": result.audit.lost,
            "doubled": result.audit.doubled,
            "recovery_ms": result.recovery_ms,
            "longest_ms": result.audit.longest_ms,
            "half": result.audit.half,
            "raw": result.audit.raw,
            "named": dict(result.audit.named),
            "refused": result.audit.refused,
            "unnamed": dict(result.audit.unnamed),
            "says": dict(result.audit.says),
            "version": one.version,
            "cause": result.naming.cause,
            "causes": dict(result.naming.causes),
        }
        for one in rounds
        for result in one.results
    ]


def _times(count: int) -> str:
    return f"{count} incident{'' if count == 1 else 's'}"


def _broken_promises(audit: Audit) -> list[str]:
    counted = {
        "lost writes": audit.lost,
        "doubled writes": audit.doubled,
        "wrong answers": audit.wrong,
        "raw driver errors": audit.raw,
    }
    return [f"{count} {what if count > 1 else what[:-1]}" for what, count in counted.items() if count]


def _quickest(shots: Iterable[Shot]) -> float:
    taken = sorted(shot.ended - shot.begun for shot in shots)
    return taken[len(taken) // 10] if taken else 0.0


def _harmed(audit: Audit) -> bool:
    return any((audit.errors, audit.unavailable, audit.wrong, audit.lost, audit.doubled))
