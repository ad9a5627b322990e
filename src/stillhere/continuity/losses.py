"""Whether an exception is a loss, and what becomes of a connection whose call is not continued for another reason."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn

from stillhere.continuity import explaining, refusals
from stillhere.continuity.states import LinkState
from stillhere.continuity.verdict import Phase
from stillhere.errors import CallError
from stillhere.server.errorcodes import is_loss

if TYPE_CHECKING:
    from stillhere.continuity.link import Link
    from stillhere.continuity.statement import Statement

__all__ = ["lost_by", "on_stream_error", "pass_on_unless_lost"]


def lost_by(link: Link, error: BaseException) -> bool:
    """Whether an exception of the driver means that the physical connection is lost."""
    driver = link.driver
    if isinstance(error, CallError) or not isinstance(error, driver.dbapi.Error):
        return False
    return is_loss(driver.errno(error), link.facts.flavour) or driver.is_closed_error(error)


def pass_on_unless_lost(
    link: Link,
    connection: Any,
    statement: Statement,
    sql: bytes,
    cursor_class: type[Any] | None,
    error: BaseException,
) -> None:
    """Return where ``error`` is a loss; otherwise enter it into the ledger and raise it."""
    if link.state is LinkState.CLOSED:
        link.driver.discard(connection)
        raise error  # another thread closed it under this call
    if lost_by(link, error):
        return
    driver = link.driver
    code = driver.errno(error) if isinstance(error, driver.dbapi.Error) else 0
    if isinstance(error, CallError):
        raise error
    if code:
        # The server's answer, or the driver's that it can't send now: the connection lives.
        link.ledger.failed(sql, statement, cursor_class, code, link.facts.flavour, time.monotonic())
        raise error
    # Interrupted between sending and the end of the reply. What is left of the reply would be read as the
    # answer to the next statement, perhaps another user's: this physical connection is never used again.
    begun = bool(link.ledger.journal) or link.ledger.transactional
    explaining.broken_off(link, Phase.AWAIT, error)
    link.lost_why = f"{type(error).__name__} interrupted a call in the middle of its reply"
    link.detached(connection, LinkState.LOST if begun else LinkState.DETACHED, ghost=True)
    raise error


def on_stream_error(link: Link, connection: Any, error: BaseException) -> NoReturn:
    """Reading on ended in an exception."""
    if link.state is LinkState.CLOSED:
        link.driver.discard(connection)
        raise error  # another thread closed it under this call
    if isinstance(error, CallError):
        raise error  # what is raised below, on its way through a call around that one
    if isinstance(error, link.driver.dbapi.Error) and not lost_by(link, error) and link.driver.errno(error):
        raise error
    begun = bool(link.ledger.journal)
    lost = isinstance(error, link.driver.dbapi.Error)
    raised = refusals.stream_interrupted(link) if lost else error
    explaining.broken_off(link, Phase.FETCH, error, raised if lost else None)
    link.lost_why = "it was lost while rows were being read"
    link.detached(connection, LinkState.LOST if begun else LinkState.DETACHED, ghost=begun)
    if not lost:
        raise error
    raise raised from error
