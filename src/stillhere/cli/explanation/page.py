"""The answer as one self-contained page: the verdict, what to do, what happened when, the causes, the log. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources
from typing import Any

from stillhere import __version__
from stillhere.cli.explanation.chart import bars, lanes
from stillhere.cli.explanation.words import many, times
from stillhere.pages import document

__all__ = ["page"]

Facts = dict[str, Any]

_MOMENTS = 60
_LOSSES = 30
_ROWS = 10


def page(facts: Facts) -> str:
    """The whole page.

    Args:
        facts: as `stillhere.cli.explanation.facts.facts` gives them; every text is escaped here.
    """
    style = resources.files("stillhere.cli.explanation").joinpath("page.css").read_text(encoding="utf-8")
    return document(title=f"stillhere: {facts['verdict']}", style=style, body="\n".join(_parts(facts)))


def _parts(facts: Facts) -> Iterator[str]:
    yield _verdict(facts)
    named = next((one for one in facts["causes"] if one["cause"] == facts["named"]), None)
    if named is not None:
        yield _section("What to do", _card(_remedy(named) + _reference(named)))
    if facts["collect"]:
        yield _section("What would settle it", _card(_list(facts["collect"])))
    if facts["timeline"]:
        yield _section("What happened when", _card(lanes(facts) + _moments(facts["timeline"])))
    if facts["causes"]:
        yield _section("Causes, the surest first", "".join(_cause(one, named) for one in facts["causes"]))
    if len(facts["losses"]) > 1:
        yield _section("Every loss", _losses(facts["losses"]))
    if facts["log"] is not None:
        yield _section("What the log holds", _card(_log(facts["log"])))
    if facts["server"] is not None:
        yield _section("The server", _card(_server(facts["server"])))
    notes = list(facts["notes"])
    if facts["others"] and facts["losses"]:
        kinds = ", ".join(f"{name} ({count:,})" for name, count in facts["others"].items())
        notes.append(f"errors that leave the connection alive: {kinds}")
    if notes:
        yield _section("Notes", _card(_list(notes)))
    yield f"<footer>Written by stillhere explain {escape(__version__)}. Passwords are masked.</footer>"


def _verdict(facts: Facts) -> str:
    main = facts["losses"][0] if facts["losses"] else None
    lines = []
    if main is not None:
        lines.append(escape(main["subject"]))
        lines += [escape(main[key]) for key in ("message", "request") if main.get(key)]
        when = ", ".join(
            part for part in (times(main["count"], "time") if main["count"] > 1 else "", main["when"]) if part
        )
        lines += [escape(when)] if when else []
    told = "".join(f"<p>{line}</p>" for line in lines if line)
    if main is not None and main.get("statement"):
        told += f"<p><code>{escape(_short(main['statement']))}</code></p>"
    return f'<header class="verdict {facts["mood"]}"><h1>{escape(facts["verdict"])}</h1>{told}</header>'


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _card(content: str) -> str:
    return f'<div class="card">{content}</div>'


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _remedy(cause: Facts) -> str:
    remedy = cause["remedy"]
    commands = f"<pre>{escape(chr(10).join(remedy['commands']))}</pre>" if remedy["commands"] else ""
    cost = f'<p class="soft">Costs: {escape(remedy["cost"])}</p>' if remedy["cost"] else ""
    return f"<p>{escape(remedy['text'])}</p>{commands}{cost}"


def _reference(cause: Facts) -> str:
    return f'<p class="soft">Read: {escape(cause["reference"])}</p>' if cause["reference"] else ""


def _cause(cause: Facts, named: Facts | None) -> str:
    evidence = "".join(map(_fact, cause["evidence"]))
    remedy = f"<details><summary>What to do if it is this</summary>{_remedy(cause)}{_reference(cause)}</details>"
    sure = cause["certainty"]
    return (
        f'<div class="card {sure}"><h3>{escape(cause["title"])} '
        f'<span class="chip {sure}">{sure} {cause["confidence"]:.2f}</span></h3><p>{escape(cause["sentence"])}</p>'
        f'<ul class="evidence">{evidence}</ul>{"" if cause is named else remedy}</div>'
    )


def _fact(fact: Facts) -> str:
    side, spoken = ("for", "for: ") if fact["supports"] else ("against", "against: ")
    told = f"{escape(fact['fact'])} <small>{escape(fact['source'])}</small>"
    return f'<li class="{side}"><span class="spoken">{spoken}</span>{told}</li>'


def _moments(moments: list[Facts]) -> str:
    shown = moments if len(moments) <= _MOMENTS else [*moments[: _MOMENTS // 2], *moments[-_MOMENTS // 2 :]]
    lines = "".join(map(_event, shown))
    left = len(moments) - len(shown)
    more = f'<p class="soft">{left:,} in the middle are left out; --json has them all.</p>' if left else ""
    return f'<ol class="when">{lines}</ol>{more}<p class="soft">Times are UTC.</p>'


def _event(one: Facts) -> str:
    count = many(one["count"])
    until = f", until {_clock(one['until'])}" if one["until"] and one["until"] != one["at"] else ""
    mark = one["mark"].replace(" ", "-")
    return (
        f'<li><time datetime="{one["at"]}">{_clock(one["at"])}</time><b class="mark {mark}"></b>'
        f'<span>{count}{escape(one["text"])}{until} <small class="soft">{escape(one["source"])}</small></span></li>'
    )


def _losses(losses: list[Facts]) -> str:
    rows = []
    for loss in losses[:_LOSSES]:
        first = loss["causes"][0] if loss["causes"] else None
        named = loss["certainty"] is not None and first is not None
        why = f"{first['title']} ({loss['certainty']})" if named and first else "not settled"
        rows.append(
            f'<tr><td>{escape(loss["subject"])}<br><small class="soft">{escape(loss["when"])}</small></td>'
            f"<td>{escape(why)}</td><td>{loss['count']:,}</td></tr>"
        )
    more = (
        f'<p class="soft">and {len(losses) - _LOSSES} more kinds; --json has them all.</p>'
        if len(losses) > _LOSSES
        else ""
    )
    return _card(
        "<table><thead><tr><th>what</th><th>why</th><th>times</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>{more}"
    )


def _log(log: Facts) -> str:
    aborts = log["aborts"]
    covers = f", {_clock(log['first'])} to {_clock(log['last'])} UTC" if log["first"] and log["last"] else ""
    unknown = f", {log['unknown']:,} of them of no format that is known" if log["unknown"] else ""
    told = f"<p>{escape(', '.join(log['files']))}: {times(log['lines'], 'line')}{unknown}{covers}.</p>"
    told += bars(aborts["by_hour"])
    tables = [
        _table("the server's lives ended", _counted(life["ending"] for life in log["lives"])),
        _table("aborted, by user", _pairs(aborts["by_user"], "before authentication")),
        _table("aborted, by host", _pairs(aborts["by_host"], "unknown")),
        _table("aborted, by reason", _pairs(aborts["by_reason"], "unknown")),
    ]
    told += f'<div class="tables">{"".join(tables)}</div>'
    noise = [
        f"{one['count']:,} connections of {one['host'] or 'an unknown host'} every {one['period']:.0f} s that never "
        "log in: a monitor or a port check, not a loss"
        for one in log["noise"]
    ]
    return told + (f"<p>Noise:</p>{_list(noise)}" if noise else "")


def _table(title: str, pairs: list[tuple[str, int]]) -> str:
    if not pairs:
        return ""
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{count:,}</td></tr>" for name, count in pairs[:_ROWS])
    more = f"<tr><td>{len(pairs) - _ROWS:,} more</td><td></td></tr>" if len(pairs) > _ROWS else ""
    return f"<table><thead><tr><th>{title}</th><th>times</th></tr></thead><tbody>{rows}{more}</tbody></table>"


def _pairs(counts: list[Facts], nameless: str) -> list[tuple[str, int]]:
    return [(one["name"] or nameless, one["count"]) for one in counts]


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return sorted(counted.items(), key=lambda pair: -pair[1])


def _server(server: Facts) -> str:
    if not server["reached"]:
        return f"<p>{escape(server['address'])}: nobody can log in: {escape(server['error'])}</p>"
    numbers = [
        (name.replace("_", " "), f"{server[name]:,.0f}")
        for name in ("uptime", "wait_timeout", "connections", "max_connections", "aborted_clients", "aborted_connects")
        if server[name] is not None
    ]
    rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in numbers)
    gaps = [f"not seen: {what} ({why})" for what, why in server["gaps"].items()]
    return (
        f"<p>{escape(server['address'])}: {escape(server['version'])}</p>"
        f"<table><tbody>{rows}</tbody></table>{_list(gaps) if gaps else ''}"
    )


def _clock(text: str) -> str:
    return text.replace("T", " ").rstrip("Z")


def _short(statement: str, limit: int = 300) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= limit else text[: limit - 2] + " …"
