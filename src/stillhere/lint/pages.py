"""The page about each rule, made from its docstring."""

from __future__ import annotations

import inspect
import re

from stillhere.errors import UnknownName
from stillhere.lint.rules import RULES
from stillhere.lint.rules.base import Rule

__all__ = ["GROUPS", "HEADINGS", "describe", "index", "pages", "summary"]

HEADINGS = ("What it does", "Why it is bad", "Known limits", "Example", "Use instead", "References")
"""What each rule's docstring says, in this order."""

GROUPS = {
    "1": "Engine and pool",
    "2": "Session and transaction scope",
    "3": "Processes, threads, asyncio",
    "4": "Retry and errors",
    "5": "Driver use",
    "6": "Framework settings",
}
"""What the first digit of a rule's id stands for."""

_INTRODUCTION = """\
# Rules of the linter

Written by `python tools/lint_pages.py` from the rules' own docstrings. How to run it, switch rules off and mend what
can be mended: [lint an application](../../how-to/lint-an-application.md). `SH001` stands for a file that can't be
checked.
"""


def describe(rule_id: str) -> str:
    """The page about a rule, in Markdown.

    Args:
        rule_id: its id, such as ``SH103``, or its name.

    Raises:
        UnknownName: there is no such rule.
    """
    for rule in RULES:
        if rule_id.upper() == rule.id or rule_id == rule.name:
            return _page(rule)
    raise UnknownName("rule", rule_id, tuple(rule.id for rule in RULES))


def summary(rule: Rule) -> str:
    """The first sentence about a rule."""
    return inspect.cleandoc(rule.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def pages() -> dict[str, str]:
    """Every page of the reference by its file's name, the index among them."""
    return {"index.md": index(), **{f"{rule.id}.md": _page(rule) for rule in RULES}}


def index() -> str:
    """The page that lists all rules."""
    lines = [_INTRODUCTION]
    for digit, title in GROUPS.items():
        lines += [f"## SH{digit}xx: {title}", "", "| rule | name | severity | mended by `--fix` |", "|---|---|---|---|"]
        lines += [
            f"| [{rule.id}]({rule.id}.md) | {rule.name} | {rule.severity} | {'yes' if rule.fixable else ''} |"
            for rule in sorted(RULES, key=lambda one: one.id)
            if rule.id[2] == digit
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _page(rule: Rule) -> str:
    body = inspect.cleandoc(rule.__doc__ or "").partition("\n\n")[2]
    for heading in HEADINGS:
        body = re.sub(rf"^{heading}:$", f"## {heading}\n", body, flags=re.MULTILINE)
    fix = " · some findings are mended by `--fix`" if rule.fixable else ""
    title = f"# {rule.id}: {rule.name}\n\n{summary(rule)}\n\n"
    return f"{title}Severity {rule.severity} · since {rule.since}{fix}\n\n{_dedented(body).strip()}\n"


def _dedented(body: str) -> str:
    """What stands indented under each heading, as a paragraph of its own."""
    sections = re.split(r"(?m)^(## .*\n)", body)
    return "".join(
        part if part.startswith("## ") else f"{inspect.cleandoc(part.strip(chr(10)))}\n\n"
        for part in sections
        if part.strip()
    )
