"""Whether a text is an application's, by its first bytes: tracebacks and its logs, not a server's error log."""

from __future__ import annotations

import codecs
import re

from stillhere.apptrace.passages import MARKS

__all__ = ["sniff"]

_APPLICATION = re.compile(
    rb"Traceback \(|File (?:\"|&quot;|\\\")[^\"\n]{1,300}(?:\"|&quot;|\\\"), line \d"
    rb"|Exception on /|\"exc_info\"|\"stacktrace\""
    rb"|^(?:\{\"|\[\d{4}-\d\d-\d\d[^\]\n]{0,60}\] (?:\[\d+\] )?\[?(?:ERROR|INFO|WARNING|CRITICAL)"
    rb"|(?:ERROR|WARNING|INFO):)"
    rb"|^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d{3} (?:[\[|-] ?)?(?:ERROR|WARNING|INFO|DEBUG|CRITICAL)\b"
    rb"|SQLSTATE\[|^\s+at [\w.$]+\(|Mysql2::|^ERROR \d{4} \(|QueuePool limit|[a-z]\.OperationalError|\*\*Type:\*\*",
    re.MULTILINE,
)
_SERVER = re.compile(
    rb"^\d{4}-\d\d-\d\d[T ] ?\d?\d:\d\d:\d\d(?:\.\d{6}(?:Z|[+-]\d\d:\d\d))? \d{1,20} \[(?:Note|Warning|ERROR|System)\]"
    rb"|^\d{6} +\d{1,2}:\d\d:\d\d (?:\[|mysqld)|mysqld(?:_safe)? (?:Starting|got signal)|/mysqld \(mysqld |InnoDB: ",
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    """Whether the first bytes of a text look like an application's report or log.

    Args:
        head: the first few kilobytes; more do no harm.

    Returns:
        Whether `read` is the right reader. False where nothing speaks for it, and where it looks more like the error
        log of a server.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head.decode("utf-16", "replace").encode("utf-8", "replace")
    head = head[: 64 * 1024]
    application, server = _APPLICATION.findall(head), _SERVER.findall(head)
    if not application:
        return not server and any(mark in head for mark in MARKS)
    return len(application) >= len(server)
