"""What clients ask for, and how an answer is judged. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from stillhere.lab.apps.matches.data import SEEDED, content, page
from stillhere.lab.faults.base import Traffic

__all__ = ["Ask", "Kind", "Outcome", "Shot", "ask", "judge", "kind_of", "unanswered"]

_OK, _CREATED, _TOO_LARGE, _UNAVAILABLE = 200, 201, 413, 503


class Kind(Enum):
    """What a request is for."""

    READ = "a match's page"
    WRITE = "a new match, rows of three tables"
    REMATCH = "a new match, after a call of the slow service"
    LARGE = "a new match with a log line over max_allowed_packet"
    SCORE = "a score, read with AUTOCOMMIT"


class Outcome(Enum):
    """How a request ended, for its client."""

    GOOD = "good"
    ERROR = "error"
    UNAVAILABLE = "unavailable"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to send.

    Attributes:
        kind: what for.
        number: the match.
        token: stored with every row that it writes; empty for what writes nothing.
        method: of HTTP.
        path: of the URL.
        body: of the request.
    """

    kind: Kind
    number: int
    token: str
    method: str
    path: str
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """A request that ended.

    Attributes:
        kind: what it was for.
        begun: when it was sent, on the monotonic clock.
        ended: when its answer was there, or was given up.
        outcome: how it ended.
        token: what it would have stored.
        acknowledged: whether the client was told that it is stored.
        error: class of the exception that the application reported, or what the client saw.
        named: whether that exception is one of stillhere's or carries its note.
        raw: whether it is the driver's bare word that a connection is lost.
        says: the exception's message.
        refused: whether it was rightly told that it is too large (413).
        client: whose it was.
    """

    kind: Kind
    begun: float
    ended: float
    outcome: Outcome
    token: str = ""
    acknowledged: bool = False
    error: str = ""
    named: bool = False
    raw: bool = False
    says: str = ""
    refused: bool = False
    client: int = 0


def kind_of(traffic: Traffic, client: int, turn: int) -> Kind:
    """What a client asks for in its n-th turn."""
    mixed = Kind.WRITE if (client + turn) % 2 else Kind.READ
    match traffic:
        case Traffic.SLOW_CALL:
            return mixed if client % 4 == 3 else Kind.REMATCH  # noqa: PLR2004 - every fourth client
        case Traffic.LARGE:
            return Kind.LARGE if (client + turn) % 6 == 5 else mixed  # noqa: PLR2004 - every sixth request
        case Traffic.ISOLATION:
            return Kind.WRITE if (client + turn) % 4 == 3 else Kind.SCORE  # noqa: PLR2004 - every fourth
        case _:
            return mixed


def ask(kind: Kind, number: int, token: str, large: int = 0) -> Ask:
    """The request for that kind.

    Args:
        kind: what for.
        number: any number; it chooses the match.
        token: unique; not used by what writes nothing.
        large: length of the log line of `Kind.LARGE`.
    """
    number = number % SEEDED + 1
    wish: dict[str, Any] = {"token": token, "seed": number}
    match kind:
        case Kind.READ:
            return Ask(kind, number, "", "GET", f"/match/{number}/")
        case Kind.SCORE:
            return Ask(kind, number, "", "GET", f"/match/{number}/score/")
        case Kind.REMATCH:
            return Ask(kind, number, token, "POST", f"/match/{number}/rematch/", _body(wish))
        case Kind.LARGE:
            return Ask(kind, number, token, "POST", "/match/", _body(wish | {"note": "x" * large}))
        case Kind.WRITE:
            return Ask(kind, number, token, "POST", "/match/", _body(wish))


def judge(sent: Ask, begun: float, ended: float, status: int, headers: Mapping[str, str], body: bytes) -> Shot:
    """How a request ended that was answered.

    Args:
        sent: the request.
        begun: when it was sent.
        ended: when its answer was there.
        status: of HTTP.
        headers: of the answer, names in lower case.
        body: of the answer.
    """
    told = _told(body)
    acknowledged = refused = False
    if status in {_OK, _CREATED}:
        right = told == _wanted(sent)
        acknowledged = right and bool(sent.token)
        outcome = Outcome.GOOD if right else Outcome.WRONG
    elif status == _TOO_LARGE and sent.kind is Kind.LARGE:
        outcome = Outcome.GOOD
        refused = True
    elif status == _UNAVAILABLE and "retry-after" in headers:
        outcome = Outcome.UNAVAILABLE
    else:
        outcome = Outcome.ERROR
    return Shot(
        kind=sent.kind,
        begun=begun,
        ended=ended,
        outcome=outcome,
        token=sent.token,
        acknowledged=acknowledged,
        error=_error(told, outcome, status),
        named=told.get("named") is True,
        raw=told.get("raw") is True,
        says=str(told.get("message", "")),
        refused=refused,
    )


def _error(told: Mapping[str, Any], outcome: Outcome, status: int) -> str:
    return "" if outcome is Outcome.GOOD else str(told.get("error", f"HTTP {status}"))


def unanswered(sent: Ask, begun: float, ended: float, why: str) -> Shot:
    """A request that got no answer."""
    return Shot(sent.kind, begun, ended, Outcome.ERROR, token=sent.token, error=why)


def _wanted(sent: Ask) -> dict[str, Any]:
    match sent.kind:
        case Kind.READ:
            return page(sent.number)
        case Kind.SCORE:
            right = content(sent.number)
            score = [sum(home for home, _ in right.scores), sum(guest for _, guest in right.scores)]
            return {"title": right.title, "score": score}
        case _:
            return {"token": sent.token}


def _body(wish: dict[str, Any]) -> bytes:
    return json.dumps(wish).encode()


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
