"""From everything that was read to the answer: each loss explained, those with the same explanation put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from stillhere.apptrace.report import Report
from stillhere.causes.answer import Answer, Case, LogView, Look, Origin
from stillhere.causes.assemble import Scene, observe_look, observe_report, scene
from stillhere.causes.engine import UNKNOWN, Explanation
from stillhere.causes.gather import Gathered, ReportGroup, subject_of
from stillhere.causes.logcases import log_cases
from stillhere.causes.observations import Observations
from stillhere.causes.remedies import ASK_LOG, ASK_UPTIME
from stillhere.causes.timeline import timeline
from stillhere.errorlog.summary import Count
from stillhere.server.errorcodes import is_loss, never_retry_at_connect, waitable_at_connect

__all__ = ["Explain", "conclude"]

Explain = Callable[[Observations], Explanation]
"""`stillhere.causes.explain`, or another in tests."""

_PLACES = 5
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def conclude(
    gathered: Gathered, logs: Sequence[LogView], look: Look | None, explain: Explain, notes: Iterable[str] = ()
) -> Answer:
    """Explain everything.

    Args:
        gathered: the application's reports.
        logs: the servers' logs.
        look: at the live server, where one was asked for.
        explain: ranks the causes of one loss.
        notes: what to say about the reading of the inputs.
    """
    known = scene(logs, look)
    explain = _without_what_is_known(explain, known)
    others: Counter[str] = Counter()
    cases = [case for group in gathered.groups.values() for case in _of_group(group, known, explain, others)]
    cases += _of_look(known, explain)
    if not any(case.origin is Origin.REPORT for case in cases):
        cases += _of_logs(known, explain)
    return Answer(
        cases=tuple(sorted(_grouped(cases), key=_rank)),
        timeline=timeline(gathered, known),
        logs=known.logs,
        look=known.look,
        others=dict(others.most_common()),
        notes=(*notes, *_notes(gathered, logs)),
    )


def _without_what_is_known(explain: Explain, known: Scene) -> Explain:
    """The same explanations, which don't ask for what is here already."""
    here = {ASK_LOG} if known.logs else set()
    if known.look is not None and known.look.snapshot is not None:
        here.add(ASK_UPTIME)

    def explained(seen: Observations) -> Explanation:
        found = explain(seen)
        return replace(found, collect=tuple(step for step in found.collect if step not in here))

    return explained


def _of_group(group: ReportGroup, known: Scene, explain: Explain, others: Counter[str]) -> list[Case]:
    """The cases of reports that are alike; what ended no connection is counted in ``others`` instead."""
    cases: list[Case] = []
    for report in group.kept:
        seen = observe_report(report, known)
        explanation = explain(seen)
        if not explanation.causes and not _concerns_connections(report):
            others[_label(report)] += group.count
            return []
        cases.append(
            Case(
                origin=Origin.REPORT,
                subject=subject_of(report),
                explanation=explanation,
                seen=seen,
                source=group.source,
                line=report.line,
                first=report.at,
                last=report.at,
                places=(Count(subject_of(report), 1),),
            )
        )
    grouped = _grouped(cases)
    rest = group.count - len(cases)
    # Those that were not kept came between those that were. They are counted with the explanation of most of these.
    if rest:
        most = max(range(len(grouped)), key=lambda index: grouped[index].count)
        case = grouped[most]
        grouped[most] = replace(
            case, count=case.count + rest, places=tuple(Count(one.name, one.count + rest) for one in case.places)
        )
    return grouped


def _concerns_connections(report: Report) -> bool:
    if report.pool is not None or report.os_error is not None or report.timed_out:
        return True
    codes = report.codes or (() if report.errno is None else (report.errno,))
    return not codes or any(
        is_loss(code, None) or waitable_at_connect(code, None) or never_retry_at_connect(code, None) for code in codes
    )


def _label(report: Report) -> str:
    return " ".join(
        part
        for part in (report.exception.rpartition(".")[2], "" if report.errno is None else str(report.errno))
        if part
    )


def _of_look(known: Scene, explain: Explain) -> list[Case]:
    seen = observe_look(known)
    if seen is None or known.look is None:
        return []
    look = known.look
    return [
        Case(
            origin=Origin.SERVER,
            subject=f"nobody can log in at {look.address}: {look.error}",
            explanation=explain(seen),
            seen=seen,
            source=look.address,
            first=look.at,
            last=look.at,
        )
    ]


def _of_logs(known: Scene, explain: Explain) -> list[Case]:
    name = known.logs[0].name if len(known.logs) == 1 else "error logs"
    found = sorted(log_cases(known), key=lambda case: (case.weight, -case.count))
    return [
        Case(
            origin=Origin.LOG,
            subject=case.subject,
            explanation=explain(case.seen),
            seen=case.seen,
            source=name,
            line=case.line,
            count=case.count,
            first=case.first,
            last=case.last,
            places=(Count(case.subject, case.count),),
        )
        for case in found
    ]


def _grouped(cases: Iterable[Case]) -> list[Case]:
    groups: dict[tuple[object, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(_key(case), []).append(case)
    return [_one(group) for group in groups.values()]


def _key(case: Case) -> tuple[object, ...]:
    """What losses share that are told together: the named cause, else the error and where it came."""
    cause = case.explanation.cause
    if cause != UNKNOWN:
        return (case.origin, cause)
    if case.origin is not Origin.REPORT:
        return (case.origin, case.subject)
    return (case.origin, cause, case.seen.client.codes, case.seen.loss.position, _ranking(case.explanation))


def _ranking(explanation: Explanation) -> tuple[tuple[str, str], ...]:
    return tuple((answer.cause, answer.certainty.name) for answer in explanation.causes)


def _one(cases: Sequence[Case]) -> Case:
    """Several cases as one."""
    if len(cases) == 1:
        return cases[0]
    told = max(cases, key=lambda case: (_certainty(case), case.last or _EARLIEST))
    places: Counter[str] = Counter()
    for case in cases:
        places.update({place.name: place.count for place in case.places})
    firsts = [case.first for case in cases if case.first is not None]
    lasts = [case.last for case in cases if case.last is not None]
    return replace(
        told,
        count=sum(case.count for case in cases),
        examined=sum(case.examined for case in cases),
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        places=tuple(Count(name, count) for name, count in places.most_common(_PLACES)),
    )


def _certainty(case: Case) -> float:
    return case.explanation.named.certainty.value if case.explanation.named is not None else 0.0


def _rank(case: Case) -> tuple[bool, bool, int, float]:
    """The main one first. What logs show by themselves stays in order of weight, which the sort keeps."""
    by_log = case.origin is Origin.LOG
    last = case.last or _EARLIEST
    # That the server lets nobody in now is evidence first of all: whoever brought a report asks about that.
    by_look = case.origin is Origin.SERVER
    return (by_look, not case.named, 0 if by_log else -case.count, 0.0 if by_log else -_seconds(last))


def _seconds(at: datetime) -> float:
    return (at - _EARLIEST).total_seconds()


def _notes(gathered: Gathered, logs: Sequence[LogView]) -> Iterable[str]:
    groups = list(gathered.groups.values())
    if gathered.dropped:
        yield f"{gathered.dropped:,} more reports were of kinds beyond the first {len(groups)}; they were only counted"
    kept = [report for group in groups for report in group.kept]
    if logs and any(report.at is not None and not report.zoned for report in kept):
        yield "some reports' times name no zone and were taken for UTC; --zone says where they are local"
    if logs and kept and all(report.at is None for report in kept):
        yield "no report has a time, so that everything in the log was considered"
    for group in groups:
        if group.count > len(group.kept):
            yield (
                f"{group.count:,} reports of {subject_of(group.kept[0])} are alike; {len(group.kept)} of them, the "
                "first and the last, were explained one by one, and the others are counted with most of these"
            )
