"""A member of the replication group is away.

## What it does

Reads the members' states from ``performance_schema.replication_group_members``.

## Why it is bad

The group lost a vote; without a majority, writes hang. A member that is RECOVERING answers with old rows.

## Known limits

As this server sees it.

## Use instead

Bring the member back, or take it out of the group.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for all that are not online; an error where the rest is no majority, or it is this server."""
    away = [one for one in case.members if one.state != "ONLINE"]
    if not away:
        return
    online = len(case.members) - len(away)
    own = case.snapshot.variables.get("server_uuid", "")
    lost = online * 2 <= len(case.members) or any(one.id == own for one in away)
    yield Claim(
        severity=Severity.ERROR if lost else Severity.WARNING,
        message=f"{len(away)} of {len(case.members)} members of the group are away: "
        + ", ".join(f"{one.address} {one.state}" for one in away[:5]),
        why="The rest is no majority, or this server is among them: writes hang or fail here."
        if lost
        else f"{online} are left; the group survives the loss of {(online - 1) // 2} more.",
        evidence=(
            Evidence(
                ", ".join(f"{one.address} {one.state}" for one in case.members[:9]),
                "performance_schema.replication_group_members",
            ),
        ),
        remedy=Remedy("On the member that is away, see its error log, then:", ("START GROUP_REPLICATION;",)),
    )


CHECK = Check(
    name="group-member-away",
    title="a member of the group is away",
    topic=Topic.ROLE,
    judge=judge,
    needs=(Need.MEMBERS,),
    mariadb=None,
    reference="https://dev.mysql.com/doc/refman/8.4/en/group-replication-server-states.html",
)
