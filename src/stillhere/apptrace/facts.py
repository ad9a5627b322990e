"""A chain of exceptions -> the facts in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stillhere.apptrace.chains import Chain, Link, Raised, Seen
from stillhere.apptrace.dress import moment
from stillhere.apptrace.naming import driver_of_name, foreign_database, is_database_name, wrapped
from stillhere.apptrace.numbers import driver_words, errno_of, os_error_of, pool_of, timed_out
from stillhere.apptrace.occasions import django_ending, occasion_of, queries_since_begin, retries_of
from stillhere.apptrace.places import framework_of, own_frame, package_path
from stillhere.apptrace.positions import position_of, single_use
from stillhere.apptrace.report import Frame, Position, Report
from stillhere.apptrace.secrets import masked, masked_line
from stillhere.apptrace.statements import Shown, shown_in_code, shown_in_message, shown_in_values

__all__ = ["report_of"]

MOST_MESSAGE = 500
MOST_CODE = 300
MOST_FRAMES = 60
MOST_NOTE = 500
_POOL_WORDS = ("pool exhausted", "Failed getting connection")
_OS_CLASSES = ("Error", "timeout", "error")


def report_of(chain: Chain) -> Report | None:
    """The facts of one chain; ``None`` where it names no error of a MySQL or MariaDB client."""
    if chain.raised:
        django_ending(chain, chain.raised[-1])
    at = _innermost(chain.raised)
    if at is None:
        return None
    core = chain.raised[at]
    wrapping = _wrapping(chain.raised, at)
    family = [*_led_to(chain.raised, at), core, *wrapping]
    stack = _stack(core, wrapping)
    driver = _driver(core, wrapping, stack)
    if not _ours(core, driver):
        return None
    position = _position(core, stack, headed=all(one.headed for one in (core, *wrapping)))
    shown = _statement(core, wrapping, stack, position)
    queries = queries_since_begin(chain.own_log, shown.text) if position is Position.STATEMENT else None
    first = queries == 1 or (position is Position.STATEMENT and single_use(stack))
    occasion = occasion_of(chain)
    own = next((frame for frame in map(own_frame, _stacks(chain.raised, at, stack)) if frame), None)
    when, zoned = moment(chain.at) if chain.at else (None, False)
    return Report(
        line=chain.line,
        at=when,
        zoned=zoned,
        language=chain.language or "python",
        driver=driver,
        exception=_name(core),
        errno=errno_of(core.message),
        codes=_codes(chain.raised),
        os_error=next((number for one in family[::-1] if (number := os_error_of(one.message)) is not None), None),
        timed_out=any(_timed_out(one) for one in family),
        message=masked_line(driver_words(core.message), MOST_MESSAGE),
        statement=masked(shown.text),
        statement_bytes=shown.size,
        statement_at_least=shown.size or shown.at_least,
        executemany=shown.many or any(seen.at.function.endswith(("executemany", "do_executemany")) for seen in stack),
        position=Position.FIRST_STATEMENT if first else position,
        frame=_frame(own) if own else None,
        frames=tuple(map(_frame, _bounded(stack))),
        framework=_framework(chain, occasion.framework),
        request=masked_line(chain.request or occasion.request, MOST_NOTE),
        retries=max(retries_of(chain), _again(chain.raised, at)),
        process=chain.process,
        thread=chain.thread,
        in_transaction=_in_transaction(core, position, queries),
        after_idle=True if first else False if queries is not None or position is Position.FETCH else None,
        pool=next((found for one in family if (found := pool_of(one.message)) is not None), None),
        notes=tuple(masked_line(note, MOST_NOTE) for one in [core, *wrapping] for note in one.notes),
    )


def _innermost(raised: Sequence[Raised]) -> int | None:
    """Where the first exception of a database driver's stands, else the first one of SQLAlchemy's."""
    best: int | None = None
    for index, one in enumerate(raised):
        if foreign_database(_name(one)):
            continue
        if is_database_name(_name(one)) or (one.name == "TimeoutError" and pool_of(one.message)):
            return index
        if (
            best is None
            and one.frames
            and driver_of_name(_module(one.frames[-1]))
            and errno_of(one.message) is not None
        ):
            best = index
        if best is None and not one.name and errno_of(one.message) is not None:
            best = index
    return best


def _name(one: Raised) -> str:
    """The driver's class where SQLAlchemy wrapped it, else the class as written."""
    inner = wrapped(one.message)
    return inner[0] if inner else one.name


def _module(seen: Seen) -> str:
    return package_path(seen.at.path).replace("/", ".")


def _wrapping(raised: Sequence[Raised], at: int) -> list[Raised]:
    """The exceptions that only wrap that one: SQLAlchemy's and Django's own around the driver's."""
    found: list[Raised] = []
    for one in raised[at + 1 :]:
        plain = not one.name and one.link is Link.CAUSE
        if one.link is not Link.CAUSE or not (plain or is_database_name(one.name) or one.name.startswith("django.db")):
            break
        found.append(one)
    return found


def _led_to(raised: Sequence[Raised], at: int) -> list[Raised]:
    """What made the driver raise it: an error of the socket's, listed before it."""
    first = at
    while first > 0 and raised[first].link in (Link.CAUSE, Link.CONTEXT) and raised[first - 1].frames:
        first -= 1
    return [one for one in raised[first:at] if one.name.endswith(_OS_CLASSES)]


def _stack(core: Raised, wrapping: Sequence[Raised]) -> list[Seen]:
    """The stack from the program's start down to the driver: the wrapper's, which goes through both."""
    for one in reversed(wrapping):
        if len(one.frames) >= len(core.frames) and (one.name or one.message):  # else it may be cut off inside
            return one.frames
    return core.frames


def _stacks(raised: Sequence[Raised], at: int, stack: list[Seen]) -> list[list[Seen]]:
    return [stack, raised[at].frames, *(one.frames for one in raised[at + 1 :])]


def _driver(core: Raised, wrapping: Sequence[Raised], stack: Sequence[Seen]) -> str:
    """By the frames, because aiomysql raises PyMySQL's classes; else by the class."""
    for frames in (stack, core.frames):
        for seen in reversed(frames):
            if found := driver_of_name(_module(seen)):
                return found
    names = (_name(core), *(_name(one) for one in wrapping))
    return next((found for name in names if (found := driver_of_name(name))), "")


def _ours(core: Raised, driver: str) -> bool:
    """Whether it is MySQL's or MariaDB's, by its driver, its number, or its pool; a bare class name is not enough."""
    if driver or pool_of(core.message) or errno_of(core.message) is not None:
        return True
    # What a session says after an earlier error, of which nothing else may be left.
    return core.name.endswith("PendingRollbackError") or "MySQL" in core.message or "MariaDB" in core.message


def _codes(raised: Sequence[Raised]) -> tuple[int, ...]:
    """Every number in the chain, the innermost first; a wrapper's repeats its inner one's."""
    codes: list[int] = []
    for index, one in enumerate(raised):
        if not (is_database_name(_name(one)) or is_database_name(one.name) or not one.name):
            continue
        code = errno_of(one.message)
        again = index > 0 and one.link is Link.CAUSE and bool(codes) and codes[-1] == code
        if code is not None and not again:
            codes.append(code)
    return tuple(codes)


def _timed_out(one: Raised) -> bool:
    if pool_of(one.message):
        return False
    is_timeout = one.name in ("TimeoutError", "socket.timeout", "asyncio.exceptions.TimeoutError")
    return timed_out(one.message) or (is_timeout and os_error_of(one.message) is None)


def _statement(core: Raised, wrapping: Sequence[Raised], stack: Sequence[Seen], position: Position) -> Shown:
    for one in (core, *wrapping):
        if (shown := shown_in_message(one.message)).text:
            break
    sent = shown_in_values(reversed(core.frames))
    if not sent.text:
        sent = shown_in_values(reversed(stack))
    if shown.text:  # as written, with the size of what was sent
        return shown if sent.size is None else replace(shown, size=sent.size)
    shown = sent
    if not shown.text and position in (Position.STATEMENT, Position.FIRST_STATEMENT):
        shown = shown_in_code(stack)
    return shown


def _position(core: Raised, stack: Sequence[Seen], *, headed: bool) -> Position:
    if pool_of(core.message) or any(words in core.message for words in _POOL_WORDS):
        return Position.POOL
    position = position_of(stack, headed=headed)
    return position if position is not Position.UNKNOWN else position_of(core.frames, headed=headed)


def _in_transaction(core: Raised, position: Position, queries: int | None) -> bool | None:
    if position in (Position.FLUSH, Position.COMMIT) or "invalid transaction is rolled back" in core.message:
        return True
    if core.name.endswith("PendingRollbackError") or queries is not None:
        return True
    return None


def _again(raised: Sequence[Raised], at: int) -> int:
    """How often the same function failed again at the same work, each time while the failure before was handled."""
    first = own_frame(raised[at].frames)
    if first is None:
        return 0
    doing = position_of(raised[at].frames)
    times = 0
    for one in raised[at + 1 :]:
        again = own_frame(one.frames)
        if one.link is Link.CONTEXT and again is not None and is_database_name(_name(one)):
            times += (again.at.path, again.at.function, doing) == (
                first.at.path,
                first.at.function,
                position_of(one.frames),
            )
    return times


def _framework(chain: Chain, by_words: str) -> str:
    return chain.framework or framework_of(seen for one in chain.raised for seen in one.frames) or by_words


def _frame(seen: Seen) -> Frame:
    return Frame(masked(seen.at.path), seen.at.line, seen.at.function, masked_line(seen.code, MOST_CODE))


def _bounded(stack: list[Seen]) -> list[Seen]:
    half = MOST_FRAMES // 2
    return stack if len(stack) <= MOST_FRAMES else [*stack[:half], *stack[-half:]]
