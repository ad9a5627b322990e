"""What kernels and service managers say about a server that was killed.

Sources: mm/oom_kill.c of the Linux kernel (the wordings of 3.x to 6.x), systemd's src/core/service.c and unit.c.
"""

from __future__ import annotations

import re

from stillhere.errorlog.entry import Entry, Kind
from stillhere.errorlog.formats import Line
from stillhere.errorlog.messages import shown

__all__ = ["system_entry"]

_SIGKILL = 9
_LENGTH = 1000  # of a message that is looked at: a bound on the work that a hostile line makes
_NAME = r"(?:mysqld|mariadbd|mysql|mariadb)[\w.-]*"
_UNIT = r"\S*(?:mysql|mariadb|percona)\S*\.(?:service|scope)"

_KERNEL = (
    re.compile(
        rf"(?:.*: )?(?P<reason>(?:Memory cgroup )?[Oo]ut of memory): Kill(?:ed)? process (?P<pid>\d+) \({_NAME}\)"
    ),
    re.compile(rf"Killed process (?P<pid>\d+),? (?:UID \d+,? )?\({_NAME}\)"),
    re.compile(rf"oom-kill:(?P<reason>constraint=\w+).*\btask={_NAME},pid=(?P<pid>\d+)"),
    re.compile(rf"oom_reaper: reaped process (?P<pid>\d+) \({_NAME}\)"),
)
_UPTIME = re.compile(r"\[ *\d+\.\d{6}\] ")
_MANAGER = (
    (Kind.OOM_KILL, re.compile(rf"{_UNIT}: (?P<reason>A process of this unit has been killed by the OOM killer)")),
    (Kind.OOM_KILL, re.compile(rf"{_UNIT}: Failed with result '(?P<reason>oom-kill)'")),
    (Kind.KILLED, re.compile(rf"{_UNIT}: (?P<reason>Main process exited, code=killed, status=9/KILL)")),
    (Kind.KILLED, re.compile(rf"{_UNIT}: (?P<reason>main process exited, code=killed, status=9/KILL)")),
    (
        Kind.CRASH,
        re.compile(
            rf"{_UNIT}: (?P<reason>[Mm]ain process exited, code=(?:dumped|killed), status=(?P<signal>6|7|8|11)/)"
        ),
    ),
)


def system_entry(line: Line, number: int) -> Entry | None:
    """The entry of a kernel's or a service manager's line; ``None`` where it is about something else."""
    message = line.message[:_LENGTH]
    if line.source.program.startswith("systemd"):
        for kind, pattern in _MANAGER:
            if found := pattern.match(message):
                return _entry(kind, found, line, number)
        return None
    if line.source.program != "kernel":
        return None
    if uptime := _UPTIME.match(message):
        message = message[uptime.end() :]
    for pattern in _KERNEL:
        if found := pattern.match(message):
            return _entry(Kind.OOM_KILL, found, line, number)
    return None


def _entry(kind: Kind, found: re.Match[str], line: Line, number: int) -> Entry:
    return Entry(
        kind=kind,
        line=number,
        at=line.at,
        severity="",
        reason=found.groupdict().get("reason") or "",
        signal=int(found.groupdict().get("signal") or _SIGKILL),
        text=shown(line.message),
    )
