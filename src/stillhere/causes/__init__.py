"""Why a connection was lost: pure rules over what was observed, one file each.

`explain` asks all of them about one loss; `describe` is the page about one cause.
"""

from __future__ import annotations

from stillhere.causes import engine
from stillhere.causes.engine import UNKNOWN, Explanation
from stillhere.causes.observations import Observations

__all__ = ["UNKNOWN", "Explanation", "Observations", "describe", "explain"]


def explain(seen: Observations) -> Explanation:
    """Ask every rule about one loss and rank the answers.

    Args:
        seen: what is known of it.
    """
    # Not with the package: who only fills in observations, as a live loss does, needs no rule.
    from stillhere.causes.rules import RULES  # noqa: PLC0415

    return engine.explain(seen, RULES)


def describe(name: str) -> str:
    """The page about a cause, in Markdown.

    Args:
        name: its name, such as ``"idle_timeout"``.

    Raises:
        UnknownName: there is no such cause.
    """
    from stillhere.causes import pages  # noqa: PLC0415 - as above

    return pages.describe(name)
