"""The logical connection: a subclass of the driver's own connection class, made at run time."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar

from stillhere.continuity import endings, streams
from stillhere.continuity.cursor import CLASSES, continuous_cursor_class
from stillhere.continuity.statement import classify
from stillhere.continuity.states import LinkState

if TYPE_CHECKING:
    from stillhere.continuity.link import Link
    from stillhere.drivers.base import Driver

__all__ = ["ContinuousConnection", "continuous_class"]

_BEGIN = classify(b"BEGIN")
_AUTOCOMMIT = {
    True: (classify(b"SET autocommit=1"), b"SET autocommit=1"),
    False: (classify(b"SET autocommit=0"), b"SET autocommit=0"),
}


class ContinuousConnection:
    """What is put in front of the driver's connection class; every call that sends is told to the link.

    A call made while this thread is already inside the link is the driver's own or ours, and goes
    straight down. Attributes that are ours begin with ``_stillhere``.
    """

    _stillhere: Link | None = None
    _stillhere_driver: ClassVar[Driver]
    _stillhere_base: ClassVar[Any]
    _stillhere_query: Any
    _stillhere_kwargs: dict[str, Any]
    #: Given where the connect arguments name none: a handshake that gets no answer must end.
    _stillhere_connect_timeout: ClassVar[int] = 10

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("connect_timeout", self._stillhere_connect_timeout)
        self._stillhere_kwargs = kwargs
        try:
            self._stillhere_base.__init__(self, *args, **kwargs)
        except BaseException:
            # mysqlclient says "open" of what never came to be, and a later attempt would be given another object.
            # Refused arguments left nothing to close, and closing nothing crashes its library.
            if self.open:  # type: ignore[attr-defined]
                self._stillhere_driver.close(self)
            raise

    def cursor(self, cursorclass: Any = None) -> Any:
        """A cursor of the driver's class, continuous."""
        base = cursorclass or self.cursorclass  # type: ignore[attr-defined]
        return (CLASSES.get(base) or continuous_cursor_class(self._stillhere_driver, base))(self)

    def query(self, query: Any, unbuffered: Any = False) -> Any:
        """Send a statement below the cursor. ``unbuffered`` is PyMySQL's; ``*args`` would be dear."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            return self._stillhere_query(query, unbuffered) if unbuffered else self._stillhere_query(query)
        sql = link.driver.encode(self, query) if isinstance(query, str) else bytes(query)
        args = (unbuffered,) if unbuffered else ()
        return link.run_below_cursor(
            self, link.classify(self, sql), sql, lambda: self._stillhere_base.query(self, sql, *args)
        )

    def commit(self) -> None:
        """Commit, and settle what a loss leaves open."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            self._stillhere_base.commit(self)
        else:
            endings.commit(link, self, lambda: self._stillhere_base.commit(self))

    def rollback(self) -> None:
        """Roll back; that succeeds whenever the connection is lost, since the server does it then."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            self._stillhere_base.rollback(self)
        else:
            endings.rollback(link, self)

    def begin(self) -> None:
        """Begin a transaction explicitly."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            self._stillhere_base.begin(self)
        else:
            link.run_below_cursor(self, _BEGIN, b"BEGIN", lambda: self._stillhere_base.begin(self))

    def autocommit(self, on: Any) -> None:
        """Switch autocommit; nothing is sent where it stands so already."""
        link = self._stillhere
        on = bool(on)
        if link is None or link.owner == get_ident():
            self._stillhere_base.autocommit(self, on)
        elif link.autocommit is not on:
            statement, sql = _AUTOCOMMIT[on]
            link.run_below_cursor(self, statement, sql, lambda: self._stillhere_base.autocommit(self, on))

    def get_autocommit(self) -> bool:
        """Whether autocommit is on for the logical connection, whatever became of the physical one."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            return bool(self._stillhere_base.get_autocommit(self))
        return link.autocommit

    def select_db(self, db: Any) -> None:
        """Change the default database."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            self._stillhere_base.select_db(self, db)
            return
        name = db.encode() if isinstance(db, str) else bytes(db)
        sql = b"USE `" + name.replace(b"`", b"``") + b"`"
        link.run_below_cursor(self, classify(sql), sql, lambda: self._stillhere_base.select_db(self, db))

    def set_character_set(self, charset: Any, collation: Any = None) -> None:
        """Change the connection's character set."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            self._stillhere_base.set_character_set(self, charset, collation)
        else:
            link.set_character_set(
                self,
                charset,
                collation,
                lambda: self._stillhere_base.set_character_set(self, charset, collation),
            )

    def ping(self, reconnect: Any = False) -> None:  # noqa: ARG002 - the drivers' signature; we re-open anyway
        """Ask the server for a sign of life; a connection lost while idle is replaced."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            self._stillhere_base.ping(self)
        else:
            link.ping(self, lambda: self._stillhere_base.ping(self))

    def change_user(self, *args: Any, **kwargs: Any) -> Any:
        """Become another user on the same connection: state that can't be restored."""
        link = self._stillhere
        result = self._stillhere_base.change_user(self, *args, **kwargs)
        if link is not None:
            link.session.pins["change_user"] = None
        return result

    def next_result(self, unbuffered: Any = False) -> Any:
        """Advance to the next result set, never over a loss. ``unbuffered`` is PyMySQL's."""
        link = self._stillhere
        if link is not None and not link.more_results:
            return -1
        args = (unbuffered,) if unbuffered else ()
        if link is None or link.owner == get_ident():
            return self._stillhere_base.next_result(self, *args)
        if link.state is not LinkState.READY or not link.driver.more_results(self):
            return -1
        return streams.next_result(link, self, lambda: self._stillhere_base.next_result(self, *args))

    def close(self) -> None:
        """Close the logical connection for good."""
        link = self._stillhere
        if link is None or link.owner == get_ident():
            self._stillhere_base.close(self)
        else:
            link.close(self, lambda: self._stillhere_base.close(self))


_classes: dict[type[Any], type[Any]] = {}


def continuous_class(driver: Driver, base: type[Any]) -> type[Any]:
    """The continuous subclass of a connection class of the driver; always the same one."""
    if issubclass(base, ContinuousConnection):
        return base
    if base not in _classes:
        _classes.setdefault(base, _make(driver, base))
    return _classes[base]


def _make(driver: Driver, base: type[Any]) -> type[Any]:
    return type(
        base.__name__,
        (ContinuousConnection, base),
        {
            "__module__": base.__module__,
            "__doc__": base.__doc__,
            "_stillhere_driver": driver,
            "_stillhere_base": base,
            "_stillhere_query": base.query,
        },
    )
