"""``stillhere witness create|status|purge URL``: the table by which a lost COMMIT is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stillhere.cli.render import line
from stillhere.continuity import witness_table
from stillhere.errors import ConfigurationError
from stillhere.policy import parse_duration

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

__all__ = ["register"]

_Url = Annotated[str, typer.Argument(help="A SQLAlchemy URL with the schema of the data as its database.")]


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    verb = typer.Typer(help="The table that settles a COMMIT whose reply was lost.", no_args_is_help=True)
    verb.command("create")(create)
    verb.command("status")(status)
    verb.command("purge")(purge)
    app.add_typer(verb, name="witness")


def create(url: _Url) -> None:
    """Create the witness table in the URL's database; again does no harm.

    Needs the rights CREATE, SELECT and INSERT there. The application's own account needs SELECT and INSERT
    on the table.
    """
    with _connected(url) as connection:
        schema = _schema(connection)
        for statement in witness_table.creation(schema):
            connection.exec_driver_sql(statement)
        line("created", f"{schema}.{witness_table.TABLE}", good=True)
        line("next", "add stillhere.witness=on to the application's URL", good=None)


def status(url: _Url) -> None:
    """Show what the witness table holds. Exits with 2 where there is none."""
    with _connected(url) as connection:
        schema = _schema(connection)
        _require(connection, schema)
        found = connection.exec_driver_sql(witness_table.summary(schema)).one()
        line("table", f"{schema}.{witness_table.TABLE}", good=True)
        line("witnesses", f"{found.witnesses}", good=None)
        line("tombstones", f"{found.tombstones}", good=None)
        line("oldest", f"{found.oldest} UTC" if found.oldest else "none", good=None)
        line("purged before", f"{found.purged_before} UTC", good=None)


def purge(
    url: _Url,
    older_than: Annotated[
        str, typer.Option(metavar="DURATION", help="Keep what is younger, such as 24h; an hour at the least.")
    ] = "24h",
) -> None:
    """Delete old witnesses, a thousand at a time.

    A COMMIT that is still being settled when its witness is purged stays unknown: it is never taken for one that did
    not happen. The time is the server's.
    """
    seconds = parse_duration("--older-than", older_than)
    if seconds < witness_table.YOUNGEST_PURGED:
        raise ConfigurationError(
            f"--older-than: {older_than} is less than an hour, in which a COMMIT may be being settled"
        )
    with _connected(url) as connection:
        schema = _schema(connection)
        _require(connection, schema)
        # First the watermark, committed, then the rows: a resolver that misses a row finds the watermark raised.
        connection.exec_driver_sql(witness_table.raise_watermark(schema, int(seconds)))
        purged = 0
        while deleted := connection.exec_driver_sql(witness_table.purge_some(schema)).rowcount:
            purged += deleted
        line("purged", f"{purged} rows older than {older_than}", good=True)


def _connected(url: str) -> Connection:
    """An autocommitting connection; SQLAlchemy's own errors are worded by the caller's caller."""
    from sqlalchemy import create_engine, pool  # noqa: PLC0415 - keeps --help quick

    from stillhere.survey.login import target  # noqa: PLC0415 - same

    return create_engine(target(url), poolclass=pool.NullPool, isolation_level="AUTOCOMMIT").connect()


def _schema(connection: Connection) -> str:
    schema: Any = connection.exec_driver_sql("SELECT DATABASE()").scalar()
    if not schema:
        raise ConfigurationError("the URL names no database; the witness stands in the schema of the data")
    return str(schema)


def _require(connection: Connection, schema: str) -> None:
    if not connection.exec_driver_sql(witness_table.existence(schema)).scalar():
        raise ConfigurationError(f"{schema} has no witness table; create it with: stillhere witness create URL")
