"""One error that a text tells twice is one report: a log line above its traceback, a page that repeats its heading."""

from __future__ import annotations

from collections.abc import Sequence

from stillhere.apptrace.report import Report

__all__ = ["merged"]

NEAR = 6
"""Lines between a single line about an error and the traceback of the same error."""


def merged(reports: Sequence[Report], *, same_record: bool = False) -> list[Report]:
    """The reports without those that only announce or repeat a fuller one.

    Args:
        reports: of one passage, in order of their lines.
        same_record: whether all are of one record or one page, so that distance says nothing.
    """
    kept: list[Report] = []
    for index, report in enumerate(reports):
        around = reports if same_record else [*kept[-1:], *reports[index + 1 : index + 2]]
        if any(_repeats(report, other, same_record=same_record) for other in around if other is not report):
            continue
        kept.append(report)
    return kept


def _repeats(report: Report, other: Report, *, same_record: bool) -> bool:
    """Whether ``report`` says nothing that ``other`` doesn't say."""
    if report.errno != other.errno or _last(report) != _last(other) or not other.frames:
        return False
    if not report.frames:
        apart = report.line < other.line and other.line - report.line <= NEAR
        return not report.statement and (same_record or (apart and report.at == other.at))
    # The cgi module's report ends with the plain traceback of the same error.
    without_lines = all(frame.line == 0 for frame in other.frames)
    same = tuple(frame.function for frame in report.frames) == tuple(frame.function for frame in other.frames)
    return without_lines and same and not all(frame.line == 0 for frame in report.frames)


def _last(report: Report) -> str:
    return report.exception.rpartition(".")[2]
