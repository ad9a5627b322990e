"""Write docs/reference/doctor-checks.md from the checks' own docstrings."""

from __future__ import annotations

from pathlib import Path

from stillhere.doctor.reference import reference

PAGE = Path(__file__).parents[1] / "docs/reference/doctor-checks.md"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(reference(), encoding="utf-8")
