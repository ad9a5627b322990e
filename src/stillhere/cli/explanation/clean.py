"""The one place that every text of an answer goes through before anybody sees it."""

from __future__ import annotations

import re
from typing import Any

from stillhere.masking import mask_sql, mask_urls

__all__ = ["clean", "cleaned"]

# A log may hold what commands a terminal; a report must not. Line ends and tabs stay, in code they mean something.
# Directional overrides can make a line read as what it is not.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with passwords masked and control characters made visible."""
    return mask_urls(mask_sql(_CONTROL.sub(_visible, text)))


def cleaned(value: Any) -> Any:
    """The same for every text in a structure of dictionaries and lists."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(name): cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(inner) for inner in value]
    return value


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - one byte
