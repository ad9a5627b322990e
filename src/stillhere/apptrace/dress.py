"""What a log, a terminal or a mail put around a text, taken off again.

Prefixes of each line (time, level, process, logger, container), colours, HTML escapes and quote marks. What is left
keeps its own indentation, because that is what tells code, frames and exceptions of a traceback apart.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["Line", "moment", "undress"]

MAX_LINE = 65_536
"""Characters of one line that are looked at. A longer one is cut: it is data, not a traceback."""
MAX_JSON = 4 * 1024 * 1024
"""The same for a line that may be a record in JSON, which is of no use when it is cut."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its dress.

    Attributes:
        number: its place in the input, from 1.
        text: what is left of it.
        dress: the prefix, each digit as ``0``: equal for two lines that the same logger wrote.
        at: its time as written; empty where it has none.
        process: the process id in the prefix.
        thread: the thread's name in the prefix.
    """

    number: int
    text: str
    dress: str = ""
    at: str = ""
    process: int | None = None
    thread: str = ""

    @property
    def indent(self) -> int:
        """How many blanks it begins with; a tab counts as one."""
        return len(self.text) - len(self.text.lstrip())


_ANSI = re.compile(r"\x1b(?:\[[0-9;?:]{0,40}[A-Za-z]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)|[()][A-Z0-9])")
_ESCAPED = re.compile(r"&(?:quot|#34|#x22|#39|#x27|apos|lt|gt|amp);", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:pre|code|br|p|div|span|li|ul|ol|td|tr|th|table|h[1-6]|textarea|strong|em|b|i|blockquote)\b[^<>]{0,300}>",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"(?:> ?){1,5}(?![>=])")
_CODE_BLOCK = re.compile(r"\{(?:code|noformat)(?::[\w|=.]{0,40})?\}")

_NAME = r"[A-Za-z_][\w-]{0,60}"
_CONTAINER = re.compile(r"(?:\[(?!mysql\])[\w./-]{1,100}\] |(?!File\b)[\w./-]{1,100} {0,40}\|)(?=[ \d]|$) ?")
_PRIORITY = re.compile(r"<\d{1,3}>(?:1 )?")
_TIME = re.compile(
    r"\[?(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d)(?![\w:]))?)"
    r"|\[?((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4})\]"
    r"|([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)(?= [\w.-]{1,100} \S{1,100}: ?)"
)
_AFTER_TIME = re.compile(r"\]|: (?=[A-Z]{4,8}/)")
_LEVEL_WORDS = r"TRACE|DEBUG|INFO|NOTICE|SUCCESS|WARNING|WARN|ERROR|CRITICAL|FATAL|EXCEPTION|SEVERE"
_TOKENS = (
    re.compile(r" ?(?:stdout|stderr) [FP](?: |$)"),
    re.compile(rf" ?(?:{_LEVEL_WORDS})/(?P<thread>[\w-]{{1,60}})\](?: |$)"),  # Celery
    re.compile(rf" ?[-|]? ?\[?(?:{_LEVEL_WORDS})\]?(?: {{0,8}}[-|:](?: |$)| in [\w.]{{1,60}}: ?| {{0,4}}(?=\[)| |$)"),
    re.compile(r" ?\[(?:wsgi|core|proxy|mpm_\w{1,20})?:\w{1,20}\](?: |$)"),
    re.compile(r" ?\[pid (?P<process>\d{1,10})(?::tid \d{1,20})?\](?: |$)"),
    re.compile(r" ?\[(?:client|remote) [\w.:]{1,60}\](?: |$)"),
    re.compile(rf" ?\[(?P<process>\d{{1,10}})(?:[:/ ](?P<thread>{_NAME}))?\](?: |$)"),
    re.compile(r" ?\[(?P<thread>(?:MainThread|Thread-|ThreadPool|Dummy-|worker-|ForkPool)[\w-]{0,60})\](?: |$)"),
    re.compile(r" ?\{[\w.]{1,80}:\d{1,6}\}(?: |$)"),
    re.compile(r" - [\w.]{1,80} - (?=[A-Z]{4,8} - )"),
    re.compile(r" ?[\w.<>]{1,80}:[\w<>]{1,80}:\d{1,6} - "),  # loguru
)
_HOST = re.compile(r" [\w.-]{1,100} [\w./@-]{1,60}(?:\[(?P<process>\d{1,10})\])?:(?: |$)")  # host program[pid]:
_LOGGER = re.compile(r"(?:\[[\w.]{1,80}\] |(?P<name>(?!driver:|stillhere:)[\w.]{1,80})(?:: | - |:$| -$))")
_BARE_LEVEL = re.compile(rf"(?:{_LEVEL_WORDS}):(?:[\w.]{{1,80}}:| {{1,5}})")
_EXCEPTION_NAME = re.compile(r"(?:Error|Exception|Warning|Interrupt|Exit|Timeout|Group|Gone|Lost|Rollback)$")
_DIGIT = re.compile(r"\d")
_MOST_TOKENS = 8


def undress(lines: Iterable[tuple[int, str]]) -> Iterator[Line]:
    """Take off what was put around the lines of one passage.

    Args:
        lines: number and text of each; they belong together, so that a quote mark or an escape in one of them is
            taken to hold for all.
    """
    passage = [(number, text[: MAX_JSON if "{" in text[:300] else MAX_LINE].rstrip("\r\n")) for number, text in lines]
    joined = "\n".join(text for _, text in passage)
    escaped = _is_escaped(joined)
    markup = "</" in joined and ("<pre" in joined or "<code" in joined or "<div" in joined or "<p>" in joined)
    coloured = "\x1b" in joined
    for number, text in passage:
        if coloured:
            text = _ANSI.sub("", text)  # noqa: PLW2901 - peeled layer by layer
        if markup and "<" in text:
            text = _TAG.sub("", text)  # noqa: PLW2901
        if escaped and "&" in text:
            text = html.unescape(text)  # noqa: PLW2901
        yield _peel(number, text.replace("\xa0", " ").rstrip())


def moment(written: str) -> tuple[datetime | None, bool]:
    """A time as a log writes it, aware, and whether it named its own zone.

    A time without a year is no time: guessing the year would be inventing it.
    """
    text = written.strip().replace("/", "-", 2).replace(",", ".")
    if text[:1].isalpha():
        for form in ("%a %b %d %H:%M:%S.%f %Y", "%a %b %d %H:%M:%S %Y"):
            try:
                return datetime.strptime(text, form).replace(tzinfo=UTC), False
            except ValueError:
                continue
        return None, False
    text = re.sub(r" ?(?:Z|UTC)$", "+00:00", text)
    text = re.sub(r" (?=[+-]\d\d:?\d\d$)", "", text)
    match = re.match(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([+-])?(\d\d)?:?(\d\d)?$", text)
    if match is None:
        return None, False
    day, clock, fraction, sign, hours, minutes = match.groups()
    try:
        zone = UTC
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
            zone = timezone(-offset if sign == "-" else offset)
        at = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=zone)
    except ValueError:
        return None, False
    return at.replace(microsecond=int((fraction or "0").ljust(6, "0")[:6])), sign is not None


def _is_escaped(text: str) -> bool:
    """Whether quotes are HTML-escaped in that passage where a traceback has plain ones."""
    return bool(
        re.search(
            r'File &(?:quot|#34|#x22);|\(\d{1,5}, &|&(?:#39|#x27|quot);\)|line \d{1,7}, in &lt;|&gt; File "', text
        )
    )


def _peel(number: int, text: str) -> Line:
    rest = _CODE_BLOCK.sub("", text) if "{" in text else text
    if rest[:1] == ">" and (quote := _QUOTE.match(rest)):
        rest = rest[quote.end() :]
    whole = rest
    if "|" in rest[:101] or rest[:1] in "[<":
        rest = _containers(rest)
    time = _TIME.match(rest)
    if time is None:
        bare = _BARE_LEVEL.match(rest)
        if bare is not None and not _EXCEPTION_NAME.search(bare[0].rstrip(": ")):
            rest = rest[bare.end() :]
        return Line(number, rest, _DIGIT.sub("0", whole[: len(whole) - len(rest)]))
    rest = rest[time.end() :]
    if after := _AFTER_TIME.match(rest):
        rest = rest[after.end() :]
    host = _HOST.match(rest)
    if host is not None and (host["process"] or time[3]):
        rest = rest[host.end() :]
    inner, process, thread = _tokens(rest)
    rest = inner
    if host is not None and host["process"] and process is None:
        process = int(host["process"])
    if rest[:1] == ">" and (quote := _QUOTE.match(rest)):
        rest = rest[quote.end() :]
    dress = _DIGIT.sub("0", whole[: len(whole) - len(rest)])
    return Line(number, rest, dress, next(filter(None, time.groups())), process, thread)


def _containers(text: str) -> str:
    """Without ``web-1  | `` and a syslog priority; a bracketed word only where a time follows it."""
    if priority := _PRIORITY.match(text):
        text = text[priority.end() :]
    match = _CONTAINER.match(text)
    if match is None or (text[0] == "[" and not _TIME.match(text[match.end() :])):
        return text
    return text[match.end() :]


def _tokens(text: str) -> tuple[str, int | None, str]:
    """What follows a time: level, process, thread, logger, in whichever order."""
    process: int | None = None
    thread = ""
    level = False
    for _ in range(_MOST_TOKENS):
        for token in _TOKENS:
            if match := token.match(text):
                break
        else:
            break
        found = match.groupdict()
        if found.get("process"):
            process = int(found["process"])
        thread = found.get("thread") or thread
        level = True
        text = text[match.end() :]
    if level and text[:1] not in " \t":
        logger = _LOGGER.match(text)
        if logger is not None and not _EXCEPTION_NAME.search(logger["name"] or ""):
            text = text[logger.end() :]
    elif not level and text[:1] == " ":
        text = text[1:]
    return text, process, thread
