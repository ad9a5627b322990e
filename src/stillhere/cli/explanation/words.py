"""The one sentence that comes first, and small words for numbers and times."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum

from stillhere.causes.answer import Answer, Case, Origin
from stillhere.causes.engine import UNKNOWN
from stillhere.causes.rule import Certainty, Rule
from stillhere.registry import Registry

__all__ = ["Mood", "many", "moment", "mood", "span", "times", "title", "verdict"]

_LISTED = 3


class Mood(Enum):
    """How good the answer is; the colours go by it."""

    SETTLED = "settled"
    LIKELY = "likely"
    OPEN = "open"
    NOTHING = "nothing"


def mood(answer: Answer) -> Mood:
    """How good the answer is."""
    main = answer.main
    if main is None:
        return Mood.NOTHING
    named = main.explanation.named
    if named is None:
        return Mood.OPEN
    return Mood.SETTLED if named.certainty is Certainty.PROVED else Mood.LIKELY


def verdict(answer: Answer, rules: Registry[Rule]) -> str:
    """The first line: what happened, how sure that is, and of how many losses."""
    main = answer.main
    if main is None:
        return _nothing(answer)
    said = _said(main, rules) + _share(main, answer)
    if main.origin is Origin.SERVER and answer.look is not None:
        return f"Nobody can log in at {answer.look.address}. {said}"
    return said


def title(cause: str, rules: Registry[Rule]) -> str:
    """What a report calls a cause; its own name where no rule carries it."""
    return rules.get(cause).title if cause in rules.names() else cause


def moment(at: datetime | None) -> str:
    """A time to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at is not None else ""


def span(first: datetime | None, last: datetime | None) -> str:
    """From one time to another, the day told once; empty where there is none."""
    if first is None or last is None:
        return moment(first or last)
    if first.replace(microsecond=0) == last.replace(microsecond=0):
        return moment(first)
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    if first.date() == last.date():
        return f"{first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC"
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"


def times(count: int, noun: str) -> str:
    """A number and its noun, which takes an s."""
    return f"{count:,} {noun}{'' if count == 1 else 'es' if noun.endswith('s') else 's'}"


def many(count: int) -> str:
    """How often, before what it is that came: empty for once."""
    return f"{count:,} \N{MULTIPLICATION SIGN} " if count > 1 else ""


def _said(main: Case, rules: Registry[Rule]) -> str:
    named = main.explanation.named
    if named is None:
        return _not_settled(main, rules)
    probably = named.certainty is not Certainty.PROVED
    told = title(named.cause, rules)
    return f"{f'Probably {_small(told)}' if probably else told}: {named.sentence}"


def _nothing(answer: Answer) -> str:
    if answer.others:
        kinds = ", ".join(f"{name} ({count:,})" for name, count in answer.others.items())
        return f"No lost connection: these errors leave the connection alive: {kinds}"
    if answer.logs:
        return "Nothing in the log ended a connection or turned a client away"
    return "Nothing to explain: no loss was given"


def _not_settled(main: Case, rules: Registry[Rule]) -> str:
    causes = [answer for answer in main.explanation.causes if answer.certainty is not Certainty.UNLIKELY]
    if not causes:
        return f"Unknown: none of the {len(rules)} causes fits what was given"
    best = [answer for answer in causes if answer.certainty is causes[0].certainty]
    names = [_small(title(answer.cause, rules)) for answer in best[:_LISTED]]
    left = len(causes) - len(names)
    word = {Certainty.PROVED: "at once proved", Certainty.LIKELY: "equally likely"}.get(best[0].certainty)
    if word is None:
        # What was seen, in the words of the cause that fits it best, says more than that one's name.
        word, names[0] = "possible", f"{best[0].sentence} ({best[0].cause})"
    return f"Not settled; {word}: {'; '.join(names)}" + (f"; and {left} more" if left else "")


def _share(main: Case, answer: Answer) -> str:
    if main.origin is Origin.SERVER or answer.losses == 1:
        return ""
    if main.origin is Origin.LOG:
        named = main.explanation.named
        told = named is not None and f"{main.count:,} times" in named.sentence
        return f" ({main.count:,} times)" if main.count > 1 and not told else ""
    if main.count == answer.losses:
        return f" ({main.count:,} losses)"
    what = UNKNOWN if main.explanation.named is None else ""
    return f" ({main.count:,} of {answer.losses:,} losses{', ' + what if what else ''})"


def _small(text: str) -> str:
    """A title in the middle of a sentence: its capital goes, unless it begins an abbreviation or a name in capitals."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
