"""The witness table: its definition, and every statement that looks after it."""

from __future__ import annotations

__all__ = [
    "SENTINEL", "TABLE", "WATERMARK", "YOUNGEST_PURGED", "creation", "existence", "purge_some", "qualified",
    "raise_watermark", "summary",
]  # fmt: skip

TABLE = "stillhere_witness"

#: A row that is always there: with ``unique_checks=0`` an insert into an empty table would lock all of it.
SENTINEL = b"\x00" * 16

#: The row whose ``created`` says before when rows may have been purged.
WATERMARK = b"\x00" * 15 + b"\x01"

#: Seconds. Younger rows are never purged: their COMMIT may be being settled at this moment.
YOUNGEST_PURGED = 3600


def qualified(schema: str) -> str:
    """The table's name in a schema, quoted."""
    return f"`{schema.replace('`', '``')}`.`{TABLE}`"


def creation(schema: str) -> tuple[str, ...]:
    """The statements that make the table; each can be repeated."""
    name = qualified(schema)
    columns = (
        "token BINARY(16) NOT NULL PRIMARY KEY, "
        "kind ENUM('W', 'T', 'S', 'P') NOT NULL COMMENT 'witness, tombstone, sentinel, purged before', "
        "created DATETIME(6) NOT NULL, KEY created (created)"
    )
    comment = "stillhere: a row for each writing transaction; see stillhere witness purge"
    insert = f"INSERT IGNORE INTO {name} VALUES"
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) ENGINE=InnoDB COMMENT='{comment}'",
        f"{insert} (0x{SENTINEL.hex()}, 'S', UTC_TIMESTAMP(6))",
        f"{insert} (0x{WATERMARK.hex()}, 'P', '1970-01-01')",
    )


def existence(schema: str) -> str:
    """A query for 1 where the table is."""
    quoted = schema.replace("\\", "\\\\").replace("'", "''")
    return f"SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{quoted}' AND TABLE_NAME = '{TABLE}'"  # noqa: S608 - escaped


def summary(schema: str) -> str:
    """A query for ``witnesses``, ``tombstones``, ``oldest`` and ``purged_before``."""
    columns = (
        "COALESCE(SUM(kind = 'W'), 0) AS witnesses, COALESCE(SUM(kind = 'T'), 0) AS tombstones, "
        "MIN(CASE WHEN kind IN ('W', 'T') THEN created END) AS oldest, "
        "MAX(CASE WHEN kind = 'P' THEN created END) AS purged_before"
    )
    return f"SELECT {columns} FROM {qualified(schema)}"  # noqa: S608 - quoted


def raise_watermark(schema: str, seconds: int) -> str:
    """Declare what is older than ``seconds``, by the server's clock, purged; never lowers it."""
    cutoff = f"UTC_TIMESTAMP(6) - INTERVAL {seconds:d} SECOND"
    return f"UPDATE {qualified(schema)} SET created = GREATEST(created, {cutoff}) WHERE token = 0x{WATERMARK.hex()}"  # noqa: S608 - quoted


def purge_some(schema: str, rows: int = 1000) -> str:
    """Delete at most that many rows from before the watermark."""
    name = qualified(schema)
    # The watermark is read by a derived table, since MySQL refuses to read the table that it deletes from.
    mark = f"(SELECT created FROM (SELECT created FROM {name} WHERE token = 0x{WATERMARK.hex()}) AS mark)"  # noqa: S608 - quoted
    return f"DELETE FROM {name} WHERE kind IN ('W', 'T') AND created < {mark} LIMIT {rows:d}"  # noqa: S608 - quoted
