"""What was asked for when the error came, by the words that frameworks write around a traceback."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from stillhere.apptrace.chains import Chain, Raised

__all__ = ["Occasion", "is_announcement", "occasion_of", "queries_since_begin", "retries_of"]

_TASK_ID = re.compile(r"[\w.:<>-]{1,200}\[[0-9a-fA-F-]{8,40}\]")
_NEAR = 4
"""Lines above a traceback that are still its own heading."""
_TASK = r"([\w.:<>-]{1,200})\[[0-9a-fA-F-]{8,40}\]"


@dataclass(frozen=True, slots=True)
class Occasion:
    """A request or a task, and the framework that its wording belongs to; each may be empty."""

    request: str = ""
    framework: str = ""


# Wording on one line right above the traceback: framework, expression, how to put it together.
_HEADINGS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("Flask", re.compile(r"Exception on (\S{1,2000}) \[([A-Z]{3,10})\]"), r"\2 \1"),
    ("Django", re.compile(r"Internal Server Error: (/\S{0,2000})"), r"\1"),
    ("Celery", re.compile(rf"Task (?:handler )?{_TASK} (?:raised unexpected|raised error|retry|failed)"), r"\1"),
    ("RQ", re.compile(r"exception raised while executing \(([^()\s]{1,200})\)"), r"\1"),
    ("", re.compile(r"Error handling request (?:\(no URI read\)|(/\S{0,2000}))"), r"\1"),
    ("", re.compile(r"Exception (?:in ASGI application|while serving) ?([A-Z]{3,7} /\S{0,2000})?"), r"\1"),
    ("aiohttp", re.compile(r"Error handling request from \S{1,60}"), ""),
    ("Airflow", re.compile(r"Task failed with exception"), ""),
)
_METHOD = re.compile(r"\s*Request Method: ([A-Z]{3,10})\s*$")
_URL = re.compile(r"\s*Request URL: (\S{1,2000})\s*$")
_RETRYING = re.compile(
    r"\bRetrying (?P<name>\S{1,300}) in \d[\d.]{0,20} seconds as it raised|stamina\.retry_scheduled"
    r"|Task \S{1,300} retry: Retry in \d"
    r"|\bRetry in \d[\d.]{0,20}s?\b|Backing off \S{1,300} for \d"
)
_NTH = re.compile(r"this was the (\d{1,6})(?:st|nd|rd|th) time calling it")
_BEGIN = "BEGIN (implicit)"
_ENGINE_END = re.compile(r"\b(?:COMMIT|ROLLBACK)$")
_PARAMETERS_LINE = re.compile(
    r"\[(?:generated in|cached since|no key|caching disabled|dialect \w{1,30}|raw sql)[^\]]{0,80}\]"
)


def occasion_of(chain: Chain) -> Occasion:
    """Request or task, and framework, as the lines around a chain name them."""
    near = [line for line in chain.before if line.strip()][-_NEAR:]
    for line in (*reversed(near), *_first_words(chain)):
        for framework, pattern, form in _HEADINGS:
            if (found := pattern.search(line[:4000])) is not None:
                return Occasion(_without_query(found.expand(form).strip()) if found.lastindex else "", framework)
    return _django(chain)


def retries_of(chain: Chain) -> int:
    """How many retries are seen: announced above it, counted by the text, or listed in the chain itself."""
    announced = len(_announced(chain))
    counted = max((int(found[1]) - 1 for line in chain.before for found in _NTH.finditer(line[:4000])), default=0)
    return max(announced, counted, chain.retries)


def is_announcement(chain: Chain, told: Sequence[Chain]) -> bool:
    """Whether a chain only announces a retry of what another one reports, which counts it.

    Args:
        chain: one of ``told``.
        told: the chains of one passage that are reports.
    """
    text = chain.raised[0].heading
    if _RETRYING.search(text) is None or any(one.frames for one in chain.raised):
        return False
    later = (one for one in told if one.line > chain.line and any(raised.frames for raised in one.raised))
    return any(text in _announced(one) for one in later)


def _announced(chain: Chain) -> list[str]:
    """The lines above a chain that announce a retry of the task, or of a function, that it reports."""
    functions = {seen.at.function.rpartition(".")[2] for one in chain.raised for seen in one.frames}
    near = [line for line in chain.before if line.strip()][-_NEAR:]
    task = next((found[0] for line in reversed(near) if (found := _TASK_ID.search(line[:4000]))), "")
    announced: list[str] = []
    for line in chain.before:
        if (found := _RETRYING.search(line[:4000])) is None:
            continue
        called = (found["name"] or "").rpartition(".")[2]
        if task in line if task else not called or called in functions:
            announced.append(line)
    return announced


def queries_since_begin(before: Sequence[str], statement: str) -> int | None:
    """How many statements SQLAlchemy's own log shows since a transaction began.

    Args:
        before: the lines above the error that the same thread wrote.
        statement: the one that failed; the last one logged must be it, or the log is another connection's.

    Returns:
        The number, with the one that failed; ``None`` where no transaction begins in those lines.
    """
    start = next((index for index in range(len(before) - 1, -1, -1) if _BEGIN in before[index]), None)
    if start is None:
        return None
    after = before[start + 1 :]
    if any(_ENGINE_END.search(line) for line in after):
        return None
    queries = [index for index, line in enumerate(after) if _PARAMETERS_LINE.search(line)]
    last = (
        " ".join(" ".join(after[queries[-2] + 1 if len(queries) > 1 else 0 : queries[-1]]).split()) if queries else ""
    )
    return len(queries) if statement and last.endswith(" ".join(statement.split())) else None


def _first_words(chain: Chain) -> list[str]:
    """A heading that stands on the traceback's own first line, or in a single line's message."""
    return [raised.heading[:2000] for raised in chain.raised[:1]]


def _django(chain: Chain) -> Occasion:
    """The fields of Django's error reports, which stand far above the traceback."""
    method = url = ""
    for line in chain.before:
        method = found[1] if (found := _METHOD.match(line)) else method
        url = found[1] if (found := _URL.match(line)) else url
    if not url:
        return Occasion()
    path = urlsplit(url).path if "://" in url else url
    return Occasion(_without_query(f"{method} {path}".strip()), "Django")


def _without_query(request: str) -> str:
    return request.partition("?")[0]


def django_ending(chain: Chain, last: Raised) -> None:
    """Name and message of the outermost exception, where Django's report gives them as fields below."""
    for line in chain.after[:12]:
        if found := re.match(r"\s*Exception Type: ([\w.]{1,200})", line):
            last.name = last.name or found[1]
        elif found := re.match(r"\s*Exception Value: (.{1,4000})", line):
            last.message = last.message or found[1].strip()
