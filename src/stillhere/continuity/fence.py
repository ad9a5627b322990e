"""Getting rid of the ghost: what a lost connection left on the server must not block what comes next.

The fence is for progress, never for safety: no COMMIT was sent for a transaction that it ends.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stillhere.continuity.facts import Facts, restarted_between
from stillhere.drivers.base import as_text
from stillhere.server.versions import Flavour

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillhere.drivers.base import Driver

__all__ = ["Ghost", "fence", "is_alive"]

# How long the server gets to notice by itself that its client is gone, from the loss.
_GRACE = 0.1
_POLL = 0.01
# How long MySQL shows the same copy of INNODB_TRX, counted from the last look at it.
_COPY_KEPT = 0.1
# How long to wait for a rollback: what is not proved by then is left to the lock wait of whatever comes next.
_LOCKS_WITHIN = 1.0
_NO_SUCH_THREAD = 1094


@dataclass(frozen=True, slots=True)
class Ghost:
    """The thread of a lost connection, told apart from a stranger's with the same number.

    Attributes:
        facts: what was learned of it when it was opened.
        transaction: whether it may still hold an open transaction.
        since: when its connection was lost, on the monotonic clock.
    """

    facts: Facts
    transaction: bool = True
    since: float = field(default_factory=time.monotonic)


def is_alive(driver: Driver, connection: Any, ghost: Ghost) -> bool:
    """Whether the ghost's thread is still in the processlist, under the same user, host and port.

    Without PROCESS an account sees its own threads, and the ghost is one.
    """
    facts = ghost.facts
    rows = driver.fetch(
        connection, b"SELECT USER, HOST FROM information_schema.PROCESSLIST WHERE ID = %d" % facts.thread_id
    )
    return any((as_text(user), as_text(host)) == (facts.user, facts.host) for user, host in rows)


def fence(
    driver: Driver,
    connection: Any,
    now: Facts,
    ghost: Ghost,
    *,
    deadline: float,
    on_kill: Callable[[], None],
    prove: bool = True,
) -> bool:
    """Wait until the ghost and its locks are gone, ending it by ``KILL CONNECTION`` where need be.

    Nothing is done where another server answers or the same one was restarted: the number may be a stranger's
    there, and a restart ends every transaction. Behind a multiplexing proxy user, host and port don't match,
    and nothing is killed either.

    Args:
        driver: of ``connection``.
        connection: the new physical connection, on which nothing of the application's has run yet.
        now: what was learned of it.
        ghost: what to be rid of.
        deadline: when to stop waiting, on the monotonic clock.
        on_kill: called before each KILL, so that it isn't taken for an administrator's.
        prove: whether to find out that the locks are released where that takes time, on MySQL. Who waits for locks
            needs no proof: it waits for the end of the ghost's rollback, as for anybody's.

    Returns:
        Whether the ghost's locks are known to be released.
    """
    before = ghost.facts
    if not before.user or before.identity != now.identity:
        return False
    if restarted_between(before, now):
        return True
    if not _thread_gone(driver, connection, ghost, min(deadline, ghost.since + _GRACE)):
        on_kill()
        try:
            driver.fetch(connection, b"KILL CONNECTION %d" % before.thread_id)
        except driver.dbapi.Error as error:
            if driver.errno(error) != _NO_SUCH_THREAD:
                raise
        if not _thread_gone(driver, connection, ghost, deadline):
            return False
    if not ghost.transaction or now.flavour is Flavour.MARIADB:
        return True  # MariaDB takes the thread off the list after its transaction is rolled back, MySQL before
    return prove and _locks_gone(driver, connection, now, before.thread_id, deadline)


def _thread_gone(driver: Driver, connection: Any, ghost: Ghost, until: float) -> bool:
    while is_alive(driver, connection, ghost):
        if time.monotonic() >= until:
            return False
        time.sleep(_POLL)
    return True


def _locks_gone(driver: Driver, connection: Any, now: Facts, thread_id: int, until: float) -> bool:
    """Whether MySQL has rolled the ghost's transaction back.

    INNODB_TRX shows a copy that MySQL renews only when nobody has looked at it for 0.1 s: who looks more often never
    sees anything change, and what is seen may be of any age. So a transaction of our own, begun after the ghost's
    thread was gone, must stand in it as well; and between two looks there is a longer pause, of random length, since
    others look too.
    """
    question = (
        b"SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id IN (%d, %d)"
        % (thread_id, now.thread_id)
    )
    until = min(until, time.monotonic() + _LOCKS_WITHIN)
    driver.fetch(connection, b"START TRANSACTION WITH CONSISTENT SNAPSHOT")
    released = None
    try:
        while released is None:
            found = {int(row[0]) for row in driver.fetch(connection, question)}
            if found == {now.thread_id}:
                released = True
            elif time.monotonic() >= until:
                released = False
            else:
                time.sleep(_COPY_KEPT * random.uniform(1.1, 2.0))  # noqa: S311 - a pause, not a secret
    except driver.dbapi.Error as error:
        if driver.errno(error) in range(2000, 3000):
            raise
        released = False  # PROCESS isn't granted: what comes next meets a lock wait, and retries
    driver.fetch(connection, b"ROLLBACK")
    return released
