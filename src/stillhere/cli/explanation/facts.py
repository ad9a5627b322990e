"""The answer as plain facts: what ``--json`` prints, and what the text and the page are made of.

Every text in it has gone through `stillhere.cli.explanation.clean`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stillhere.causes.answer import Answer, Case, Look, Moment
from stillhere.causes.engine import UNKNOWN
from stillhere.causes.logsum import added_up
from stillhere.causes.rule import Attribution, Rule
from stillhere.cli.explanation.clean import cleaned
from stillhere.cli.explanation.words import mood, span, title, verdict
from stillhere.errorlog.summary import AbortGroup, Aborts, Count, Life, Noise, Summary
from stillhere.registry import Registry

__all__ = ["facts"]

Facts = dict[str, Any]


def facts(answer: Answer, rules: Registry[Rule]) -> Facts:
    """Everything that is answered, ready for JSON.

    Its ``causes``, ``named``, ``certainty``, ``confidence`` and ``collect`` are those of the main loss, the first in
    ``losses``: one with a named cause before one without, then the most frequent, then the latest.
    """
    main = answer.main
    explanation = main.explanation if main is not None else None
    named = explanation.named if explanation is not None else None
    told: Facts = {
        "verdict": verdict(answer, rules),
        "mood": mood(answer).value,
        "named": explanation.cause if explanation is not None else UNKNOWN,
        "certainty": named.certainty.name.lower() if named is not None else None,
        "confidence": named.certainty.value if named is not None else 0.0,
        "causes": [_cause(one, rules) for one in explanation.causes] if explanation is not None else [],
        "collect": list(explanation.collect) if explanation is not None else [],
        "losses": [_loss(case, rules) for case in answer.cases],
        "timeline": [_moment(one) for one in answer.timeline],
        "log": _log(added_up([log.summary for log in answer.logs]), [log.name for log in answer.logs])
        if answer.logs
        else None,
        "server": _look(answer.look) if answer.look is not None else None,
        "others": dict(answer.others),
        "notes": list(answer.notes),
    }
    shown: Facts = cleaned(told)
    return shown


def _cause(one: Attribution, rules: Registry[Rule]) -> Facts:
    known = one.cause in rules.names()
    return {
        "cause": one.cause,
        "title": title(one.cause, rules),
        "confidence": one.certainty.value,
        "certainty": one.certainty.name.lower(),
        "is_loss": rules.get(one.cause).is_loss if known else True,
        "sentence": one.sentence,
        "evidence": [{"fact": fact.fact, "source": fact.source, "supports": fact.supports} for fact in one.evidence],
        "remedy": {"text": one.remedy.text, "commands": list(one.remedy.commands), "cost": one.remedy.cost},
        "reference": rules.get(one.cause).reference if known else "",
        "settle": list(one.settle),
    }


def _loss(case: Case, rules: Registry[Rule]) -> Facts:
    report = case.seen.report
    told: Facts = {
        "origin": case.origin.value,
        "subject": case.subject,
        "named": case.explanation.cause,
        "certainty": case.explanation.named.certainty.name.lower() if case.explanation.named is not None else None,
        "count": case.count,
        "examined": case.examined,
        "first": _time(case.first),
        "last": _time(case.last),
        "when": span(case.first, case.last),
        "source": case.source,
        "line": case.line,
        "places": _counts(case.places),
        "causes": [_cause(one, rules) for one in case.explanation.causes],
        "collect": list(case.explanation.collect),
    }
    if report is not None:
        told |= {
            "driver": report.driver,
            "exception": report.exception,
            "codes": list(report.codes),
            "message": report.message,
            "position": report.position.value,
            "statement": report.statement,
            "frame": {"path": report.frame.path, "line": report.frame.line, "function": report.frame.function}
            if report.frame is not None
            else None,
            "framework": report.framework,
            "request": report.request,
        }
    return told


def _moment(one: Moment) -> Facts:
    return {
        "at": _time(one.at),
        "until": _time(one.until),
        "mark": one.mark.value,
        "text": one.text,
        "count": one.count,
        "source": one.source,
    }


def _look(look: Look) -> Facts:
    told: Facts = {"address": look.address, "at": _time(look.at), "reached": look.snapshot is not None}
    if look.snapshot is None:
        return told | {"code": look.code, "error": look.error}
    return told | {
        "version": look.snapshot.version_text,
        "uptime": look.snapshot.count("uptime"),
        "connections": look.snapshot.count("threads_connected"),
        "max_connections": look.snapshot.number("max_connections"),
        "wait_timeout": look.snapshot.number("wait_timeout"),
        "aborted_clients": look.snapshot.count("aborted_clients"),
        "aborted_connects": look.snapshot.count("aborted_connects"),
        "gaps": dict(look.snapshot.gaps),
    }


def _log(summary: Summary, names: list[str]) -> Facts:
    return {
        "files": names,
        "lines": summary.lines,
        "bytes": summary.size,
        "unknown": summary.unknown,
        "formats": list(summary.formats),
        "first": _time(summary.first),
        "last": _time(summary.last),
        "lives": [_life(life) for life in summary.lives],
        "dropped_lives": summary.dropped_lives,
        "counts": {kind.value: count for kind, count in summary.counts.items()},
        "aborts": _aborts(summary.aborts),
        "noise": [_noise(one) for one in summary.noise],
    }


def _life(life: Life) -> Facts:
    return {
        "ending": life.ending.value,
        "started": _time(life.started),
        "ready": _time(life.ready),
        "ended": _time(life.ended),
        "start_line": life.start_line,
        "end_line": life.end_line,
        "version": life.version,
        "signal": life.signal,
    }


def _aborts(aborts: Aborts) -> Facts:
    return {
        "total": aborts.total,
        "groups": [_group(group) for group in aborts.groups],
        "others": aborts.others,
        "by_user": _counts(aborts.by_user),
        "by_host": _counts(aborts.by_host),
        "by_reason": _counts(aborts.by_reason),
        "by_hour": [{"hour": _time(hour), "count": count} for hour, count in aborts.by_hour],
    }


def _group(group: AbortGroup) -> Facts:
    return {
        "kind": group.kind.value,
        "user": group.user,
        "host": group.host,
        "reason": group.reason,
        "count": group.count,
        "first_hour": _time(group.first_hour),
        "last_hour": _time(group.last_hour),
    }


def _noise(noise: Noise) -> Facts:
    return {"host": noise.host, "period": noise.period, "count": noise.count}


def _counts(counts: tuple[Count, ...]) -> list[Facts]:
    return [{"name": one.name, "count": one.count} for one in counts]


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at is not None else None
