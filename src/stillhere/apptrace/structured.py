"""Errors in JSON: Sentry's events, structlog's and loguru's records, and any record with a traceback as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from stillhere.apptrace.chains import Chain, Link, Raised, Seen
from stillhere.apptrace.dress import Line
from stillhere.apptrace.frames import Place

__all__ = ["chain_of", "line_of", "loaded", "surround", "texts_of"]

MOST_DEPTH = 8
MOST_TEXTS = 8
MOST_FRAMES = 400
_TIMES = ("timestamp", "time", "@timestamp", "asctime", "ts", "datetime", "dateCreated", "date", "eventTime")
_MESSAGES = ("log", "MESSAGE", "textPayload", "message", "msg", "event", "line")
_PROCESSES = ("process", "pid", "process_id", "processId")
_THREADS = ("threadName", "thread_name", "thread")


def loaded(text: str) -> Any:
    """The value of a JSON text, or ``None``: what is no JSON, or too deep, is text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def line_of(value: Any, number: int) -> Line | None:
    """The line of text that a record holds and nothing else: how containers and collectors ship a program's output.

    Returns:
        The line, with the record's time, process and thread; ``None`` for a record whose strings have several lines.
    """
    if not isinstance(value, Mapping) or chain_of(value, number) is not None:
        return None
    text = next((one.rstrip("\r\n") for name in _MESSAGES if isinstance(one := value.get(name), str)), None)
    if text is None or any("\n" in one.rstrip("\r\n") for one in _strings(value, 0)):
        return None
    surroundings = Chain(line=number)
    surround(surroundings, value)
    return Line(number, text, "json", surroundings.at, surroundings.process, surroundings.thread)


def chain_of(value: Any, line: int) -> Chain | None:
    """The chain of exceptions in an event whose exceptions are data rather than text."""
    if not isinstance(value, Mapping):
        return None
    chain = Chain(line=line, end=line)
    if (values := _sentry_values(value)) is not None:
        chain.raised = [_sentry_raised(one, line) for one in values if isinstance(one, Mapping)]
        _link_up(chain.raised)
        _sentry_surroundings(chain, value)
    elif isinstance(listed := value.get("exception"), list):
        stacks = [one for one in listed if isinstance(one, Mapping) and "exc_type" in one]
        chain.raised = [_structlog_raised(one, line) for one in reversed(stacks)]
        for outer, raised in zip(list(reversed(stacks))[:-1], chain.raised[1:], strict=False):
            raised.link = Link.CAUSE if outer.get("is_cause") else Link.CONTEXT
    if not chain.raised:
        return None
    surround(chain, value)
    return chain


def texts_of(value: Any) -> list[str]:
    """The strings in it that a traceback or an error may stand in, those with a traceback first."""
    found = list(_strings(value, 0))
    traced = [text for text in found if "Traceback (" in text or '", line ' in text]
    return (traced or found)[:MOST_TEXTS]


def surround(chain: Chain, value: Mapping[str, Any]) -> None:
    """Time, process and thread out of a record's fields."""
    record = _mapping(value.get("record")) or value
    chain.at = chain.at or next((found for name in _TIMES if (found := _time(record.get(name)))), "")
    for name in _PROCESSES:
        number = record.get(name)
        number = number.get("id") if isinstance(number, Mapping) else number
        if isinstance(number, int) and not isinstance(number, bool) and number > 0 and chain.process is None:
            chain.process = number
    for name in _THREADS:
        thread = record.get(name)
        thread = thread.get("name") if isinstance(thread, Mapping) else thread
        if isinstance(thread, str) and not chain.thread:
            chain.thread = thread[:80]


def _strings(value: Any, depth: int) -> Iterator[str]:
    if depth > MOST_DEPTH:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in list(value.values())[:200]:
            yield from _strings(one, depth + 1)
    elif isinstance(value, list):
        for one in value[:200]:
            yield from _strings(one, depth + 1)


def _sentry_values(event: Mapping[str, Any]) -> Sequence[Any] | None:
    exception = event.get("exception")
    if isinstance(exception, Mapping) and isinstance(exception.get("values"), list):
        return exception["values"]  # type: ignore[no-any-return]
    for entry in _list(event.get("entries")):
        if isinstance(entry, Mapping) and entry.get("type") == "exception":
            data = entry.get("data")
            return _list(data.get("values")) if isinstance(data, Mapping) else None
    return None


def _sentry_raised(one: Mapping[str, Any], line: int) -> Raised:
    name, module = _text(one.get("type")), _text(one.get("module"))
    full = f"{module}.{name}" if module and module != "builtins" else name
    raised = Raised(name=full, message=_text(one.get("value")), line=line)
    stack = one.get("stacktrace")
    for frame in _list(stack.get("frames") if isinstance(stack, Mapping) else None)[-MOST_FRAMES:]:
        if isinstance(frame, Mapping):
            raised.add(_sentry_frame(frame))
    mechanism = one.get("mechanism")
    chained = isinstance(mechanism, Mapping) and mechanism.get("source") == "__context__"
    raised.link = Link.CONTEXT if chained else Link.CAUSE
    return raised


def _sentry_frame(frame: Mapping[str, Any]) -> Seen:
    path = _text(frame.get("abs_path") or frame.get("absPath") or frame.get("filename"))
    in_app = frame.get("in_app", frame.get("inApp"))
    number = frame.get("lineno", frame.get("lineNo"))
    place = Place(
        path,
        number if isinstance(number, int) else 0,
        _text(frame.get("function")),
        in_app=in_app if isinstance(in_app, bool) else None,
    )
    code = _text(frame.get("context_line")).strip()
    for pair in _list(frame.get("context")):
        if isinstance(pair, list) and len(pair) > 1 and pair[0] == number:
            code = code or _text(pair[1]).strip()
    seen = Seen(place, code)
    values = frame.get("vars")
    if isinstance(values, Mapping):
        seen.values = [(str(name), value) for name, value in list(values.items())[:40] if isinstance(value, str)]
    return seen


def _link_up(raised: list[Raised]) -> None:
    """Sentry says of an exception how it hangs together with the next one: as cause or as context of it."""
    links = [one.link for one in raised]
    for one, link in zip(raised[1:], links, strict=False):
        one.link = link
    if raised:
        raised[0].link = Link.FIRST


def _sentry_surroundings(chain: Chain, event: Mapping[str, Any]) -> None:
    request = event.get("request")
    if isinstance(request, Mapping) and request.get("url"):
        path = urlsplit(_text(request["url"])).path or "/"
        chain.request = f"{_text(request.get('method'))} {path}".strip()
    extra = event.get("extra") if isinstance(event.get("extra"), Mapping) else {}
    job = extra.get("celery-job") if isinstance(extra, Mapping) else None
    if isinstance(job, Mapping):
        chain.request = chain.request or _text(job.get("task_name"))
    chain.request = chain.request or _text(event.get("transaction"))
    named = {str(one).lower() for one in _list(_mapping(event.get("sdk")).get("integrations"))}
    transaction_source = {"celery": "Celery", "rq": "RQ"} if isinstance(job, Mapping) else {}
    chain.framework = next((name for key, name in transaction_source.items() if key in named), "")
    headers = _mapping(_mapping(event.get("contexts")).get("celery"))
    if isinstance(headers.get("retries"), int):
        chain.retries = headers["retries"]


def _structlog_raised(one: Mapping[str, Any], line: int) -> Raised:
    module = _text(one.get("exc_module"))
    name = _text(one.get("exc_type"))
    raised = Raised(name=f"{module}.{name}" if module else name, message=_text(one.get("exc_value")), line=line)
    raised.notes = [_text(note) for note in _list(one.get("exc_notes"))[:20]]
    for frame in _list(one.get("frames"))[-MOST_FRAMES:]:
        if isinstance(frame, Mapping):
            number = frame.get("lineno")
            place = Place(
                _text(frame.get("filename")), number if isinstance(number, int) else 0, _text(frame.get("name"))
            )
            seen = Seen(place, _text(frame.get("line")).strip())
            values = frame.get("locals")
            if isinstance(values, Mapping):
                seen.values = [(str(key), value) for key, value in list(values.items())[:40] if isinstance(value, str)]
            raised.add(seen)
    return raised


def _time(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("timestamp") or value.get("repr")
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, (int, float)):
        seconds = value / 1000 if value > 100_000_000_000 else value  # noqa: PLR2004 - milliseconds since 1970
        try:
            return datetime.fromtimestamp(seconds, UTC).isoformat()
        except (OverflowError, OSError, ValueError):
            return ""
    return _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
