"""Running the transaction again, and what may be run again at all.

Why it is right: the application can't tell the lost transaction T from T' run wholly after the loss, at any
isolation level, if (1) nothing of T escaped it, (2) the digest covers all that was observed, (3) bytes and
session are the same, (4) the server has everything that was acknowledged, (5) nobody acted on T's uncommitted
existence. `check_tables` guards (1), `difference` is (2), the journal and the session state are (3), the
caller compares server identities for (4) and lock ages for (5).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from stillhere import events
from stillhere.continuity import schema
from stillhere.continuity.journal import Entry, difference
from stillhere.continuity.refusals import Refused
from stillhere.continuity.statement import Kind, Statement
from stillhere.errors import ReplayDiverged
from stillhere.server.errorcodes import is_loss

if TYPE_CHECKING:
    from stillhere.continuity.link import Link
    from stillhere.drivers.base import Outcome

__all__ = ["check_tables", "confirm_reads", "run"]

_READ_ONLY_TRANSACTION = 1792
_LOCK_CONFLICTS = frozenset({1205, 1213})


def run(link: Link, connection: Any) -> None:
    """Run the journal again on a restored connection and compare everything that the application saw.

    Raises:
        ReplayDiverged: a statement answered differently. The physical connection must not be used further.
        Exception: the driver's own, for a loss or a lock conflict during the replay.
    """
    entries = link.ledger.journal.entries
    started = time.monotonic()
    generated = schema.auto_increments(link.driver, connection, [e.statement for e in entries if _generated_id(e, "")])
    if generated:
        # Looking that up may have begun a transaction, whose snapshot must not be the replay's.
        link.driver.fetch(connection, b"ROLLBACK")
        if link.session.one_shot is not None:
            link.driver.fetch(connection, link.session.one_shot.sql)
    for number, entry in enumerate(entries, 1):
        column = generated.get(schema.name_of(entry.statement))
        first_id = _generated_id(entry, column or "") if column else 0
        if first_id:
            link.driver.fetch(connection, b"SET insert_id=%d" % first_id)
        outcome, errno = _run_one(link, connection, entry)
        what = difference(entry, outcome, errno)
        if what:
            events.emit(_event(link, number, started, same=False))
            raise link.endpoint.error(
                ReplayDiverged,
                f"statement {number} of {len(entries)} ({entry.statement.verb}) of the transaction answered "
                f"differently when it was run again after a loss: {what}. Nothing was committed; run the "
                "transaction again from its beginning",
            )
    events.emit(_event(link, len(entries), started, same=True))


def confirm_reads(link: Link, connection: Any) -> bool:
    """Whether the server runs all reads of the journal in a READ ONLY transaction, so that they only read."""
    driver = link.driver
    driver.fetch(connection, b"START TRANSACTION READ ONLY")
    for entry in link.ledger.journal.entries:
        if entry.statement.kind is not Kind.READ:
            continue
        _, errno = _run_one(link, connection, entry)
        if errno == _READ_ONLY_TRANSACTION:
            driver.fetch(connection, b"ROLLBACK")
            return False
    driver.fetch(connection, b"COMMIT")
    return True


def check_tables(link: Link, connection: Any, statements: list[Statement]) -> None:
    """Refuse statements whose effect a ROLLBACK doesn't undo, or whose forced ids a trigger could take.

    Raises:
        Refused: with the reason.
    """
    driver = link.driver
    # A read as well: a stored function or a view that it goes through may write.
    if not any(statement.kind in {Kind.WRITE, Kind.READ} for statement in statements):
        return
    reason = schema.what_escapes(driver, connection, statements)
    driver.fetch(connection, b"ROLLBACK")
    if reason:
        raise Refused(reason)


def _run_one(link: Link, connection: Any, entry: Entry) -> tuple[Outcome | None, int]:
    """One statement beneath all continuity, on a cursor of the class that ran it first."""
    driver = link.driver
    try:
        if entry.cursor_class is None:
            driver.fetch(connection, entry.sql)
            return None, 0
        cursor = entry.cursor_class(connection)
        cursor._query(entry.sql)  # noqa: SLF001 - the driver's own step below execute, which takes final bytes
        return driver.outcome(connection, cursor), 0
    except driver.dbapi.Error as error:
        code = driver.errno(error)
        if is_loss(code, link.facts.flavour) or driver.is_closed_error(error):
            raise
        if code in _LOCK_CONFLICTS and code != entry.errno:
            raise
        return None, code


def _generated_id(entry: Entry, column: str) -> int:
    """The first id that the server generated for a plain INSERT; 0 for none, or where it must not be forced.

    Args:
        entry: the statement, with what came of it.
        column: the table's auto-increment column; empty to ask only whether there can be one.
    """
    insert, outcome = entry.statement.insert, entry.outcome
    if insert is None or outcome is None or not insert.forceable or entry.statement.verb != "INSERT":
        return 0
    if insert.columns is None or any(name.lower() == column.lower() for name in insert.columns):
        return 0
    if not insert.returning:
        return int(outcome.lastrowid or 0)
    # The drivers' lastrowid is stale after RETURNING; the id is in the first row, where it was asked for.
    if not column:
        return 1
    if outcome.description is None or not isinstance(outcome.rows, tuple) or not outcome.rows:
        return 0
    names = [str(item[0]).lower() for item in outcome.description]
    return int(outcome.rows[0][names.index(column.lower())]) if column.lower() in names else 0


def _event(link: Link, statements: int, started: float, *, same: bool) -> events.Replay:
    seconds = time.monotonic() - started
    return events.Replay(server=link.endpoint.name, statements=statements, seconds=seconds, same=same)
