"""What a run found: as numbers, as JSON, and for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stillhere.lab.check.checker import Violation, Wrong
from stillhere.lab.check.history import Kind, Outcome, Troubles

__all__ = ["Report"]

_KEPT = 100


@dataclass(frozen=True)
class Report:
    """What a run found.

    Attributes:
        server: flavour.
        version: of the server.
        arm: which.
        drivers: which.
        options: of the arm.
        seed: of the run.
        seconds: how long it took.
        operations: how many, by kind and outcome.
        errors: how many, by class.
        struck: connections that were cut by the wire.
        troubles: what was done, in full.
        events: what the arm itself told, by name.
        longest: seconds of the longest operation.
        violations: all that is wrong.
    """

    server: str
    version: str
    arm: str
    drivers: Sequence[str]
    options: Mapping[str, str]
    seed: int
    seconds: float
    operations: Counter[tuple[Kind, Outcome]]
    errors: Counter[str]
    struck: int
    troubles: Troubles
    events: Counter[str]
    longest: float
    violations: Sequence[Violation]

    @property
    def total(self) -> int:
        """Operations in all."""
        return self.operations.total()

    @property
    def raw(self) -> int:
        """Bare driver errors about a lost connection."""
        return self.wrong[Wrong.RAW]

    @property
    def wrong(self) -> Counter[Wrong]:
        """Violations by what is wrong."""
        return Counter(violation.wrong for violation in self.violations)

    @property
    def continued(self) -> int:
        """Losses that the application didn't notice."""
        return sum(number for name, number in self.events.items() if name.startswith("continued: "))

    @property
    def replayed(self) -> int:
        """Transactions that were run again with the same answers."""
        return self.events["replays"]

    @property
    def settled(self) -> int:
        """Lost COMMITs that the witness settled."""
        return self.events["continued: SETTLE"]

    @property
    def refused(self) -> int:
        """Losses that the application was told of by a named error."""
        return sum(number for name, number in self.events.items() if name.startswith("refused: "))

    def outcomes(self, outcome: Outcome) -> int:
        """How many operations ended so."""
        return sum(number for (_, one), number in self.operations.items() if one is outcome)

    def as_json(self) -> dict[str, Any]:
        """All of it that fits into a file."""
        cuts = self.troubles.cuts
        return {
            "server": self.server,
            "version": self.version,
            "arm": self.arm,
            "drivers": list(self.drivers),
            "options": dict(self.options),
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "operations": self.total,
            "outcomes": {outcome.value: self.outcomes(outcome) for outcome in Outcome},
            "by_kind": {
                kind.value: {outcome.value: self.operations[kind, outcome] for outcome in Outcome} for kind in Kind
            },
            "errors": dict(self.errors.most_common()),
            "cuts": self.struck,
            "cuts_by_moment": dict(Counter(cut.when for cut in cuts).most_common()),
            "cuts_by_command": dict(Counter(cut.verb for cut in cuts).most_common()),
            "cuts_with_ghost": sum(cut.ghost for cut in cuts),
            "kills": len(self.troubles.kills),
            "restarts": sum(not outage.crash for outage in self.troubles.outages),
            "crashes": sum(outage.crash for outage in self.troubles.outages),
            "continued": self.continued,
            "replayed": self.replayed,
            "settled": self.settled,
            "refused": self.refused,
            "raw": self.raw,
            "events": dict(self.events.most_common()),
            "longest_seconds": round(self.longest, 2),
            "violations": len(self.violations),
            "violations_by_kind": {wrong.name.lower(): number for wrong, number in self.wrong.items()},
            "first_violations": [
                {"wrong": one.wrong.name.lower(), "operation": one.operation, "says": one.says}
                for one in self.violations[:_KEPT]
            ],
        }
