"""The reference page is what the rules say today."""

from __future__ import annotations

from pathlib import Path

from stillhere.causes import pages
from stillhere.causes.rules import RULES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "causes.md"


def test_the_reference_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == pages.reference(), "run: python tools/cause_pages.py"


def test_the_page_has_every_cause_with_all_its_headings_and_nothing_indented():
    text = pages.reference()
    assert "``" not in text
    for rule in RULES:
        assert f"\n## {rule.name}\n" in text
    assert text.count("\n### What shows it\n") == len(RULES)
    assert "\n    " not in text
