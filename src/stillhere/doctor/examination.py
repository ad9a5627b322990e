"""Looking at one server: log in, ask, quit, judge. Whatever goes wrong with the server is an answer, not an error."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from stillhere.doctor.case import Case, Need, Settings
from stillhere.doctor.check import Check
from stillhere.doctor.checks import CHECKS
from stillhere.doctor.idling import IdleLimit
from stillhere.doctor.logs import logged
from stillhere.doctor.machine import memory_of
from stillhere.doctor.measuring import measure_idle
from stillhere.doctor.refusals import advice_for
from stillhere.doctor.target import Target
from stillhere.errorlog.summary import Summary
from stillhere.events import Incident
from stillhere.findings import Finding
from stillhere.masking import mask_sql, mask_urls
from stillhere.survey.account_use import account_use
from stillhere.survey.digests import digests
from stillhere.survey.error_counts import error_counts
from stillhere.survey.host_cache import host_cache
from stillhere.survey.login import login
from stillhere.survey.own_account import own_account
from stillhere.survey.replication import group_members, replicas
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed, Row, take

__all__ = ["Examination", "Instructions", "NotChecked", "Unanswered", "examine", "judge", "look"]


class Unanswered(Exception):
    """The server took longer than it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """How to look.

    Attributes:
        settings: what only the user knows.
        timeout: seconds for connecting, for each answer, and after which no further question is begun.
        alone: whether few servers are looked at together, so that a login's time is the server's and the way's.
        measure_idle: seconds for which to leave connections idle; 0 for not at all.
        log: what the server's error log says, where its file was given.
        incidents: the losses recorded on this machine within the last week, newest first; ``None`` where there is no
            record.
    """

    settings: Settings
    timeout: float = 5.0
    alone: bool = True
    measure_idle: float = 0.0
    log: Summary | None = None
    incidents: tuple[Incident, ...] | None = None


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A check that could not be asked, and why."""

    check: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What came of looking at one server.

    Attributes:
        address: the server's, without credentials.
        version: family and version; empty where it could not be reached.
        findings: worst first.
        checked: how many checks were asked.
        not_checked: those that could not be.
        error: why it could not be looked at; empty where it could.
        seconds: how long it took.
    """

    address: str
    version: str = ""
    findings: tuple[Finding, ...] = ()
    checked: int = 0
    not_checked: tuple[NotChecked, ...] = ()
    error: str = ""
    seconds: float = 0.0


# Each with the right that it takes, for the servers that only say "denied".
_QUESTIONS: tuple[tuple[Need, Callable[[Ask, Snapshot], Any], str], ...] = (
    (Need.HOSTS, host_cache, "SELECT on performance_schema"),
    (Need.ACCOUNTS, account_use, "SELECT on performance_schema"),
    (Need.DIGESTS, digests, "SELECT on performance_schema"),
    (Need.ERRORS, error_counts, "SELECT on performance_schema"),
    (Need.REPLICAS, replicas, "REPLICATION CLIENT"),
    (Need.MEMBERS, group_members, "SELECT on performance_schema"),
    (Need.ACCOUNT, own_account, "SELECT on mysql.user"),
    (Need.LOG, logged, "SELECT on performance_schema"),
)


def examine(target: Target, instructions: Instructions) -> Examination:
    """Look at a server and judge it. Never raises for anything that a server or the way to it can do."""
    start = time.monotonic()
    try:
        case = look(target, instructions)
    except Exception as error:  # noqa: BLE001 - each driver has its own classes, and a fleet must go on
        return Examination(address=target.address, error=_failure(target, error), seconds=time.monotonic() - start)
    return replace(judge(case), seconds=time.monotonic() - start)


def look(target: Target, instructions: Instructions) -> Case:
    """The server as it is now.

    Raises:
        Unanswered: it took too long.
        Exception: the driver's own, where it can't be reached.
    """
    start = time.monotonic()
    answers: dict[str, Any] = {}
    with login(target.url, timeout=instructions.timeout) as ask:
        login_seconds = time.monotonic() - start
        timely = _until(start + instructions.timeout, ask)
        snapshot = take(timely, target.address)
        gaps = dict(snapshot.gaps)
        for need, question, right in _QUESTIONS:
            if need is Need.LOG and instructions.log is not None:
                answers[need.value] = instructions.log
                continue
            try:
                answers[need.value] = question(timely, snapshot)
            except NotAllowed as error:
                denied = error.__cause__ is not None  # by the server, in words of its own; else it is ours
                gaps[need.value] = f"needs {right}" if denied else str(error)
            except Unanswered:
                gaps[need.value] = f"the server took more than {instructions.timeout:.0f} s"
            except Exception as error:  # noqa: BLE001 - one question that a server can't answer spoils no other
                gaps[need.value] = f"the server can't answer: {_why(error)}"
    memory = instructions.settings.memory or memory_of(snapshot)
    if memory is None:
        gaps[Need.MEMORY.value] = "needs --memory: the server runs on another machine"
    if not instructions.alone:
        gaps[Need.LOGIN.value] = "not measured while many servers are looked at"
    if instructions.incidents is None:
        gaps[Need.INCIDENTS.value] = "needs losses that stillhere recorded on this machine"
    if not target.engines:
        gaps[Need.ENGINES.value] = "needs --app"
    idle = _measured(target, instructions, gaps)
    return Case(
        snapshot=snapshot,
        login_seconds=login_seconds if instructions.alone else None,
        engines=target.engines,
        incidents=tuple(one for one in instructions.incidents or () if one.server == target.address),
        idle=idle,
        settings=replace(instructions.settings, memory=memory),
        gaps=gaps,
        **answers,
    )


def judge(case: Case) -> Examination:
    """Ask every check that has a meaning for this server."""
    asked: list[Check] = []
    not_checked = []
    for check in CHECKS:
        if not check.applies(case):
            continue
        reason = check.missing(case)
        if reason:
            not_checked.append(NotChecked(check.name, reason))
        else:
            asked.append(check)
    findings = [finding for check in asked for finding in check.findings(case)]
    return Examination(
        address=case.snapshot.address,
        version=str(case.snapshot.version),
        findings=tuple(sorted(findings, key=lambda one: -one.severity)),
        checked=len(asked),
        not_checked=tuple(not_checked),
    )


def _measured(target: Target, instructions: Instructions, gaps: dict[str, str]) -> IdleLimit | None:
    if not instructions.measure_idle:
        gaps[Need.IDLE.value] = "needs --measure-idle"
        return None
    try:
        return measure_idle(target.url, instructions.measure_idle, timeout=instructions.timeout)
    except Exception as error:  # noqa: BLE001 - such as a limit on the account's connections
        gaps[Need.IDLE.value] = f"idle connections could not be watched: {_why(error)}"
        return None


def _failure(target: Target, error: BaseException) -> str:
    """Why the server could not be looked at, and what to do."""
    code = error.args[0] if error.args else None
    advice = advice_for(code) if isinstance(code, int) else ""
    own = any(engine.custom_creator for engine in target.engines)
    creator = (
        "the application connects in a way of its own (creator=), which is not used here; give a URL" if own else ""
    )
    return "; ".join(text for text in (_why(error), advice, creator) if text)


def _until(deadline: float, ask: Ask) -> Ask:
    """The same, but no question is begun after the deadline: each answer has a limit of its own, their sum hasn't."""

    def timely(sql: str, /) -> list[Row]:
        if time.monotonic() >= deadline:
            raise Unanswered("the server answers too slowly")
        return ask(sql)

    return timely


def _why(error: BaseException) -> str:
    """One line, without secrets."""
    match error.args:
        case (int() as number, str() as text):
            said = f"{text} ({number})"
        case _:
            said = str(error) or type(error).__name__
    return mask_urls(mask_sql(" ".join(said.split())))
