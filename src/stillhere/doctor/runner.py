"""Looking at many servers at once. One that is dead or frozen doesn't delay the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import IntEnum

from stillhere.doctor.examination import Examination, Instructions, examine
from stillhere.doctor.target import Target
from stillhere.findings import Finding, Severity

__all__ = ["ExitCode", "Report", "examine_all"]

AT_ONCE = 32
"""Servers that are looked at together. A frozen one holds its place for the time-out, which speaks for many; but their
threads share one interpreter, and with twice as many each healthy server took twice as long, for no gain in all."""


FEW = 8
"""Servers up to which a login's time says something of the server; beyond, the doctor's own threads wait for "
"each other."""


class ExitCode(IntEnum):
    """What the verb answers to the shell."""

    CLEAN = 0
    """Every server was looked at, and nothing is as bad as asked for."""
    FINDINGS = 1
    """Something is at least as bad as asked for."""
    UNREACHABLE = 2
    """A server could not be looked at, so that nothing can be said of it; or the input was wrong."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found, server by server, in the order in which they were asked for."""

    servers: tuple[Examination, ...]
    source: tuple[Finding, ...] = ()

    def findings(self, least: Severity = Severity.INFO) -> tuple[Finding, ...]:
        """All findings that are at least that bad."""
        every = [*self.source, *(finding for server in self.servers for finding in server.findings)]
        return tuple(finding for finding in every if finding.severity >= least)

    def exit_code(self, fail_on: Severity) -> ExitCode:
        """Unreachable servers come first: a clean bill that leaves some out is none."""
        if any(server.error for server in self.servers):
            return ExitCode.UNREACHABLE
        return ExitCode.FINDINGS if self.findings(fail_on) else ExitCode.CLEAN


def examine_all(
    targets: Sequence[Target],
    instructions: Instructions,
    *,
    at_once: int = AT_ONCE,
    done: Callable[[Examination], None] = lambda _: None,
) -> Report:
    """Look at all of them, at most ``at_once`` together.

    Args:
        targets: the servers.
        instructions: how to look.
        at_once: how many threads.
        done: called with each as it is finished, from the threads.
    """
    told = replace(instructions, alone=len(targets) <= FEW)

    def one(target: Target) -> Examination:
        found = examine(target, told)
        done(found)
        return found

    if len(targets) <= 1:
        return Report(tuple(map(one, targets)))
    with ThreadPoolExecutor(max_workers=min(at_once, len(targets)), thread_name_prefix="doctor") as pool:
        return Report(tuple(pool.map(one, targets)))
