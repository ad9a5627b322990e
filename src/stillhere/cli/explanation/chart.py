"""The two pictures of the page: what happened when, and aborted connections by hour. Pure; HTML and CSS, no script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import zip_longest
from typing import Any

from stillhere.cli.explanation.words import many

__all__ = ["bars", "lanes"]

_LANES = {
    "application": ("loss",),
    "server": ("start", "shutdown", "crash", "out-of-memory kill", "hang"),
    "clients": ("aborted connections", "refused connections"),
    "changes": ("change", "look"),
}
_LANE_OF = {mark: lane for lane, marks in _LANES.items() for mark in marks}
_MOST_BARS = 96
_TICKS = 5
_STEPS = [
    timedelta(seconds=count) for count in (1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 43200, 86400, 604800, 2592000)
]
_EVENT = timedelta(hours=24)
"""How long before the first loss something may have happened that belongs in the same picture."""


def lanes(facts: dict[str, Any]) -> str:
    """What happened when, a lane each for the application, the server, its clients and its settings."""
    moments = facts["timeline"]
    if not moments:
        return ""
    begin, end = _domain(moments)
    shown = [one for one in moments if _time(one["at"]) <= end and _time(one["until"] or one["at"]) >= begin]
    rows = "".join(_lane(name, shown, facts, begin, end) for name in _LANES)
    hidden = len(moments) - len(shown)
    beyond = f'<p class="soft">{hidden:,} more lie outside of this stretch; the list has them.</p>' if hidden else ""
    return (
        f'<div class="lanes" role="img" aria-label="{escape(_in_words(shown))}">{rows}'
        f'<div class="lane"><span></span><div class="axis">{"".join(_ticks(begin, end))}</div></div></div>{beyond}'
    )


def bars(hours: list[dict[str, Any]]) -> str:
    """Aborted connections by hour; by day or longer where there would be too many bars."""
    if not hours:
        return ""
    width, bins = _binned([(_time(one["hour"]), one["count"]) for one in hours])
    most = max(count for _, count in bins)
    total = sum(count for _, count in bins)
    drawn = "".join(
        f'<i style="height:{max(count / most * 100, 2 if count else 0):.1f}%" title="{_stamp(at)}: {count:,}"></i>'
        for at, count in bins
    )
    unit = "hour" if width <= timedelta(hours=1) else f"{width / timedelta(hours=1):.0f} hours"
    words = (
        f"{total:,} aborted connections, {_stamp(bins[0][0])} to {_stamp(bins[-1][0])}, at most {most:,} in one {unit}"
    )
    rows = "".join(f"<tr><td>{_stamp(at)}</td><td>{count:,}</td></tr>" for at, count in bins if count)
    return (
        f'<figure><div class="bars" role="img" aria-label="{words}">{drawn}</div>'
        f"<figcaption><span>{_stamp(bins[0][0])}</span><span>{_stamp(bins[-1][0])}</span></figcaption></figure>"
        f'<p class="soft">Aborted connections by {unit}, at most {most:,}. Times are UTC.</p>'
        f"<details><summary>The numbers</summary><table><thead><tr><th>from</th><th>aborted</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></details>"
    )


def _lane(name: str, moments: list[dict[str, Any]], facts: dict[str, Any], begin: datetime, end: datetime) -> str:
    mine = [one for one in moments if _LANE_OF[one["mark"]] == name]
    lives = "".join(_lives(facts, begin, end)) if name == "server" else ""
    if not mine and not lives:
        return ""
    marks = "".join(_mark(one, begin, end) for one in mine)
    return f'<div class="lane"><span>{name}</span><div class="track">{lives}{marks}</div></div>'


def _mark(one: dict[str, Any], begin: datetime, end: datetime) -> str:
    left = _share(_time(one["at"]), begin, end)
    width = _share(_time(one["until"]), begin, end) - left if one["until"] else 0.0
    count = many(one["count"])
    words = escape(f"{_clock(one['at'])}: {count}{one['text']}")
    name = one["mark"].replace(" ", "-")
    return f'<b class="mark {name}" style="left:{left:.2f}%;width:{width:.2f}%" title="{words}"></b>'


def _lives(facts: dict[str, Any], begin: datetime, end: datetime) -> Iterator[str]:
    """When the server was up, as far as its log tells; one that died without a word, until it was found dead."""
    lives = facts["log"]["lives"] if facts["log"] else []
    for life, after in zip_longest(lives, lives[1:]):
        started = life["ready"] or life["started"]
        ended = life["ended"] or (after["started"] if after is not None else None)
        left = _share(_time(started) if started else begin, begin, end)
        right = _share(_time(ended) if ended else end, begin, end)
        if right > left:
            yield f'<i class="up" style="left:{left:.2f}%;width:{right - left:.2f}%"></i>'


def _domain(moments: list[dict[str, Any]]) -> tuple[datetime, datetime]:
    """The stretch that is drawn: the losses, and what happened within a day before them; else everything."""
    losses = [one for one in moments if one["mark"] == "loss"]
    if losses:
        first = min(_time(one["at"]) for one in losses)
        last = max(_time(one["until"] or one["at"]) for one in losses)
        before = [_time(one["at"]) for one in moments if first - _EVENT <= _time(one["at"]) < first]
        after = [_time(one["at"]) for one in moments if last < _time(one["at"]) <= last + timedelta(hours=1)]
        first, last = max(before, default=first), max([last, *after[:3]])
        # Of what came before, the last five things.
        first = min([first, *sorted(before)[-5:]])
    else:
        first = min(_time(one["at"]) for one in moments)
        last = max(_time(one["until"] or one["at"]) for one in moments)
    margin = max((last - first) * 0.04, timedelta(seconds=5))
    return first - margin, last + margin


def _ticks(begin: datetime, end: datetime) -> Iterator[str]:
    step = next((one for one in _STEPS if (end - begin) / one <= _TICKS), _STEPS[-1])
    origin = datetime(2000, 1, 1, tzinfo=UTC)
    at = origin + ((begin - origin) // step + 1) * step
    if (end - begin) / step > _TICKS * 4:  # years and years
        step = (end - begin) / _TICKS
    while at < end:
        text = (
            f"{at:%b %d}"
            if step >= timedelta(days=1)
            else f"{at:%H:%M:%S}"
            if step < timedelta(minutes=1)
            else f"{at:%H:%M}"
        )
        left = _share(at, begin, end)
        if left < 86:  # noqa: PLR2004 - per cent: the label would stick out
            yield f'<i style="left:{left:.2f}%">{text}</i>'
        at += step


def _binned(hours: list[tuple[datetime, int]]) -> tuple[timedelta, list[tuple[datetime, int]]]:
    first, last = hours[0][0], hours[-1][0]
    width = timedelta(hours=1)
    for factor in (1, 3, 6, 12, 24, 24 * 7, 24 * 30, 24 * 365):
        width = timedelta(hours=factor)
        if (last - first) / width < _MOST_BARS:
            break
    counts = [0] * (int((last - first) / width) + 1)
    for hour, count in hours:
        counts[int((hour - first) / width)] += count
    return width, [(first + index * width, count) for index, count in enumerate(counts)]


def _in_words(moments: list[dict[str, Any]]) -> str:
    told = [f"{_clock(one['at'])} {one['count']:,} {one['mark']}" for one in moments[:30]]
    more = f", and {len(moments) - 30} more" if len(moments) > 30 else ""  # noqa: PLR2004 - as above
    return "Timeline: " + ", ".join(told) + more


def _share(at: datetime, begin: datetime, end: datetime) -> float:
    return min(max((at - begin) / (end - begin) * 100, 0.0), 100.0)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _clock(text: str) -> str:
    return text.replace("T", " ").replace("Z", " UTC")


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
