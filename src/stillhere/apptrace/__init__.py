"""Tracebacks and error reports of applications, as people paste them, read into facts.

`parse` reads a text, `read` a file or a stream of any size, `sniff` says whether that is worth trying. What comes out
are `Report` records: one for each error of a MySQL or MariaDB client, in whichever form it was written down.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stillhere.apptrace.report import Frame, PoolFacts, Position, Report

if TYPE_CHECKING:
    from stillhere.apptrace.reading import parse, read
    from stillhere.apptrace.sniffing import sniff

__all__ = ["Frame", "PoolFacts", "Position", "Report", "parse", "read", "sniff"]

_LAZY = {"parse": "reading", "read": "reading", "sniff": "sniffing"}


def __getattr__(name: str) -> Any:
    """The readers are loaded when first used: a live loss needs the records alone, in every application."""
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
