"""``max_allowed_packet``: the largest single packet. Small ones don't add up to it.

Raised where packets were refused, or the user says that larger ones are sent: to what he says, else to the family's
default, else to twice the present value, since the server doesn't say how large the refused ones were.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence
from stillhere.tune.change import Answer, Gap, change, note, shown, size
from stillhere.tune.knobs import KNOBS
from stillhere.tune.measured import MIB, Cut, Measured, session_memory

__all__ = ["judge"]

_NAME = "max_allowed_packet"
_MOST = 1024 * MIB  # the protocol's own limit
_OVERHEAD = 64 * 1024  # command byte, packet headers, escapes that the caller did not count


def judge(measured: Measured) -> Iterator[Answer]:
    """Whether packets were refused that should pass."""
    now = measured.value(_NAME)
    if now is None:
        return
    need = measured.needs.packet
    told_more = need is not None and now < min(_MOST, need + _OVERHEAD)
    if Cut.PACKET not in measured.cuts and not told_more:
        reason = measured.gaps.get("cuts", "nobody counted refused packets")
        yield Gap(name=_NAME, reason=f"{reason}; give its error log with --log, or the largest statement with --packet")
        return
    if not measured.happened(Cut.PACKET, _NAME) and not told_more:
        return
    value = _value(measured, now, need)
    if value <= now:
        yield _split(measured, now, need)
        return
    told = (Evidence(f"statements of up to {size(need)} are sent", "--packet"),) if need is not None else ()
    memory = session_memory(measured.snapshot)
    yield change(
        measured,
        _NAME,
        value,
        message=f"statements larger than {shown(_NAME, now)} are sent, and refused",
        why="The server answers 1153 and closes the connection; many clients see 2006 or 2013 instead.",
        evidence=(*measured.evidence(Cut.PACKET, _NAME), *told),
        cost=(
            f"A session that sends one needs a buffer of that size, up to {size(memory.largest - now + value)} in all,"
            " until it ends. Clients have a limit of their own."
        ),
        advice="" if told else "How large they were is not counted; --packet says what is needed.",
    )


def _value(measured: Measured, now: int, need: int | None) -> int:
    if need is not None:
        return min(_MOST, -(-(need + _OVERHEAD) // MIB) * MIB)
    default = KNOBS.get(_NAME).default(measured.snapshot.version) or 0
    return min(_MOST, default if now < default else -(-2 * now // 1024) * 1024)


def _split(measured: Measured, now: int, need: int | None) -> Answer:
    reason = "no server takes more" if need is None else f"{size(need)} fit into it"
    return note(
        measured,
        _NAME,
        message=f"statements are refused for being larger than {shown(_NAME, now)}, and {reason}",
        why="Something else sends them: the accounts are in the evidence.",
        evidence=(*measured.evidence(Cut.PACKET, _NAME), measured.setting(_NAME)),
        remedy="Send the data in parts: fewer rows to a statement, large values in chunks.",
    )
