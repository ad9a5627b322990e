"""Applying safe fixes: exact pieces of the text are replaced, everything else stays byte for byte."""

from __future__ import annotations

import ast
import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

from stillhere.errors import ConfigurationError
from stillhere.lint.rules.base import Edit

__all__ = ["apply", "write"]


def apply(text: str, fixes: Iterable[tuple[Edit, ...]]) -> tuple[str, int]:
    """The text with as many fixes as don't touch each other, and how many those are.

    A fix is applied whole or not at all. Where the result doesn't parse, nothing is: the text comes back as it was.
    """
    taken: list[Edit] = []
    count = 0
    for fix in fixes:
        if fix and all(_apart(edit, other) for edit in fix for other in taken):
            taken += fix
            count += 1
    fixed = text
    for edit in sorted(taken, key=lambda one: (one.start, one.end), reverse=True):
        fixed = fixed[: edit.start] + edit.text + fixed[edit.end :]
    return (fixed, count) if count and _parses(fixed) else (text, 0)


def write(file: Path, content: bytes) -> None:
    """Replace a file's content at once: a reader sees the old or the new one, never a part.

    Raises:
        ConfigurationError: it can't be written.
    """
    target = file.resolve()
    try:
        mode = target.stat().st_mode & 0o7777
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise ConfigurationError(f"{file}: can't be written: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as made:
            made.write(content)
            made.flush()
            os.fsync(made.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise ConfigurationError(f"{file}: can't be written: {error.strerror or error}") from error


def _apart(one: Edit, other: Edit) -> bool:
    """Two insertions at one place are not apart: which comes first would be chance."""
    return one.end < other.start or other.end < one.start


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
