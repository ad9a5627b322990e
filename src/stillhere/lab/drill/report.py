"""The drill as one self-contained page: numbers first, then what every client saw. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template

from stillhere.lab.drill.arms import ARMS
from stillhere.lab.drill.check import Audit
from stillhere.lab.drill.records import ArmResult, Decision, Round, Verdict, decide
from stillhere.lab.drill.strip import axis, strip
from stillhere.lab.drill.table import milliseconds
from stillhere.pages import document

__all__ = ["page"]

_CLASSES = {Verdict.PASSED: "passed", Verdict.FAILED: "failed", Verdict.VOID: "void"}


def page(rounds: Sequence[Round]) -> str:
    """The whole page."""
    decision = decide(rounds)
    faults = list(dict.fromkeys(one.fault for one in rounds))
    servers = dict.fromkeys(one.version for one in rounds)
    drivers = dict.fromkeys(one.driver for one in rounds)
    headline = f"{_number(len(faults), 'way')} to lose a database connection, and who noticed"
    body = Template(_part("report.html")).substitute(
        headline=headline,
        subline=f"The same web application in each arm, struck at the same moment on "
        f"{escape(' and '.join(servers))}, with {escape(', '.join(drivers))}.",
        verdict_class=_CLASSES[decision.verdict],
        verdict=_verdict(decision),
        cards="".join(_card(arm, results) for arm, results in _by_arm(rounds).items()),
        matrix="".join(_matrix(rounds, server) for server in dict.fromkeys(one.server for one in rounds)),
        matrix_legend="A tick: every request was answered well. A number: requests that failed; outlined where each "
        "error says by name what became of the work. 503: the client was told to come back later. Doubled: writes "
        "stored twice.",
        faults="".join(_fault([one for one in rounds if one.fault == fault]) for fault in faults),
    )
    return document(title=f"stillhere drill: {headline}", style=_part("report.css"), body=body)


def _part(name: str) -> str:
    return resources.files("stillhere.lab.drill").joinpath(name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class _Total:
    """The sum of an arm's rounds."""

    requests: int
    errors: int
    unavailable: int
    wrong: int
    lost: int
    doubled: int
    clean: int
    rounds: int

    @classmethod
    def of(cls, audits: Sequence[Audit]) -> _Total:
        """Add up."""
        return cls(
            requests=sum(one.requests for one in audits),
            errors=sum(one.errors for one in audits),
            unavailable=sum(one.unavailable for one in audits),
            wrong=sum(one.wrong for one in audits),
            lost=sum(one.lost for one in audits),
            doubled=sum(one.doubled for one in audits),
            clean=sum(_is_clean(one) for one in audits),
            rounds=len(audits),
        )


def _verdict(decision: Decision) -> str:
    reasons = "".join(f"<li>{escape(one)}</li>" for one in (*decision.reasons, *decision.remarks))
    return f"<p><b>{escape(decision.sentence)}</b></p>" + (f"<ul>{reasons}</ul>" if reasons else "")


def _card(arm: str, results: Sequence[ArmResult]) -> str:
    total = _Total.of([one.audit for one in results])
    spoilt = total.wrong + total.lost + total.doubled
    shares = {
        "good": total.requests - total.errors - total.unavailable - spoilt,
        "unavailable": total.unavailable,
        "error": total.errors,
        "spoilt": spoilt,
    }
    bar = "".join(f'<i class="{name}" style="flex:{count}"></i>' for name, count in shares.items() if count > 0)
    return (
        f'<section class="card"><h3>{escape(arm)}</h3><p class="soft">{escape(_title(arm))}</p>'
        f'<p class="big">{total.errors:,}</p><p class="of">of {total.requests:,} requests failed</p>'
        f'<div class="share">{bar}</div><div class="facts">{_chips(total)}</div>'
        f'<p class="why">{total.clean} of {_number(total.rounds, "round")} without a scratch. {_reasons(results)}</p>'
        "</section>"
    )


def _chips(counts: _Total | Audit) -> str:
    told = [
        _chip("unavailable", counts.unavailable, "told to wait (503)"),
        _chip("spoilt", counts.wrong, "wrong"),
        _chip("spoilt", counts.lost, "lost"),
        _chip("spoilt", counts.doubled, "doubled"),
    ]
    if isinstance(counts, Audit):
        told.insert(0, _chip("error", counts.errors, "error" if counts.errors == 1 else "errors"))
        if _is_clean(counts):
            told = [f'<span class="chip good">all {counts.requests} good</span>']
        told.append(_chip("good", counts.refused, "told “too large” (413)"))
    elif not (counts.wrong or counts.lost or counts.doubled):
        told.append('<span class="chip good">no write lost or doubled</span>')
    return "".join(told)


def _chip(name: str, count: int, what: str) -> str:
    return f'<span class="chip {name}">{count} {what}</span>' if count else ""


def _reasons(results: Iterable[ArmResult]) -> str:
    """Which errors there were, most frequent first."""
    counted: Counter[str] = Counter()
    for one in results:
        counted.update(_errors(one.audit))
    if not counted:
        return ""
    return "Errors: " + ", ".join(f"{count} {escape(name)}" for name, count in counted.most_common()) + "."


def _errors(audit: Audit) -> Mapping[str, int]:
    return Counter(audit.named) + Counter(audit.unnamed)


def _matrix(rounds: Sequence[Round], server: str) -> str:
    """The overview of one server: fault by arm."""
    mine = [one for one in rounds if one.server == server]
    arms = list(dict.fromkeys(result.arm for one in mine for result in one.results))
    names = "".join(f"<th>{escape(arm)}</th>" for arm in arms)
    lines = []
    for one in mine:
        results = {result.arm: result for result in one.results}
        cells = "".join(f"<td>{_mark(one, results[arm]) if arm in results else ''}</td>" for arm in arms)
        lines.append(f'<tr><th><a href="#{escape(one.fault)}">{escape(one.title)}</a></th>{cells}</tr>')
    return (
        f"<table><thead><tr><th>{escape(mine[0].version)}</th>{names}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _mark(found: Round, result: ArmResult) -> str:
    """What a cell of the overview shows: the worst thing first."""
    audit = result.audit
    marks = [
        f'<span class="spoilt">{count} {what}</span>'
        for count, what in ((audit.lost, "lost"), (audit.doubled, "doubled"), (audit.wrong, "wrong"))
        if count
    ]
    if audit.errors:
        all_named = sum(audit.named.values()) - audit.unavailable >= audit.errors
        marks.append(f'<span class="error{" named" if all_named else ""}">{audit.errors}</span>')
    if audit.unavailable:
        marks.append(f'<span class="unavailable">{audit.unavailable} &times; 503</span>')
    if found.slow and not marks:
        marks.append(f'<span class="unavailable">{found.slowdown(result):.0f}&times; slower</span>')
    return "".join(marks) or '<span class="good">✓</span>'


def _fault(rounds: Sequence[Round]) -> str:
    first = rounds[0]
    blocks = "".join(
        f'<div><p class="where">{escape(one.version)}</p>'
        f"{''.join(_arm(one, result) for result in one.results)}{axis(one)}</div>"
        for one in rounds
    )
    return (
        f'<section class="card fault" id="{escape(first.fault)}"><h3>{escape(first.title)}</h3>'
        f'<p class="soft">{escape(first.summary)}</p><div class="rounds">{blocks}</div></section>'
    )


def _arm(found: Round, result: ArmResult) -> str:
    audit = result.audit
    back = "no good answer after it" if result.recovery_ms is None else f"back in {milliseconds(result.recovery_ms)}"
    return (
        f'<div class="arm"><div class="head"><b>{escape(result.arm)}</b>{_chips(audit)}'
        f'<span class="times">{back}, longest {milliseconds(audit.longest_ms)}</span></div>'
        f"{strip(found, result)}{_why(audit)}{_causes(found, result)}</div>"
    )


def _why(audit: Audit) -> str:
    told = []
    for name, count in sorted(_errors(audit).items(), key=lambda item: -item[1]):
        says = audit.says.get(name, "")
        told.append(f"{count} &times; <code>{escape(name)}</code>{': ' + escape(_shortened(says)) if says else ''}")
    return f'<p class="why">{"; ".join(told)}</p>' if told else ""


def _causes(found: Round, result: ArmResult) -> str:
    """What the arm said of why it lost connections."""
    naming, wrong = result.naming, result.naming.wrong(found.right)
    told = [
        f"{count} &times; <code{' class=spoilt' if name in wrong else ''}>{escape(name)}</code>: "
        f"{escape(_shortened(naming.says.get(name, '')))}"
        for name, count in naming.causes.items()
    ]
    return f'<p class="why">Why, as it says: {"; ".join(told)}</p>' if told else ""


def _shortened(text: str, limit: int = 110) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def _is_clean(audit: Audit) -> bool:
    return not any((audit.errors, audit.unavailable, audit.wrong, audit.lost, audit.doubled))


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _title(arm: str) -> str:
    return ARMS.get(arm).title if arm in ARMS.names() else ""


def _by_arm(rounds: Iterable[Round]) -> dict[str, list[ArmResult]]:
    results: dict[str, list[ArmResult]] = {}
    for one in rounds:
        for result in one.results:
            results.setdefault(result.arm, []).append(result)
    return results
