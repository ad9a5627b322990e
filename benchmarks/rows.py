"""One measured figure, and what it was to reach."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure.

    Attributes:
        server: the server's name.
        driver: the driver's name.
        measure: what was measured.
        arm: on which engine.
        value: the figure.
        unit: its unit; ``x`` is a ratio to the bare engine in the same run.
        low: lower end of its 95 % interval; None for an exact figure.
        high: upper end of it.
        target: what it must not exceed; None where nothing was set.
        plain: the absolute figure behind a ratio, as text.
    """

    server: str
    driver: str
    measure: str
    arm: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    target: float | None = None
    plain: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else self.value <= self.target

    def as_json(self) -> dict[str, Any]:
        """All of it, for a machine."""
        return {**asdict(self), "met": self.met}

    @property
    def text(self) -> str:
        """The figure with its unit and interval."""
        if self.unit == "round trips":
            return f"{self.value:g}"
        shown = f"{self.value:.3f} x" if self.unit == "x" else f"{self.value:.2f} {self.unit}"
        if self.low is None or self.high is None:
            return shown
        digits = 3 if self.unit == "x" else 2
        return f"{shown} [{self.low:.{digits}f}, {self.high:.{digits}f}]"
