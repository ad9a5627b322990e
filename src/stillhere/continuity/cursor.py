"""Cursors of a logical connection: subclasses of the driver's own cursor classes, made at run time."""

from __future__ import annotations

import dataclasses
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar

from stillhere.continuity import streams
from stillhere.continuity.statement import Kind, Statement, classify
from stillhere.continuity.states import LinkState

if TYPE_CHECKING:
    from stillhere.continuity.link import Link
    from stillhere.drivers.base import Driver

__all__ = ["CLASSES", "ContinuousCursor", "continuous_cursor_class"]


_LONGEST = 8192
_MOST = 2048
_KINDS = frozenset({Kind.READ, Kind.WRITE})


class _Templates(dict[Any, Statement | None]):
    """``templates[query]``: the class of every statement that it can become; None where the final bytes decide.

    A value that the driver escapes is one literal, and doesn't change what kind of statement it stands in.
    What SET sets is part of its kind, so that SET is classified by its final bytes. A dictionary, so that a hit
    costs no call; bounded, and safe between threads, as `stillhere.continuity.statement.StatementCache`.
    """

    __slots__ = ()

    def __missing__(self, query: Any) -> Statement | None:
        if not isinstance(query, str | bytes):
            return None
        statement = classify(query, template=True)
        found = statement if statement.kind in _KINDS else None
        if len(query) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[query] = found
        return found


_TEMPLATES = _Templates()


class ContinuousCursor:
    """What is put in front of the driver's cursor class."""

    connection: Any
    description: Any
    _stillhere_base: ClassVar[Any]
    _stillhere_streaming: ClassVar[bool]
    #: Whether the driver's ``nextset`` can be spared where nothing is left.
    _stillhere_quiet: ClassVar[bool]
    #: The driver's ``execute``, and its own step below it, which sends final bytes and reads the reply.
    _stillhere_execute: Any
    _stillhere_query: Any
    #: The class of the statement that `execute` is about to hand to `_query`, found by its template.
    _stillhere_statement: Statement | None = None
    #: Whether the server holds rows for it, as far as it was told; they go with the connection.
    _stillhere_unread: bool = False
    #: While `executemany` rewrites its rows into batches: the class of each batch.
    _stillhere_batch: Statement | None = None

    def execute(self, query: Any, args: Any = None) -> Any:
        """Run a statement. Its kind is looked up by its template, before values are put in."""
        if self._stillhere_unread:
            streams.give_up(self)
        if args is not None:
            try:
                self._stillhere_statement = _TEMPLATES[query]
            except TypeError:  # a bytearray
                self._stillhere_statement = None
        elif self._stillhere_batch is not None and type(query) is bytearray:
            self._stillhere_statement = self._stillhere_batch
        try:
            return self._stillhere_execute(query, args)
        finally:
            self._stillhere_statement = None

    def executemany(self, query: Any, args: Any) -> Any:
        """Run a statement for many rows; the batches that the driver makes of them are statements of their own."""
        self._stillhere_batch = _batch(query)
        try:
            return self._stillhere_base.executemany(self, query, args)
        finally:
            self._stillhere_batch = None

    def _query(self, q: Any) -> Any:
        connection = self.connection
        link: Link | None = connection._stillhere if connection is not None else None  # noqa: SLF001 - ours
        if link is None:
            return self._stillhere_query(q)
        if type(q) is not bytes:
            q = link.driver.encode(connection, q) if isinstance(q, str) else bytes(q)
        statement = self._stillhere_statement or link.classify(connection, q)
        # Taken here and not by a method of the link: each call on this way is paid for by every statement.
        if not link.lock.acquire(False):  # noqa: FBT003 - by keyword it costs a third more
            return link.pass_down(self, q)
        link.owner = get_ident()
        try:
            if statement.plain and not link.alone_witnessed:
                return link.send(connection, self, statement, q)
            return link.send_by_kind(connection, self, statement, q)
        finally:
            link.owner = 0
            link.lock.release()

    def nextset(self) -> Any:
        """The next result set. One that was lost with its connection raises ``StreamInterrupted``."""
        connection = self.connection
        link: Link | None = connection._stillhere if connection is not None else None  # noqa: SLF001 - ours
        # Where nothing is left to read, the driver asks nobody, and the connection counts as idle as before.
        if link is None or not (self._stillhere_unread or (link.more_results and link.driver.more_results(connection))):
            return None if self._stillhere_quiet and link is not None else self._stillhere_base.nextset(self)
        return streams.read_on(link, connection, self, lambda: self._stillhere_base.nextset(self))


class StreamingCursor(ContinuousCursor):
    """The same, in front of a cursor class that leaves its rows on the server until they are fetched."""

    def execute(self, query: Any, args: Any = None) -> Any:
        """Run a statement. What the last one left unread on a connection that is gone is given up."""
        connection = self.connection
        link: Link | None = connection._stillhere if connection is not None else None  # noqa: SLF001 - ours
        if link is not None and link.state is not LinkState.READY:
            self._stillhere_unread = False
        return super().execute(query, args)

    def _stillhere_read(self, read: Any, *, last: bool = False) -> Any:
        connection = self.connection
        link: Link | None = connection._stillhere if connection is not None else None  # noqa: SLF001 - ours
        if link is None:
            return read()
        rows = streams.read_on(link, connection, self, read)
        if last or not rows:
            streams.stream_ended(link, self)
        return rows

    def fetchone(self) -> Any:
        """The next row, from the server."""
        return self._stillhere_read(lambda: self._stillhere_base.fetchone(self))

    def fetchmany(self, size: Any = None) -> Any:
        """The next rows, from the server."""
        return self._stillhere_read(lambda: self._stillhere_base.fetchmany(self, size))

    def fetchall(self) -> Any:
        """All rows that are left, from the server."""
        return self._stillhere_read(lambda: self._stillhere_base.fetchall(self), last=True)

    def nextset(self) -> Any:
        """The next result set, whose rows are streamed as well."""
        more = super().nextset()
        connection = self.connection
        link: Link | None = connection._stillhere if connection is not None else None  # noqa: SLF001 - ours
        if link is not None:
            if more and self.description is not None:
                streams.stream_began(link, self)
            elif link.state is LinkState.READY:
                streams.stream_ended(link, self)
        return more

    def close(self) -> None:
        """Close; rows that the server still holds are read and thrown away."""
        connection = self.connection
        link: Link | None = connection._stillhere if connection is not None else None  # noqa: SLF001 - ours
        if link is None:
            self._stillhere_base.close(self)
            return
        streams.close_stream(link, connection, self, lambda: self._stillhere_base.close(self))


#: Those that were made, by the driver's.
CLASSES: dict[type[Any], type[Any]] = {}


def continuous_cursor_class(driver: Driver, base: type[Any]) -> type[Any]:
    """The continuous subclass of a cursor class of the driver; always the same one."""
    made = CLASSES.get(base)
    if made is None:
        if issubclass(base, ContinuousCursor):
            return base
        made = CLASSES.setdefault(base, _make(driver, base))
    return made


def _make(driver: Driver, base: type[Any]) -> type[Any]:
    streaming = driver.is_streaming(base)
    return type(
        base.__name__,
        (StreamingCursor if streaming else ContinuousCursor, base),
        {
            "__module__": base.__module__,
            "__doc__": base.__doc__,
            "_stillhere_base": base,
            "_stillhere_execute": base.execute,
            "_stillhere_query": base._query,  # noqa: SLF001 - below execute
            "_stillhere_quiet": driver.is_quiet(base),
            "_stillhere_streaming": streaming,
        },
    )


@cache
def _batch_of(query: str | bytes) -> Statement | None:
    """The class of the batches that an ``executemany`` of that template is rewritten into."""
    statement = _TEMPLATES[query]
    if statement is None or statement.kind is not Kind.WRITE:
        return None
    if statement.insert is None:
        return statement
    insert = dataclasses.replace(statement.insert, multi_row=True)
    if insert.on_duplicate:
        return dataclasses.replace(
            statement,
            insert=insert,
            replayable=False,
            reason="a multi-row INSERT … ON DUPLICATE KEY UPDATE may meet other rows the second time",
        )
    return dataclasses.replace(statement, insert=insert)


def _batch(query: Any) -> Statement | None:
    return _batch_of(query) if isinstance(query, str | bytes) and len(query) < _LONGEST else None
