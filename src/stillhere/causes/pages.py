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
    effect = "ends connections" if rule.is_loss else "ends no connection"
    general = " and ".join(rule.refines)
    more = f". Where {general} fits as well, it is the more exact answer" if rule.refines else ""
    lines = ["#" * level + f" {rule.name}", "", f"**{rule.title}.** {summary(rule)}", "", f"It {effect}{more}.", ""]
    for heading, text in _sections(body):
        lines += ["#" * (level + 1) + f" {heading}", "", text, ""]
    return "\n".join(lines).replace("``", "`")


def _sections(body: str) -> list[tuple[str, str]]:
    """Heading and text of each section of a docstring."""
    parts = re.split(rf"(?m)^({'|'.join(HEADINGS)}):\n", body)
    return [
        (heading, inspect.cleandoc("\n" + text).strip()) for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    ]
