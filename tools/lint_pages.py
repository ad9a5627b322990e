"""Write the pages about the linter's rules: ``python tools/lint_pages.py`` (``--check`` only compares)."""

from __future__ import annotations

import sys
from pathlib import Path

from stillhere.lint.pages import pages

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "lint"


def main() -> int:
    """Write every page, and delete those of rules that are gone; with ``--check``, 1 where one is stale."""
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    if "--check" in sys.argv[1:]:
        return int(wanted != there)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in set(there) - set(wanted):
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
