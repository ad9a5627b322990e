"""Numbers and names out of the words of one exception: the server's, the client library's, the operating system's."""

from __future__ import annotations

import re

from stillhere.apptrace.naming import wrapped
from stillhere.apptrace.report import PoolFacts

__all__ = ["driver_words", "errno_of", "os_error_of", "pool_of", "timed_out"]

_TUPLE = re.compile(r"\(?(?:u?['\"])?\(?(\d{1,5})(?:, |,\))")
_CONNECTOR = re.compile(r"(\d{4,5})(?: \([0-9A-Z]{5}\))?:(?: |$)")
_INSIDE = re.compile(
    r"(?:Error|Exception)\)?(?:: ?|\()? ?\(?(\d{1,5}), ?[\"']"
    r"|\((?:[A-Za-z_]\w{0,80}\.){1,6}\w{1,80}\) \(?(\d{1,5})(?:, |: | \([0-9A-Z]{5}\): )"
)
_OS = re.compile(
    r"\b(?:BrokenPipeError|Connection(?:Reset|Refused|Aborted)Error|TimeoutError|OSError|IOError|InterruptedError"
    r"|(?:socket\.)?(?:error|gaierror|herror))\((-?\d{1,4}),"
    r"|\[Errno (-?\d{1,4})\]|\bErrno (-?\d{1,4}):|system error: (\d{1,4})\b|\[WinError (\d{1,5})\]"
    r"|\((\d{1,3})(?: \"[^\"]{1,80}\")?\)(?:['\"]?\)?$|\s*$)"
)
_TIMED_OUT = re.compile(r"\(timed out\)|\btimed out\b|\bread timeout\b|\bTimeoutError\(\)|The read operation timed out")
_POOL = re.compile(
    r"QueuePool limit of size (\d{1,7}) overflow (-?\d{1,7}) reached, connection timed out,"
    r" timeout (\d{1,7}\.\d{2}|\d{1,7}(?=[\s(]))"
)
_MOST_OS = 200
_SQL = re.compile(r"\n?\[SQL: |\n?\[parameters: |\n?\(Background on this error")


def driver_words(message: str) -> str:
    """The driver's own words, without what SQLAlchemy puts before and behind them."""
    inner = wrapped(message)
    text = inner[1] if inner else message
    cut = _SQL.search(text)
    return (text[: cut.start()] if cut else text).strip()


def errno_of(message: str) -> int | None:
    """The error number that a Python driver's message carries; ``None`` where it carries none.

    The forms: ``(2006, '…')`` of mysqlclient, PyMySQL, asyncmy and aiomysql; ``2055: …`` and
    ``1146 (42S02): …`` of mysql-connector-python. A number in the middle of a text is none.
    """
    words = driver_words(message)
    found = _TUPLE.match(words) or _CONNECTOR.match(words)
    if found is None and (inside := _INSIDE.search(message[:4000])) is not None:
        return int(inside[1] or inside[2])
    return int(found[1]) if found else None


def os_error_of(message: str) -> int | None:
    """The operating system's error number in brackets, the last one where there are several."""
    numbers = [int(next(filter(None, found.groups()))) for found in _OS.finditer(driver_words(message)[:4000])]
    return next((number for number in reversed(numbers) if 0 < number <= _MOST_OS or number > 10_000), None)  # noqa: PLR2004 - Windows sockets


def timed_out(message: str) -> bool:
    """Whether the words say that the client's own timeout passed; the network's (errno 110) is another thing."""
    words = driver_words(message)
    return _TIMED_OUT.search(words[:4000]) is not None and os_error_of(message) is None


def pool_of(message: str) -> PoolFacts | None:
    """What SQLAlchemy's exhausted pool says of itself."""
    found = _POOL.search(message[:4000])
    return PoolFacts(int(found[1]), int(found[2]), float(found[3])) if found else None
