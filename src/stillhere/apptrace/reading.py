"""A text or a stream -> reports, in constant memory: only what may hold an error is looked at line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from stillhere.apptrace.chains import Chain
from stillhere.apptrace.dress import Line, moment, undress
from stillhere.apptrace.facts import report_of
from stillhere.apptrace.foreign import foreign_reports
from stillhere.apptrace.merging import merged
from stillhere.apptrace.occasions import is_announcement
from stillhere.apptrace.passages import Passage, decoded, passages
from stillhere.apptrace.report import Report
from stillhere.apptrace.scan import chains
from stillhere.apptrace.sentry_text import sentry_chains
from stillhere.apptrace.structured import chain_of, line_of, loaded, surround, texts_of

__all__ = ["parse", "read"]

MOST_DOCUMENT = 8 * 1024 * 1024
"""Bytes of a JSON document that are read as a whole; a longer one is read as lines."""
MOST_HELD = 500
"""Reports of web pages that are held back until their end."""


def parse(text: str | bytes) -> list[Report]:
    """Every report in a pasted text or a file's content, in order. Whatever the text says, nothing is raised."""
    return list(read(BytesIO(text.encode("utf-8", "replace") if isinstance(text, str) else text)))


def read(source: str | Path | BinaryIO) -> Iterator[Report]:
    """Every report in a file or a binary stream, in order, in constant memory.

    Args:
        source: a path, or a stream of bytes that the caller closes. UTF-8, or UTF-16 with a byte order mark; what is
            neither is read as far as it goes.

    Raises:
        OSError: the file can't be read.
    """
    if isinstance(source, (str, Path)):
        with Path(source).open("rb") as stream:
            yield from _read(stream)
    else:
        yield from _read(source)


def _read(stream: BinaryIO) -> Iterator[Report]:
    head = stream.read(4096)
    stream, head = decoded(stream, head)
    if _looks_like_document(head):
        head += stream.read(MOST_DOCUMENT - len(head))
        document = _document(head)
        if document is not None:
            yield from document
            return
    held: list[Report] = []
    for passage in passages(stream, head):
        reports = _reports(passage)
        if not _is_page(passage):
            yield from reports
            continue
        # A page tells one error many times, and only once with its traceback.
        held = [*held, *reports][:MOST_HELD]
    whole = [report for report in held if report.frames]
    yield from whole or held


def _looks_like_document(head: bytes) -> bool:
    """Whether it may be one value in JSON rather than lines."""
    return head.lstrip()[:1] in (b"{", b"[") or b"```json" in head[:2000]


def _document(text: bytes) -> list[Report] | None:
    """The reports of a text that is one JSON value on several lines; ``None`` where it is not."""
    if b"\n" not in text.strip():
        return None  # a record is read like those of any log
    start = min((found for found in (text.find(b"{"), text.find(b"[")) if found >= 0), default=0)
    end = max(text.rfind(b"}"), text.rfind(b"]")) + 1
    value = loaded(text[start:end].decode("utf-8", "replace"))
    if value is None or not isinstance(value, (dict, list)):
        return None
    line = text.count(b"\n", 0, start) + 1
    found: list[Report] = []
    for event in value if isinstance(value, list) else [value]:
        found += _of_value(event, line)
    return found


def _of_value(value: Any, number: int) -> list[Report]:
    """The reports in one JSON record."""
    if not isinstance(value, dict):
        return []
    chain = chain_of(value, number)
    if chain is not None and (report := report_of(chain)) is not None:
        return [report]
    context = Chain(line=number)
    surround(context, value)
    found: list[Report] = []
    for text in texts_of(value):
        inside = _of_lines(list(undress(enumerate(text.split("\n"), 1))))
        found += [_on_line(report, number, context) for report in inside]
    return merged(found, same_record=True)


def _on_line(report: Report, number: int, context: Chain) -> Report:
    """The report of a record's text, with what the record's own fields say."""
    at, zoned = moment(context.at) if context.at and report.at is None else (report.at, report.zoned)
    return replace(
        report,
        line=number,
        at=at,
        zoned=zoned,
        process=context.process if report.process is None else report.process,
        thread=report.thread or context.thread,
    )


def _is_page(passage: Passage) -> bool:
    """Whether it is of a web page rather than of a text."""
    return any("</div>" in text or "</body>" in text or "</pre>" in text for _, text in passage.lines)


def _reports(passage: Passage) -> list[Report]:
    """The reports of one passage, in order of their lines."""
    found: list[Report] = []
    plain: list[Line] = []
    first = passage.lines[passage.context][0] if passage.context < len(passage.lines) else 0
    for line in undress(passage.lines):
        value = _json(line.text)
        if (shipped := line_of(value, line.number)) is not None:
            value = _json(shipped.text)
            if value is None:
                plain += [_with_ids(one, shipped) for one in undress([(line.number, shipped.text)])]
                continue
        if value is not None:
            found += _of_value(value, line.number) if line.number >= first else []
        elif line.text.count("\\n") > 1 and "Traceback (" in line.text:  # line feeds, as a repr writes them
            plain += undress((line.number, part) for part in line.text.replace('\\"', '"').split("\\n"))
        elif line.text.count("#012") > 1:  # line feeds, as rsyslog writes them
            plain += [replace(line, text=part) for part in line.text.split("#012")]
        else:
            plain.append(line)
    found += _of_lines(plain, first)
    return merged(sorted(found, key=lambda report: report.line))


def _json(text: str) -> Any:
    """The JSON object that a line is; ``None`` where it is none."""
    stripped = text.strip()
    return loaded(stripped) if stripped[:1] == "{" and stripped[-1:] == "}" else None


def _with_ids(line: Line, shipped: Line) -> Line:
    """A line with what the record around it says, where its own prefix doesn't."""
    process = shipped.process if line.process is None else line.process
    return replace(line, at=line.at or shipped.at, process=process, thread=line.thread or shipped.thread)


def _of_lines(lines: list[Line], first: int = 0) -> list[Report]:
    """The reports in undressed lines.

    Args:
        lines: of one passage or one record.
        first: lines before that number are only the surroundings of the others.
    """
    markdown, used = sentry_chains(lines) if any("**Type:**" in line.text for line in lines) else ([], 0)
    rest = lines[used:]
    floor = next((index for index, line in enumerate(rest) if line.number >= first), len(rest))
    found: list[Report] = []
    covered: list[tuple[int, int]] = []
    told: list[Chain] = []
    for chain in (*markdown, *chains(rest, floor)):
        report = report_of(chain)
        if report is not None:
            found.append(report)
            told.append(chain)
        if report is not None or any(one.frames for one in chain.raised):
            covered.append((chain.line, chain.end))
    found = [report for report, chain in zip(found, told, strict=True) if not is_announcement(chain, told)]
    found += foreign_reports(rest[floor:], covered)
    return merged(sorted(found, key=lambda report: report.line))
