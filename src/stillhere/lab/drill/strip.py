"""The strip of one arm: a lane for each client, a bar for each request. Pure; SVG."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from stillhere.lab.drill.records import ArmResult, Round
from stillhere.lab.drill.shots import Outcome, Shot

__all__ = ["axis", "strip"]

_WIDTH = 1000  # units; stretched to the width of the page
_LANE = 6
_MARGIN = 3
_CLASSES = ("good", "unavailable", "error", "spoilt")
"""In the order in which they are drawn: what is worse lies on top."""
_LEAST = {"good": 2, "unavailable": 5, "error": 6, "spoilt": 8}
"""Units that a bar has at least, so that it can be seen."""
_MAX_TICKS = 9


def strip(found: Round, result: ArmResult) -> str:
    """The SVG of one arm in one round."""
    lanes = 1 + max((shot.client for shot in result.shots), default=0)
    height = lanes * _LANE + 2 * _MARGIN
    scale = _scale(found)
    left, right = (round((moment - found.began) * scale) for moment in (found.struck, found.back))
    paths = "".join(
        f'<path class="{name}" d="{path}"/>'
        for name in _CLASSES
        if (path := _path(_of_class(result, name), found.began, scale, _LEAST[name]))
    )
    return (
        f'<svg class="strip" viewBox="0 0 {_WIDTH} {height}" height="{height}" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(_in_words(result))}">'
        f'<rect class="struck" x="{left}" width="{max(right - left, 3)}" height="{height}"/>{paths}</svg>'
    )


def axis(found: Round) -> str:
    """The seconds below the strips of a round, as HTML."""
    span = found.ended - found.began
    step = 1 if span <= _MAX_TICKS else 2
    ticks = "".join(
        f'<i style="left:{second / span * 100:.1f}%">{second}&#8239;s</i>'
        for second in range(0, int(span) + 1, step)
        if second < span - step * 0.3 or second == 0
    )
    return f'<div class="axis" aria-hidden="true">{ticks}</div>'


def _scale(found: Round) -> float:
    return _WIDTH / max(found.ended - found.began, 0.001)


def _of_class(result: ArmResult, name: str) -> Iterable[Shot]:
    return (shot for shot in result.shots if _class(shot, result.audit.spoilt) == name)


def _class(shot: Shot, spoilt: frozenset[str]) -> str:
    if shot.outcome is Outcome.WRONG or (shot.token and shot.token in spoilt):
        return "spoilt"
    return {Outcome.GOOD: "good", Outcome.UNAVAILABLE: "unavailable"}.get(shot.outcome, "error")


def _path(shots: Iterable[Shot], began: float, scale: float, least: int) -> str:
    """Horizontal lines, thick as the style sheet has it."""
    return "".join(
        f"M{round((shot.begun - began) * scale)} {_MARGIN + shot.client * _LANE + _LANE // 2}"
        f"h{max(least, round((shot.ended - shot.begun) * scale))}"
        for shot in shots
    )


def _in_words(result: ArmResult) -> str:
    audit = result.audit
    return (
        f"{result.arm}: {audit.requests} requests, {audit.errors} errors, {audit.unavailable} unavailable, "
        f"{audit.wrong} wrong, {audit.lost} lost, {audit.doubled} doubled"
    )
