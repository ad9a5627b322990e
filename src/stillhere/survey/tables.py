"""The applications' tables and indexes, as ``information_schema`` tells them. No row of theirs is read.

An account sees the tables that it has a right on, and no others. MySQL keeps sizes for a day
(``information_schema_stats_expiry``); they are asked afresh. Sources: "INFORMATION_SCHEMA TABLES Table", "STATISTICS
Table", "INNODB_TABLESPACES Table" in the MySQL manual, "Information Schema INNODB_SYS_TABLESPACES Table" in MariaDB's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed, Row

__all__ = ["Column", "Index", "Key", "Table", "file_sizes", "foreign_columns", "indexes", "sees_all", "tables"]

Key = tuple[str, str]
"""A table: its schema and its name."""

_OF_THE_SERVER = ("information_schema", "performance_schema", "mysql", "sys")
_PARTITION = re.compile(r"(?i)#p#.*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One base table.

    Attributes:
        key: schema and name.
        engine: such as ``InnoDB``.
        transactional: whether the engine has transactions.
        rows: how many rows, by the engine's estimate.
        data: bytes of rows; with InnoDB as of its statistics.
        index: bytes of indexes; the same.
        free: bytes that are allocated and not used; with InnoDB whole extents of its tablespace.
        options: what else it was created with, such as ``"row_format=COMPRESSED"``.
    """

    key: Key
    engine: str
    transactional: bool
    rows: int
    data: int
    index: int
    free: int
    options: str = ""

    @property
    def label(self) -> str:
        """Schema and name, to be read."""
        return ".".join(self.key)

    @property
    def quoted(self) -> str:
        """Schema and name, for a statement."""
        return ".".join("`" + part.replace("`", "``") + "`" for part in self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One part of an index.

    Attributes:
        name: the column, or the expression.
        length: how many characters of it; ``None`` for all.
        order: ``A``, ``D``, or empty where there is none.
        nullable: whether it may be NULL.
    """

    name: str
    length: int | None = None
    order: str = "A"
    nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One index.

    Attributes:
        table: schema and name of its table.
        name: ``PRIMARY`` for the primary key.
        unique: whether it keeps its columns unique.
        kind: ``BTREE``, ``HASH``, ``FULLTEXT`` or ``SPATIAL``.
        columns: in order.
        used: false where the server is told to pass it over (invisible, ignored).
    """

    table: Key
    name: str
    unique: bool
    kind: str
    columns: tuple[Column, ...]
    used: bool = True


def sees_all(ask: Ask) -> bool:
    """Whether the account has SELECT on everything, so that no table is hidden from it; a role's right is not seen."""
    account = str(ask("SELECT CURRENT_USER() AS account")[0]["account"])
    user, _, host = account.rpartition("@")
    rows = ask("SELECT grantee FROM information_schema.USER_PRIVILEGES WHERE privilege_type = 'SELECT'")
    return f"'{user}'@'{host}'" in {str(row["grantee"]) for row in rows}


def tables(ask: Ask, snapshot: Snapshot, schema: str = "") -> tuple[Table, ...]:
    """The base tables of one schema, or of all but the server's own."""
    if snapshot.version.at_least(mysql=(8, 0), mariadb=None):
        ask("SET SESSION information_schema_stats_expiry = 0")
    engines = {
        str(row["engine"]): str(row["transactions"]) == "YES"
        for row in ask("SELECT engine AS engine, transactions AS transactions FROM information_schema.ENGINES")
    }
    rows = ask(
        "SELECT table_schema AS s, table_name AS t, engine AS e, table_rows AS n, data_length AS d, index_length AS i,"  # noqa: S608 - quoted below
        " data_free AS f, create_options AS o FROM information_schema.TABLES"
        f" WHERE table_type = 'BASE TABLE' AND {_where('table_schema', schema)} ORDER BY table_schema, table_name"
    )
    return tuple(
        Table(
            key=(str(row["s"]), str(row["t"])),
            engine=str(row["e"] or ""),
            transactional=engines.get(str(row["e"]), False),
            rows=int(row["n"] or 0),
            data=int(row["d"] or 0),
            index=int(row["i"] or 0),
            free=int(row["f"] or 0),
            options=str(row["o"] or ""),
        )
        for row in rows
    )


def indexes(ask: Ask, schema: str = "") -> tuple[Index, ...]:
    """The indexes of the same tables."""
    rows = ask(
        f"SELECT * FROM information_schema.STATISTICS WHERE {_where('table_schema', schema)}"  # noqa: S608 - as above
        " ORDER BY table_schema, table_name, index_name, seq_in_index"
    )
    parts: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        parts.setdefault((str(row["table_schema"]), str(row["table_name"]), str(row["index_name"])), []).append(row)
    return tuple(_index(name, found) for name, found in parts.items())


def _index(name: tuple[str, str, str], rows: list[Row]) -> Index:
    first = rows[0]
    return Index(
        table=name[:2],
        name=name[2],
        unique=not int(first["non_unique"]),
        kind=str(first["index_type"]),
        columns=tuple(
            Column(
                name=str(row["column_name"] if row["column_name"] is not None else row.get("expression")),
                length=None if row["sub_part"] is None else int(row["sub_part"]),
                order=str(row["collation"] or ""),
                nullable=row["nullable"] == "YES",
            )
            for row in rows
        ),
        used=first.get("is_visible", "YES") == "YES" and first.get("ignored", "NO") == "NO",
    )


def foreign_columns(ask: Ask, schema: str = "") -> frozenset[tuple[Key, str]]:
    """Table and first column of every foreign key: an index that begins with it is needed by the key."""
    rows = ask(
        "SELECT table_schema AS s, table_name AS t, column_name AS c FROM information_schema.KEY_COLUMN_USAGE"  # noqa: S608 - as above
        f" WHERE referenced_table_name IS NOT NULL AND ordinal_position = 1 AND {_where('table_schema', schema)}"
    )
    return frozenset(((str(row["s"]), str(row["t"])), str(row["c"])) for row in rows)


def file_sizes(ask: Ask, snapshot: Snapshot) -> dict[Key, int]:
    """Bytes on disk of InnoDB tables that have files of their own; the partitions of a table together.

    Raises:
        NotAllowed: needs PROCESS, or the server has no such table (MySQL before 8.0).
    """
    if snapshot.version.at_least(mysql=(8, 0), mariadb=None):
        source = "information_schema.INNODB_TABLESPACES WHERE space_type = 'Single'"
    elif snapshot.version.at_least(mysql=None, mariadb=(10, 1)):
        source = "information_schema.INNODB_SYS_TABLESPACES WHERE name LIKE '%/%'"
    else:
        raise NotAllowed("needs MySQL 8.0 or MariaDB 10.1")
    found: dict[str, int] = {}
    for row in ask(f"SELECT name AS name, file_size AS size FROM {source}"):  # noqa: S608 - one of ours
        name = _PARTITION.sub("", str(row["name"]))
        found[name] = found.get(name, 0) + int(row["size"] or 0)
    plain = _decoded(ask, {part for name in found for part in name.split("/", 1) if "@" in part})
    sizes = {}
    for name, size in found.items():
        schema, _, table = name.partition("/")
        sizes[plain.get(schema, schema), plain.get(table, table)] = size
    return sizes


def _decoded(ask: Ask, names: Iterable[str]) -> Mapping[str, str]:
    """File names as names: InnoDB writes what is neither letter, digit nor ``_`` as ``@`` and a code."""
    names = sorted(names)
    if not names:
        return {}
    listed = ", ".join(
        f"CONVERT(_filename 0x{name.encode().hex()} USING utf8mb4) AS n{number}" for number, name in enumerate(names)
    )
    row = ask(f"SELECT {listed}")[0]
    return {name: str(row[f"n{number}"]) for number, name in enumerate(names)}


def _where(column: str, schema: str) -> str:
    if schema:
        return f"{column} = 0x{schema.encode().hex()}"
    listed = ", ".join(f"'{name}'" for name in _OF_THE_SERVER)
    return f"LOWER({column}) NOT IN ({listed})"
