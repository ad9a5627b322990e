"""After a fork: the child must neither speak on its parent's sockets nor close them aloud.

The sockets of the parent's connections are open in the child as well. When the child collects such a connection,
the client library says COM_QUIT on the shared socket, and the parent's next statement fails with 2013.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from stillhere.continuity import gate
from stillhere.continuity.states import LinkState

if TYPE_CHECKING:
    from stillhere.continuity.link import Link

__all__ = ["known", "remember"]

# Every logical connection of this process, to its link.
_connections: weakref.WeakKeyDictionary[Any, Link] = weakref.WeakKeyDictionary()
# Guards the above: the watchdog walks it while other threads connect.
_lock = threading.Lock()


def remember(connection: Any, link: Link) -> None:
    """Take note of a new logical connection."""
    with _lock:
        _connections[connection] = link


def known() -> list[tuple[Any, Link]]:
    """All logical connections that are alive, with their links."""
    with _lock:
        return list(_connections.items())


def _in_child() -> None:
    global _lock  # noqa: PLW0603 - the parent's lock may be held by a thread that doesn't exist here
    _lock = threading.Lock()
    gate.reset_after_fork()
    connections = list(_connections.items())
    # First of all, before anything can be collected: whatever is written to these descriptors goes nowhere.
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        for connection, link in connections:
            descriptor = _descriptor(connection, link)
            if descriptor >= 0:
                os.dup2(nowhere, descriptor, inheritable=False)
    finally:
        os.close(nowhere)
    for connection, link in connections:
        link.endpoint.forked()
        link.forked(connection)


def _descriptor(connection: Any, link: Link) -> int:
    """The socket that the child inherited; -1 for none. One that another thread was just opening counts as well."""
    if link.descriptor >= 0:
        return link.descriptor
    if link.state is LinkState.OPENING:
        with contextlib.suppress(Exception):  # not yet open
            return link.driver.descriptor(connection)
    return -1


os.register_at_fork(after_in_child=_in_child)
