"""The answer as text for a terminal, or for a pipe: the first line says it, the rest shows why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stillhere.cli.explanation.words import many, moment, times

__all__ = ["show"]

_STYLES = {"settled": "bold green", "likely": "bold yellow", "open": "bold yellow", "nothing": "bold"}
_MARKS = {
    "loss": ("●", "red"),
    "start": ("▲", "green"),
    "shutdown": ("▼", "yellow"),
    "crash": ("✖", "bold red"),
    "out-of-memory kill": ("✖", "bold red"),
    "hang": ("✖", "bold red"),
    "aborted connections": ("◌", "yellow"),
    "refused connections": ("■", "yellow"),
    "change": ("◆", "cyan"),
    "look": ("○", "cyan"),
}
_ROWS = 12  # of the timeline, and of the losses
_FULL = 4  # candidates that are told in full
_TOP = 3  # of users, hosts and reasons


def show(facts: dict[str, Any], console: Console) -> None:
    """Print it.

    Args:
        facts: as `stillhere.cli.explanation.facts.facts` gives them.
        console: where to. The first line is never wrapped, so that it stays one line in a pipe.
    """
    console.print(Text(facts["verdict"], style=_STYLES[facts["mood"]]), soft_wrap=True)
    if not console.is_terminal:  # without the blanks that fill a table's lines
        with console.capture() as captured:
            _rest(facts, console)
        console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    else:
        _rest(facts, console)


def _rest(facts: dict[str, Any], console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for label, content in _sections(facts):
        table.add_row()
        table.add_row(label, content)
    if table.row_count:
        console.print(table)


def _sections(facts: dict[str, Any]) -> Iterator[tuple[str, RenderableType]]:
    main = facts["losses"][0] if facts["losses"] else None
    if main is not None:
        yield "what", Group(*_what(main))
    yield from _why(facts)
    if len(facts["losses"]) > 1:
        yield "others", Group(*_others(facts["losses"][1:]))
    if facts["timeline"]:
        yield "when", _timeline(facts["timeline"])
    if facts["log"] is not None:
        yield "log", Group(*_log(facts["log"]))
    if facts["server"] is not None:
        yield "server", Group(*_server(facts["server"]))
    if facts["others"] and main is not None:
        kinds = ", ".join(f"{name} ({count:,})" for name, count in facts["others"].items())
        yield "not losses", Text(f"errors that leave the connection alive: {kinds}")
    if facts["notes"]:
        yield "note", Group(*_bullets(facts["notes"]))


def _why(facts: dict[str, Any]) -> Iterator[tuple[str, RenderableType]]:
    causes = facts["causes"]
    named = next((one for one in causes if one["cause"] == facts["named"]), None)
    if named is not None:
        yield "do", Group(*_remedy(named))
        yield "why", Group(*_evidence(named))
    others = [one for one in causes if one is not named]
    if others:
        yield ("or else" if named is not None else "candidates"), Group(*_candidates(others, full=named is None))
    if facts["collect"]:
        yield "to settle it", Group(*_bullets(facts["collect"]))


def _what(main: dict[str, Any]) -> Iterator[RenderableType]:
    yield Text(main["subject"])
    if main.get("message"):
        yield Text(main["message"], style="dim")
    if main.get("request"):
        yield Text(" ".join(part for part in (main["framework"], main["request"]) if part))
    if main.get("statement"):
        yield Text(_short(main["statement"]), style="dim")
    count = times(main["count"], "time") if main["count"] > 1 else ""
    if count or main["when"]:
        yield Text(", ".join(part for part in (count, main["when"]) if part))
    if len(main["places"]) > 1:
        for place in main["places"]:
            yield Text(f"{place['count']:>6,}  {place['name']}", style="dim")


def _remedy(cause: dict[str, Any]) -> Iterator[RenderableType]:
    remedy = cause["remedy"]
    yield Text(remedy["text"])
    for command in remedy["commands"]:
        yield Padding(Text(command, style="cyan"), (0, 0, 0, 2))
    if remedy["cost"]:
        yield Text(f"costs: {remedy['cost']}", style="dim")
    if cause["reference"]:
        yield Text(f"read: {cause['reference']}", style="dim")


def _evidence(cause: dict[str, Any]) -> Iterator[RenderableType]:
    yield Text(f"{cause['certainty']} ({cause['confidence']:.2f}): {cause['title']} [{cause['cause']}]", style="bold")
    for fact in cause["evidence"]:
        yield _fact(fact)


def _fact(fact: dict[str, Any]) -> RenderableType:
    mark, style = ("✓", "green") if fact["supports"] else ("✗", "red")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style=style), Text.assemble(fact["fact"], (f"  ({fact['source']})", "dim")))
    return grid


def _candidates(causes: list[dict[str, Any]], *, full: bool) -> Iterator[RenderableType]:
    """The other causes; where none is named, the best few with their evidence and remedy."""
    best = causes[0]["certainty"]
    for index, one in enumerate(causes):
        likely = one["certainty"] != "unlikely"
        told = full and likely and one["certainty"] == best and index < _FULL
        yield Text.assemble(
            (f"{one['certainty']} ({one['confidence']:.2f}): ", "" if likely else "dim"),
            (one["title"], "bold" if likely else "dim"),
            (f": {one['sentence']} [{one['cause']}]", "" if likely else "dim"),
        )
        shown = one["evidence"] if told else [fact for fact in one["evidence"] if not fact["supports"]]
        for fact in shown:
            yield Padding(_fact(fact), (0, 0, 0, 2))
        if told:
            yield Padding(Text(f"→ {one['remedy']['text']}"), (0, 0, 0, 2))


def _bullets(lines: list[str]) -> Iterator[RenderableType]:
    for line in lines:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row("-", Text(line))
        yield grid


def _others(losses: list[dict[str, Any]]) -> Iterator[RenderableType]:
    for loss in losses[:_ROWS]:
        cause = loss["causes"][0] if loss["causes"] else None
        if loss["certainty"] is not None and cause is not None:
            why = f"{loss['certainty']}: {cause['title']}: {cause['sentence']}"
        else:
            why = "not settled" + (f", perhaps {cause['title']}" if cause is not None else "")
        yield Text.assemble((f"{times(loss['count'], 'time')}: ", "bold"), loss["subject"], (f": {why}", "dim"))
    if len(losses) > _ROWS:
        yield Text(f"and {len(losses) - _ROWS} more kinds; --json has them all", style="dim")


def _timeline(moments: list[dict[str, Any]]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    shown, left = _shown(moments)
    day = ""
    for at, one in enumerate(shown):
        if left and at == _ROWS // 2:
            grid.add_row("", "", Text(f"… {left:,} more; --html and --json have them all", style="dim"))
        mark, style = _MARKS[one["mark"]]
        date, clock = one["at"].rstrip("Z").split("T")
        when = clock if date == day else f"{date} {clock}"
        day = date
        until = f", until {_clock(one['until'], date)}" if one["until"] and one["until"] != one["at"] else ""
        count = many(one["count"])
        grid.add_row(f"{when:>19}", Text(mark, style=style), Text(f"{count}{one['text']}{until}"))
    return Group(grid, Text("times are UTC", style="dim"))


def _shown(moments: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    if len(moments) <= _ROWS:
        return moments, 0
    half = _ROWS // 2
    return [*moments[:half], *moments[-half:]], len(moments) - 2 * half


def _clock(text: str, day: str) -> str:
    date, clock = text.rstrip("Z").split("T")
    return clock if date == day else f"{date} {clock}"


def _log(log: dict[str, Any]) -> Iterator[RenderableType]:
    first, last = (datetime.fromisoformat(log[key]) if log[key] else None for key in ("first", "last"))
    covers = f", {moment(first)} to {moment(last)}" if first and last else ""
    yield Text(f"{', '.join(log['files'])}: {times(log['lines'], 'line')}{covers}")
    endings: dict[str, int] = {}
    for life in log["lives"]:
        endings[life["ending"]] = endings.get(life["ending"], 0) + 1
    if endings:
        yield Text("the server's lives ended: " + ", ".join(f"{name} {count:,}" for name, count in endings.items()))
    aborts = log["aborts"]
    if aborts["total"]:
        yield Text(f"{times(aborts['total'], 'aborted connection')}")
        for label, key in (("by user", "by_user"), ("by host", "by_host"), ("by reason", "by_reason")):
            if aborts[key]:
                yield Text(
                    f"  {label}: {_top(aborts[key], 'before authentication' if key == 'by_user' else 'unknown')}"
                )
        if aborts["by_hour"]:
            busiest = max(aborts["by_hour"], key=lambda one: one["count"])
            yield Text(f"  busiest hour: {moment(datetime.fromisoformat(busiest['hour']))}, {busiest['count']:,}")
    for noise in log["noise"]:
        yield Text(
            f"noise: {noise['count']:,} connections of {noise['host'] or 'an unknown host'} every "
            f"{noise['period']:.0f} s that never log in: a monitor or a port check, not a loss"
        )
    if log["unknown"]:
        yield Text(f"{times(log['unknown'], 'line')} of no format that is known", style="dim")


def _top(counts: list[dict[str, Any]], nameless: str) -> str:
    shown = ", ".join(f"{one['name'] or nameless} {one['count']:,}" for one in counts[:_TOP])
    return shown + (f" and {len(counts) - _TOP} more" if len(counts) > _TOP else "")


def _server(server: dict[str, Any]) -> Iterator[RenderableType]:
    if not server["reached"]:
        yield Text(f"{server['address']}: nobody can log in: {server['error']}", style="red")
        return
    yield Text(f"{server['address']}: {server['version']}, up for {_long(server['uptime'])}")
    facts = [
        ("wait_timeout", "wait_timeout {:,.0f} s"),
        ("connections", "connections {:,.0f}"),
        ("max_connections", "max_connections {:,.0f}"),
        ("aborted_clients", "Aborted_clients {:,}"),
        ("aborted_connects", "Aborted_connects {:,}"),
    ]
    yield Text(", ".join(form.format(server[name]) for name, form in facts if server[name] is not None), style="dim")
    for what, why in server["gaps"].items():
        yield Text(f"not seen: {what} ({why})", style="yellow")


def _long(seconds: int | None) -> str:
    """A length of time in its largest two units."""
    if seconds is None:
        return "an unknown time"
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:2])


def _short(statement: str, limit: int = 200) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= limit else text[: limit - 2] + " …"
