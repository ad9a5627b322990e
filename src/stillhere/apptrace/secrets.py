"""Passwords out of what a traceback shows: statements, URLs, and variables whose names say that they are secret."""

from __future__ import annotations

import re

from stillhere.masking import MASK, mask_sql, mask_urls

__all__ = ["masked", "masked_line"]

_NAME = (
    r"\w{0,40}(?:passw(?:or)?d|passphrase|pwd|secret|token|authorization|api_?key|private_?key|credential|cookie"
    r"|session_?id)\w{0,40}"
)
_VALUE = r"(?:[bru]{0,2}\"(?:[^\"\\]|\\.)*+(?:\"|\Z)|[bru]{0,2}'(?:[^'\\]|\\.)*+(?:'|\Z)|[^\s,;)\]}'\"]{1,4000})"
_PAIR = re.compile(
    rf"(?P<head>(?<!\w)['\"]?{_NAME}['\"]?\s{{0,3}}(?:=(?!=)|:(?!=|:))\s{{0,3}})"
    rf"(?:(?:Basic|Bearer|Digest)\s{{1,3}})?(?P<value>{_VALUE})",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(r"(?i)\b(Basic|Bearer|Digest) [A-Za-z0-9+/=._~-]{8,4000}")


def masked(text: str) -> str:
    """The text with every password in it replaced by ``***``."""
    if not text:
        return text
    # Variables first: read as SQL, the quotes around their names would be taken for those of values.
    return mask_sql(mask_urls(_HEADER.sub(rf"\1 {MASK}", _PAIR.sub(_mask_pair, text))))


def masked_line(text: str, most: int) -> str:
    """The same on one line, cut to so many characters."""
    flat = " ".join(masked(text).split())
    return flat if len(flat) <= most else flat[: most - 2] + " …"


def _mask_pair(found: re.Match[str]) -> str:
    value = found["value"]
    if value.strip("bruBRU'\"") in ("", MASK, "None", "%s", "?", "YES", "NO") or value.startswith(("%(", ":", "***")):
        return found[0]
    quote = value[-1] if value[-1] in "'\"" else ""
    return f"{found['head']}{quote}{MASK}{quote}"
