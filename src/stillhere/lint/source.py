"""One file's text: decoded as Python would, its places counted in characters, its bytes kept for writing back."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from dataclasses import dataclass
from functools import cached_property

__all__ = ["MAX_BYTES", "Source", "Unreadable", "decode", "parse"]

MAX_BYTES = 5_000_000
"""A larger file isn't parsed: no person wrote it, and its syntax tree takes a gigabyte."""

_BOM = b"\xef\xbb\xbf"
_TWO_LINES = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)[^\r\n]*(?:\r\n|\r|\n|\Z)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class Unreadable(Exception):
    """A file that can't be checked.

    Attributes:
        line: where, from 1.
        column: where, from 1.
    """

    def __init__(self, text: str, line: int = 1, column: int = 1) -> None:
        super().__init__(text)
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Source:
    """A file as text.

    Attributes:
        path: as it is shown.
        text: without a byte order mark, with the line ends that it has.
        encoding: by which it was decoded, and is encoded again.
        bom: whether it began with a byte order mark.
    """

    path: str
    text: str
    encoding: str = "utf-8"
    bom: bool = False

    @cached_property
    def starts(self) -> list[int]:
        """The offset of each line's first character. Lines end as the parser sees it: at CR, LF or both."""
        return [0, *(match.end() for match in _LINE.finditer(self.text) if match.end() > match.start())]

    def offset(self, line: int, byte_column: int) -> int:
        """The character at a place as `ast` names it: lines from 1, columns from 0 in UTF-8 bytes."""
        start = self.starts[line - 1]
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return start + len(
            self.text[start:end].encode("utf-8", "surrogatepass")[:byte_column].decode("utf-8", "ignore")
        )

    def column(self, line: int, byte_column: int) -> int:
        """The column from 1, in characters."""
        return self.offset(line, byte_column) - self.starts[line - 1] + 1

    def segment(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """Where a node begins and ends, as offsets."""
        return (
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        )

    def encoded(self, text: str) -> bytes:
        """Another text as the bytes of this file."""
        return (_BOM if self.bom else b"") + text.encode(self.encoding)


def decode(path: str, raw: bytes) -> Source:
    """The text of a file's bytes.

    Raises:
        Unreadable: they are not in the encoding that they declare.
    """
    bom = raw.startswith(_BOM)
    body = raw[len(_BOM) :] if bom else raw
    try:
        encoding = "utf-8" if bom else tokenize.detect_encoding(io.BytesIO(_head(body)).readline)[0]
        return Source(path, body.decode(encoding), encoding, bom)
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise Unreadable(f"not in its encoding ({error.encoding}): byte 0x{body[error.start]:02x}", line) from error
    except (SyntaxError, LookupError) as error:
        raise Unreadable(str(error)) from error


def _head(raw: bytes) -> bytes:
    """The first two lines, where a cookie may stand, however they end."""
    found = _TWO_LINES.match(raw)
    return found[0].replace(b"\r\n", b"\n").replace(b"\r", b"\n") if found else b""


def parse(source: Source) -> ast.Module:
    """The syntax tree.

    Raises:
        Unreadable: it has a syntax error, a null byte, or more depth than the parser takes.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful escape in somebody's string is not our subject
            return ast.parse(source.text)
    except SyntaxError as error:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        line = min(max(error.lineno or 1, 1), len(source.starts))
        raise Unreadable(f"syntax error for Python {version}: {error.msg}", line, max(error.offset or 1, 1)) from error
    except ValueError as error:
        at = max(source.text.find("\0"), 0)
        raise Unreadable(str(error), source.text.count("\n", 0, at) + 1) from error
    except (RecursionError, MemoryError) as error:
        raise Unreadable("nested too deeply for Python's parser") from error
