"""From an inventory to what there is to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stillhere.findings import Finding
from stillhere.maintain.inventory import Inventory
from stillhere.maintain.step import Gap, Kind, Step

__all__ = ["Plan", "plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is worth doing.

    Attributes:
        steps: what can be run from here, in this order.
        advice: what a person has to decide and do.
        gaps: what could not be judged, and why.
    """

    steps: tuple[Step, ...] = ()
    advice: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()


def plan(inventory: Inventory, kinds: Iterable[Kind]) -> Plan:
    """Ask every kind."""
    steps: list[Step] = []
    advice: list[Finding] = []
    gaps = [Gap(kind="tables", reason=inventory.gaps["tables"])] if "tables" in inventory.gaps else []
    for kind in kinds:
        for answer in kind.judge(inventory):
            if isinstance(answer, Step):
                steps.append(answer)
            elif isinstance(answer, Gap):
                gaps.append(answer)
            else:
                advice.append(answer)
    return Plan(steps=tuple(steps), advice=tuple(advice), gaps=tuple(gaps))
