"""What went wrong, in one line a person can act on, without secrets."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from enum import IntEnum
from urllib.parse import unquote

from stillhere.errors import StillhereError
from stillhere.masking import MASK, mask_urls

__all__ = ["DRIVERS", "Problem", "mask", "problem_of"]

DRIVERS = {
    "MySQLdb": "mysqlclient",
    "pymysql": "PyMySQL",
    "asyncmy": "asyncmy",
    "aiomysql": "aiomysql",
    "mysql": "mysql-connector-python",
    "mariadb": "mariadb",
}
"""The module that each driver is imported as, and the package that brings it."""


class Problem(IntEnum):
    """The exit codes of a command that failed."""

    USAGE = 2
    BUG = 70
    INTERRUPTED = 130


_BACKGROUND = re.compile(r"\s*\(Background on this error at: .*\)\s*\Z", re.DOTALL)
_MIN_SECRET = 4  # a shorter one would blank out ordinary words, and is found by its place in the URL anyway


def problem_of(error: BaseException) -> tuple[int, str]:
    """The exit code for an exception, and one line about it; an empty line where nothing need be said."""
    own_code = getattr(error, "exit_code", None)
    if type(error).__name__ == "Exit" and isinstance(own_code, int):
        return own_code, ""
    if type(error).__name__ == "Abort":
        return Problem.INTERRUPTED, ""
    text = _usage(error) or _known(error)
    if text is not None:
        return Problem.USAGE, _one_line(text)
    return Problem.BUG, _one_line(f"unexpected {type(error).__name__}: {error} (this is a bug; --debug shows where)")


def mask(text: str, args: Iterable[str] = ()) -> str:
    """The text with every password in it replaced.

    Args:
        text: a message or a traceback.
        args: the command's arguments; a password that stands in one is also masked where it stands alone.
    """
    text = mask_urls(text)
    for secret in sorted(_secrets(args), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets(args: Iterable[str]) -> set[str]:
    found = set()
    for arg in args:
        for match in re.finditer(r"://[^\s:/@]*:(.+)@", arg):
            found |= {match[1], unquote(match[1])}
        for match in re.finditer(r"(?i)[?&](?:password|passwd|pwd)=([^&\s]+)", arg):
            found |= {match[1], unquote(match[1])}
    return {secret for secret in found if len(secret) >= _MIN_SECRET}


def _usage(error: BaseException) -> str | None:
    """A mistake on the command line, as typer words it (by shape: its classes moved between versions)."""
    describe = getattr(error, "format_message", None)
    return f"{str(describe()).rstrip('.')} (see --help)" if callable(describe) else None


def _known(error: BaseException) -> str | None:
    """The text of an exception whose cause lies outside this program; ``None`` for a bug."""
    error = _innermost(error)
    text: str | None = None
    if isinstance(error, ModuleNotFoundError):
        package = DRIVERS.get((error.name or "").partition(".")[0])
        text = package and f"the driver {package} is not installed; run: pip install {package}"
    elif isinstance(error, StillhereError | OSError):
        text = str(error)
    elif _comes_from(error, "sqlalchemy", "ArgumentError"):
        text = _BACKGROUND.sub("", str(error))
    elif any(_comes_from(error, module, "Error") for module in DRIVERS):
        text = _driver_text(error)
    return text


def _innermost(error: BaseException) -> BaseException:
    """The driver's exception inside SQLAlchemy's, whose own text would quote statements."""
    original = getattr(error, "orig", None)
    return _innermost(original) if isinstance(original, BaseException) else error


def _comes_from(error: BaseException, package: str, class_name: str) -> bool:
    """Whether one of the error's classes is that one of that package; nothing is imported to find out."""
    if package not in sys.modules:
        return False
    return any(
        cls.__name__ == class_name and cls.__module__.partition(".")[0] == package for cls in type(error).__mro__
    )


def _driver_text(error: BaseException) -> str:
    match error.args:
        case (int() as number, str() as text):
            return f"{text} ({number})"
        case _:
            return str(error) or type(error).__name__


def _one_line(text: str) -> str:
    return " ".join(text.split())
