"""One module a kind of maintenance, and its line in `KINDS`."""

from __future__ import annotations

from stillhere.maintain.kinds import (
    check,
    duplicate_indexes,
    engines,
    primary_keys,
    rebuild,
    statistics,
    unused_indexes,
    version,
)
from stillhere.maintain.step import Kind
from stillhere.registry import Registry

__all__ = ["KINDS"]

KINDS = Registry(
    "kind of maintenance",
    (
        Kind(name="check", summary="tables after a crash", judge=check.judge),
        Kind(name="rebuild", summary="free space in tables' files", judge=rebuild.judge),
        Kind(name="statistics", summary="old and wrong statistics", judge=statistics.judge),
        Kind(name="duplicate-indexes", summary="indexes that others cover", judge=duplicate_indexes.judge),
        Kind(name="unused-indexes", summary="indexes that nobody uses", judge=unused_indexes.judge),
        Kind(name="primary-keys", summary="tables without a primary key", judge=primary_keys.judge),
        Kind(name="engines", summary="tables without transactions", judge=engines.judge),
        Kind(name="version", summary="the server's release series", judge=version.judge),
    ),
)
