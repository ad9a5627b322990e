"""The page about each cause, made from its rule."""

from __future__ import annotations

import inspect
import re

from stillhere.causes.rule import Rule
from stillhere.causes.rules import RULES

__all__ = ["HEADINGS", "describe", "reference", "summary"]

HEADINGS = (
    "What happens",
    "What shows it",
    "What speaks against it",
    "What to do",
    "Known limits",
    "References",
)
"""What each rule's docstring says, in this order."""

_INTRODUCTION = """\
# Causes

Written by `python tools/cause_pages.py` from the rules' own docstrings. Each rule answers from evidence alone, says how
sure it is, and stays silent where nothing speaks for its cause:

- **proved**: the server, the kernel or the driver said so itself;
- **likely**: the measurements fit, and what would speak against it was looked for and is not there;
- **possible**: it can leave what was seen, and so can others;
- **unlikely**: it can leave what was seen, and something measured speaks against it.

A cause is named when it is at least likely and alone at its rank. Otherwise the answer is *unknown*, with what to
collect next.
"""


def describe(name: str) -> str:
    """The page about a cause, in Markdown.

    Args:
        name: its name, such as ``"idle_timeout"``.

    Raises:
        UnknownName: there is no such cause.
    """
    return _page(RULES.get(name), level=1)


def summary(rule: Rule) -> str:
    """The first sentence about a cause."""
    return inspect.cleandoc(rule.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def reference() -> str:
    """The page about all causes."""
    lines = [_INTRODUCTION, "| cause | what it is | ends connections |", "|---|---|---|"]
    lines += [
        f"| [{rule.name}](#{rule.name}) | {summary(rule)} | {'yes' if rule.is_loss else 'no'} |" for rule in RULES
    ]
    pages = [_page(rule, level=2) for rule in RULES]
    return "\n".join(lines) + "\n\n" + "\n".join(pages).rstrip() + "\n"


def _page(rule: Rule, *, level: int) -> str:
    body = inspect.cleandoc(rule.__doc__ or "").partition("\n\n")[2]
    marks = "#" * (level + 1)
    for heading in HEADINGS:
        body = re.sub(rf"^{heading}:$", f"{marks} {heading}\n", body, flags=re.MULTILINE)
    effect = "ends connections" if rule.is_loss else "ends no connection"
    more = f" · a kind of {', '.join(rule.refines)}" if rule.refines else ""
    title = f"{'#' * level} {rule.name}\n\n**{rule.title}.** {summary(rule)}\n\n"
    return f"{title}It {effect}{more}.\n\n{_dedented(body).strip()}\n"


def _dedented(body: str) -> str:
    """What stands indented under each heading, as a paragraph of its own."""
    sections = re.split(r"(?m)^(#+ .*\n)", body)
    return (
        "".join(
            part if part.startswith("#") else f"{inspect.cleandoc(part.strip(chr(10)))}\n\n"
            for part in sections
            if part.strip()
        )
        .replace("\n#", "\n\n#")
        .replace("\n\n\n", "\n\n")
    )
