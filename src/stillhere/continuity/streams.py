"""Results that the server still holds: streamed rows, and further result sets. They end with their connection."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from stillhere.continuity.losses import on_stream_error
from stillhere.continuity.refusals import stream_interrupted
from stillhere.continuity.states import LinkState
from stillhere.errors import StreamInterrupted

if TYPE_CHECKING:
    from stillhere.continuity.link import Link

__all__ = ["close_stream", "give_up", "next_result", "read_on", "stream_began", "stream_ended"]


def read_on(link: Link, connection: Any, cursor: Any, read: Callable[[], Any]) -> Any:
    """Read what the server still holds for a cursor."""
    with link.held(nested=True):
        if link.state is not LinkState.READY:
            if not cursor._stillhere_unread:  # noqa: SLF001 - ours
                return read()
            raise stream_interrupted(link)
        now = link.sent_at = monotonic()
        try:
            result = read()
        except BaseException as error:  # noqa: BLE001 - an interruption counts as well
            link.let_go(now)
            on_stream_error(link, connection, error)
        link.last_used = link.let_go(now)
        return result


def next_result(link: Link, connection: Any, send: Callable[[], Any]) -> Any:
    """Advance to the next result set; there is none after a loss."""
    with link.held(nested=True):
        if link.state is not LinkState.READY:
            return -1
        now = link.sent_at = monotonic()
        try:
            return send()
        except BaseException as error:  # noqa: BLE001 - an interruption counts as well
            on_stream_error(link, connection, error)
        finally:
            link.last_used = link.let_go(now)


def close_stream(link: Link, connection: Any, cursor: Any, close: Callable[[], Any]) -> None:
    """Close a streaming cursor. Rows that a lost connection still held are nobody's loss now."""
    try:
        if link.state is LinkState.READY:
            read_on(link, connection, cursor, close)
    except StreamInterrupted:
        pass
    finally:
        cursor.connection = None
        stream_ended(link, cursor)


def give_up(cursor: Any) -> None:
    """The cursor is to run another statement: rows that were lost with their connection are nobody's loss now."""
    connection = cursor.connection
    link: Link | None = connection._stillhere if connection is not None else None  # noqa: SLF001 - ours
    if link is not None and link.state is not LinkState.READY:
        cursor._stillhere_unread = False  # noqa: SLF001 - ours


def stream_began(link: Link, cursor: Any) -> None:
    """The server holds rows for the cursor."""
    cursor._stillhere_unread = True  # noqa: SLF001 - ours
    link.stream = weakref.ref(cursor)


def stream_ended(link: Link, cursor: Any) -> None:
    """The cursor has read all its rows, or gave them up."""
    cursor._stillhere_unread = False  # noqa: SLF001 - ours
    if link.stream is not None and link.stream() in (cursor, None):
        link.stream = None
