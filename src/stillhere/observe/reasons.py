"""Why a look at the database failed, in words that may be shown to anybody who can reach the port."""

from __future__ import annotations

from stillhere.errors import CallError

__all__ = ["reason_of"]


def reason_of(error: BaseException) -> str:
    """One sentence without the driver's own text, which names accounts and hosts."""
    inner = getattr(error, "orig", None)
    if isinstance(inner, BaseException):
        return reason_of(inner)
    if isinstance(error, CallError):
        return f"{type(error).__name__}: {error}"
    code = error.args[0] if error.args else None
    number = f" {code}" if isinstance(code, int) and code else ""
    return f"asking the database ended in {type(error).__name__}{number}"
