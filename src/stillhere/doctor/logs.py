"""The error log, from its file or from the server's own table."""

from __future__ import annotations

import io
from pathlib import Path

from stillhere.errorlog.reader import read
from stillhere.errorlog.summary import Summary
from stillhere.errors import ConfigurationError
from stillhere.survey.logged import logged_lines
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask

__all__ = ["log_file", "logged"]


def logged(ask: Ask, snapshot: Snapshot) -> Summary:
    """What the server's own table of its log says.

    Raises:
        NotAllowed: the account may not read it, or the server has no such table.
    """
    return read(io.BytesIO("\n".join(logged_lines(ask, snapshot)).encode()))


def log_file(path: Path) -> Summary:
    """What a log file says; times without a zone are taken for UTC.

    Raises:
        OSError: it can't be read.
        ConfigurationError: no line of it is an error log's.
    """
    summary = read(path)
    if summary.lines and not summary.formats:
        raise ConfigurationError(f"--log {path}: none of its {summary.lines} lines is of a MySQL or MariaDB error log")
    return summary
