"""Write the reference page about the causes: ``python tools/cause_pages.py``."""

from __future__ import annotations

from pathlib import Path

from stillhere.causes.pages import reference

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "causes.md"

if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(reference(), encoding="utf-8")
