"""Comments that switch findings off: ``# noqa: SH103``, ``# noqa``, and ``# stillhere: noqa`` for a whole file."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, field

__all__ = ["Suppressions", "read_suppressions"]

_IDS = r"[A-Z]+[0-9]*(?:\s*[,\s]\s*[A-Z]+[0-9]+)*"
_LINE = re.compile(rf"(?i)#\s*noqa(?!\w)(?:\s*:\s*(?P<ids>{_IDS}))?")
_FILE = re.compile(rf"(?i)#\s*stillhere\s*:\s*noqa(?!\w)(?:\s*:\s*(?P<ids>{_IDS}))?")


@dataclass(frozen=True, slots=True)
class Suppressions:
    """What a file's comments switch off.

    Attributes:
        lines: for each line, the prefixes of rules; an empty one stands for all.
        file: the same for the whole file.
    """

    lines: dict[int, tuple[str, ...]] = field(default_factory=dict)
    file: tuple[str, ...] = ()

    def covers(self, rule: str, *lines: int) -> bool:
        """Whether a rule's finding is switched off, in the file or at one of these lines."""
        return rule.startswith(self.file) or any(rule.startswith(self.lines.get(line, ())) for line in lines)


def read_suppressions(text: str) -> Suppressions:
    """The suppressions in a module's comments; texts that only look like one aren't comments."""
    if "noqa" not in text.lower():
        return Suppressions()
    lines: dict[int, tuple[str, ...]] = {}
    file: tuple[str, ...] = ()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.COMMENT:
                continue
            whole, one = _FILE.search(token.string), _LINE.search(token.string)
            if whole is not None:
                file += _ids(whole["ids"])
            elif one is not None:
                lines[token.start[0]] = _ids(one["ids"])
    except (tokenize.TokenError, SyntaxError):
        pass  # the parser was content, so what was read so far stands
    return Suppressions(lines, file)


def _ids(found: str | None) -> tuple[str, ...]:
    return ("",) if found is None else tuple(one.upper() for one in re.split(r"[,\s]+", found.strip()) if one)
