"""The reference of all checks, made from their own docstrings."""

from __future__ import annotations

from stillhere.doctor.case import Need
from stillhere.doctor.check import Check, Topic
from stillhere.doctor.checks import CHECKS

__all__ = ["entry", "reference"]

HEADINGS = ("What it does", "Why it is bad", "Known limits", "Use instead")

_NEEDS = {
    Need.SESSIONS: "PROCESS",
    Need.TRANSACTIONS: "PROCESS",
    Need.HOSTS: "performance_schema=ON and SELECT on it",
    Need.ACCOUNTS: "performance_schema=ON and SELECT on it",
    Need.DIGESTS: "performance_schema=ON and SELECT on it",
    Need.ERRORS: "performance_schema=ON and SELECT on it",
    Need.MEMBERS: "SELECT on performance_schema",
    Need.REPLICAS: "REPLICATION CLIENT (MariaDB: REPLICA MONITOR)",
    Need.ACCOUNT: "SELECT on mysql.user",
    Need.ENGINES: "`--app`",
    Need.MEMORY: "`--memory`, or a server on this machine",
    Need.IDLE: "`--measure-idle`",
    Need.INCIDENTS: "an application under stillhere on this machine",
    Need.LOGIN: "at most eight servers at once",
    Need.LOG: "`--log`, or on MySQL from 8.0.22 SELECT on performance_schema",
}
_HEAD = """\
# What `stillhere doctor` checks

This page is made from the checks' own docstrings. `stillhere doctor --explain CHECK` prints an entry of it.

An **error** cuts connections, loses work or keeps clients out, now or at the next ordinary event. A **warning** will do
so under conditions that are likely to come, or hides that it happened. A **note** is shown with `--verbose` only, and
never changes the exit code. What a check needs and can't have makes it *not checked*, which the report says.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD]
    for topic in Topic:
        parts.append(f"## {topic.value}\n")
        parts += [entry(check, level=3) for check in CHECKS if check.topic is topic]
    return "\n".join(parts)


def entry(check: Check, *, level: int = 1) -> str:
    """One check's part of the page."""
    first, *rest = check.description.split("\n## ")
    lines = [f"{'#' * level} {check.name}", "", first.strip(), ""]
    for section in rest:
        heading, _, text = section.partition("\n")
        lines += [f"**{heading.strip()}.** {text.strip()}", ""]
    families = [
        f"{name} from {'.'.join(map(str, least))}"
        for name, least in (("MySQL", check.mysql), ("MariaDB", check.mariadb))
        if least is not None
    ]
    needs = list(dict.fromkeys(_NEEDS[need] for need in check.needs)) or ["nothing beyond logging in"]
    lines += [f"*For* {', '.join(families)}. *Needs* {', '.join(needs)}. *See* <{check.reference}>.", ""]
    return "\n".join(lines).replace("``", "`")
