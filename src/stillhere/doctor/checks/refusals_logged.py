"""The log tells of clients that were refused, and of a full disk.

## What it does

Counts what the log says of too many connections, missing threads, open files, blocked hosts and full disks.

## Why it is bad

Clients were kept out, or made to wait until space was freed.

## Known limits

Over the whole log, however old: from a week after its last line on it is only a note.

## Use instead

What the other checks say of that limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import plural
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.history import place, weight, when
from stillhere.errorlog.entry import Kind
from stillhere.findings import Evidence, Remedy, Severity

_REFUSALS = {
    Kind.TOO_MANY_CONNECTIONS: "max_connections was reached",
    Kind.THREAD_LIMIT: "no thread could be made for a connection",
    Kind.ACCEPT_FAILED: "a connection could not be accepted",
    Kind.HOST_BLOCKED: "a host was blocked",
    Kind.DISK_FULL: "the disk was full",
}


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each of them."""
    if case.log is None:
        return
    for kind, words in _REFUSALS.items():
        count = case.log.counts.get(kind, 0)
        if not count:
            continue
        entries = [entry for entry in case.log.entries if entry.kind is kind]
        last = max((entry.at for entry in entries if entry.at is not None), default=None)
        yield Claim(
            severity=weight(case, last, Severity.WARNING) if last is not None else Severity.WARNING,
            message=f"the log says {plural(count, 'time')} that {words}, the last at {when(last)}",
            why="Clients were kept out, or waited until it was over.",
            evidence=tuple(Evidence(entry.text[:160], place(entry.line)) for entry in entries[-2:])
            or (Evidence(f"{count} lines: {words}", "error log"),),
            remedy=Remedy("See the checks of that limit; look at those times for what was different."),
        )


CHECK = Check(
    name="refusals-logged",
    title="the log tells of refused clients",
    topic=Topic.LOG,
    judge=judge,
    needs=(Need.LOG,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/error-log.html",
)
