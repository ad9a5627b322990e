"""The drill in a terminal: a line for each finished round, and the table at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stillhere.causes.engine import UNKNOWN
from stillhere.lab.drill.check import Audit
from stillhere.lab.drill.records import ArmResult, Decision, Round, Verdict

__all__ = ["closing", "milliseconds", "round_line", "table"]

_WIDE = 120
_SUMS = {"errors": "errors", "unavailable": "503", "wrong": "wrong", "lost": "lost", "doubled": "doubled"}
_STYLES = {Verdict.PASSED: "bold green", Verdict.FAILED: "bold red", Verdict.VOID: "bold yellow"}
_SECOND = 1000.0


def table(rounds: Sequence[Round], width: int) -> RenderableType:
    """Fault by arm, one table for each server.

    Args:
        rounds: what was played.
        width: of the terminal, in columns; a narrow one gets short headings.
    """
    servers = dict.fromkeys((one.server, one.version, one.driver) for one in rounds)
    return Group(
        *(
            _table([one for one in rounds if one.server == server], f"{version}, {driver}", wide=width >= _WIDE)
            for server, version, driver in servers
        )
    )


def round_line(found: Round) -> Text:
    """One line about a finished round: what each arm came to."""
    line = Text.assemble((f"{found.server:<8}", "dim"), f"{found.title:<32.32}")
    for result in found.results:
        words, style = _in_words(result.audit)
        line.append(f"  {result.arm} ")
        line.append(words, style)
        if found.slow and found.slowdown(result):
            line.append(f" ({found.slowdown(result):.0f} times slower)", "yellow")
    if not found.shows:
        line.append("  (no arm noticed it)", "yellow")
    return line


def closing(rounds: Sequence[Round], decision: Decision) -> Text:
    """The last lines: the sum for each arm, how many causes it named, and the verdict with its reasons."""
    text = Text()
    for arm, results in _by_arm(rounds).items():
        text.append(f"{arm:<10}", "bold")
        text.append(f"{sum(one.audit.requests for one in results):>6} requests")
        for what, heading in _SUMS.items():
            count = sum(getattr(one.audit, what) for one in results)
            style = "dim" if not count else "yellow" if what == "unavailable" else "red"
            text.append(f"{count:>5} {heading}", style)
        text.append("\n")
    text.append(_named_in_all(rounds))
    text.append(decision.sentence, _STYLES[decision.verdict])
    for reason in (*decision.reasons, *decision.remarks):
        text.append(f"\n  {reason}")
    return text


def _named_in_all(rounds: Iterable[Round]) -> Text:
    """A line for each arm that says why it lost connections: how often it was right."""
    counts: dict[str, list[int]] = {}
    for one in rounds:
        for result in one.results:
            named, wrong = result.naming.causes, sum(result.naming.wrong(one.right).values())
            unknown = named.get(UNKNOWN, 0)
            sums = counts.setdefault(result.arm, [0, 0, 0])
            sums[:] = map(sum, zip(sums, (sum(named.values()) - wrong - unknown, unknown, wrong), strict=True))
    text = Text()
    for arm, (right, unknown, wrong) in counts.items():
        if right or unknown or wrong:
            text.append(f"{arm:<10}", "bold")
            text.append(f"{right:>6} causes named rightly")
            text.append(f"{unknown:>5} unknown", "yellow" if unknown else "dim")
            text.append(f"{wrong:>5} wrong\n", "bold red" if wrong else "dim")
    return text


def milliseconds(value: float | None) -> str:
    """A duration for people; a dash for never."""
    if value is None:
        return "never"
    return f"{value / _SECOND:.1f} s" if value >= _SECOND else f"{value:.0f} ms"


def _table(rounds: Sequence[Round], title: str, *, wide: bool) -> Table:
    side = 1 if wide else 0
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, side, 0, side))
    grid.add_column("fault", no_wrap=wide, max_width=34 if wide else 22, overflow="fold")
    grid.add_column("arm", no_wrap=True)
    long = ("requests", "errors", "unavailable", "wrong", "lost", "doubled", "recovery", "longest")
    short = ("reqs", "errs", "503", "wrong", "lost", "dbl", "back in", "longest")
    for heading in long if wide else short:
        grid.add_column(heading, justify="right", no_wrap=True)
    grid.add_column("cause named" if wide else "cause", no_wrap=wide, overflow="fold")
    for one in rounds:
        for place, result in enumerate(one.results):
            last = place == len(one.results) - 1
            cells = (*_cells(result), _named(one, result))
            grid.add_row(one.title if not place else "", *cells, end_section=last and wide)
    return grid


def _cells(result: ArmResult) -> list[Text]:
    audit = result.audit
    counts = [
        _count(audit.errors, "red"),
        _count(audit.unavailable, "yellow"),
        _count(audit.wrong, "bold red"),
        _count(audit.lost, "bold red"),
        _count(audit.doubled, "bold red"),
    ]
    back = Text(milliseconds(result.recovery_ms), "red" if result.recovery_ms is None else "")
    return [
        Text(result.arm, "green" if _clean(audit) else ""),
        Text(str(audit.requests)),
        *counts,
        back,
        Text(milliseconds(audit.longest_ms)),
    ]


def _named(found: Round, result: ArmResult) -> Text:
    naming = result.naming
    wrong = bool(naming.wrong(found.right))
    return Text(naming.cause.replace("_", " "), "bold red" if wrong else "yellow" if naming.cause == UNKNOWN else "")


def _count(number: int, style: str) -> Text:
    return Text(str(number), style) if number else Text("0", "dim")


def _clean(audit: Audit) -> bool:
    return not any((audit.errors, audit.unavailable, audit.wrong, audit.lost, audit.doubled))


def _in_words(audit: Audit) -> tuple[str, str]:
    counts = {
        "errors": audit.errors,
        "unavailable": audit.unavailable,
        "wrong": audit.wrong,
        "lost": audit.lost,
        "doubled": audit.doubled,
    }
    told = [f"{count} {what}" for what, count in counts.items() if count]
    if not told:
        return "ok", "green"
    return ", ".join(told), "yellow" if told == [f"{audit.unavailable} unavailable"] else "red"


def _by_arm(rounds: Iterable[Round]) -> dict[str, list[ArmResult]]:
    results: dict[str, list[ArmResult]] = {}
    for one in rounds:
        for result in one.results:
            results.setdefault(result.arm, []).append(result)
    return results
