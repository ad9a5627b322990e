"""From what was measured, and what was asked for, to the changes that there are to make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stillhere.errors import ConfigurationError
from stillhere.findings import Evidence, Finding, Remedy, Severity
from stillhere.policy import parse_bytes, parse_count, parse_duration, parse_switch
from stillhere.tune.change import Change, Gap, Rule, shown, size
from stillhere.tune.knobs import KNOBS, Knob, Unit
from stillhere.tune.measured import Measured, session_memory
from stillhere.tune.spelling import same_value

__all__ = ["Plan", "plan", "wished"]

_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What should be done.

    Attributes:
        changes: one a setting.
        notes: what no setting mends.
        gaps: what could not be judged, and why.
    """

    changes: tuple[Change, ...] = ()
    notes: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()


def plan(measured: Measured, rules: Iterable[Rule], wishes: Iterable[Change] = ()) -> Plan:
    """Ask every rule; a wish takes the place of what a rule says about its setting."""
    changes: dict[str, Change] = {}
    notes: list[Finding] = []
    gaps: list[Gap] = []
    for rule in rules:
        for answer in rule.judge(measured):
            if isinstance(answer, Change):
                changes[answer.name] = answer
            elif isinstance(answer, Gap):
                gaps.append(answer)
            else:
                notes.append(answer)
    for wish in wishes:
        changes[wish.name] = wish
        gaps = [gap for gap in gaps if gap.name != wish.name]
    needed = tuple(one for one in changes.values() if not same_value(one.before, one.after))
    return Plan(changes=needed, notes=tuple(notes), gaps=tuple(gaps))


def wished(measured: Measured, wishes: Mapping[str, str]) -> tuple[Change, ...]:
    """What the user asked for by name, held against the server's own limits.

    Args:
        measured: with the facts of the settings that were asked for.
        wishes: setting to value, such as ``{"wait_timeout": "10m", "max_allowed_packet": "64M"}``.

    Raises:
        ConfigurationError: a setting that is not tuned here or that the server hasn't, or a value that it won't take.
    """
    return tuple(_wish(measured, KNOBS.get(name.replace("-", "_").lower()), value) for name, value in wishes.items())


def _wish(measured: Measured, knob: Knob, value: str) -> Change:
    if knob.name not in measured.snapshot.variables:
        raise ConfigurationError(f"{knob.name}: {measured.snapshot.version} has no such setting")
    text = _checked(measured, knob, value)
    before = measured.snapshot.variables[knob.name]
    memory = session_memory(measured.snapshot)
    costs = {
        "max_connections": f"each session takes {size(memory.idle)} idle and {size(memory.busy)} busy.",
        "max_allowed_packet": "a session that sends such a packet needs a buffer of its size until it ends.",
    }
    long = knob.unit is Unit.SECONDS and int(text) >= _DAY
    cost = costs.get(knob.name, "")
    if long:
        cost = "A day or more keeps dead clients' threads and locks, and hides leaks; the shortest hop still cuts."
    return Change(
        name=knob.name,
        before=before,
        after=text,
        finding=Finding(
            rule=f"tune-{knob.name.replace('_', '-')}",
            severity=Severity.WARNING if long else Severity.INFO,
            message=f"{knob.name} was asked for: {knob.says}",
            evidence=(Evidence(f"--set {knob.name}={value}", "command line"), measured.setting(knob.name)),
            remedy=Remedy(f"Set {knob.name} to {shown(knob.name, text)}.", cost=cost),
            subject=measured.snapshot.address,
        ),
    )


def _checked(measured: Measured, knob: Knob, value: str) -> str:
    option = f"--set {knob.name}"
    if knob.unit is Unit.SWITCH:
        return "ON" if parse_switch(option, value) else "OFF"
    parsers = {Unit.SECONDS: parse_duration, Unit.BYTES: parse_bytes, Unit.COUNT: parse_count}
    number = parsers[knob.unit](option, value)
    if number != int(number):
        raise ConfigurationError(f"{option}: {value} is no whole number of seconds")
    number = int(number)
    facts = measured.facts.get(knob.name)
    if facts is not None and facts.low is not None and facts.high is not None:
        if not facts.low <= number <= facts.high:
            raise ConfigurationError(f"{option}: {value} is outside what the server takes, {facts.low} to {facts.high}")
        if number % facts.step:
            raise ConfigurationError(f"{option}: the server would round {value} down to a multiple of {facts.step}")
    return str(number)
