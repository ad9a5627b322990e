"""What a match contains: a function of its number, so that every page can be checked to the letter.

Pure, and without SQLAlchemy: the drill's clients use it to tell a right page from a wrong one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["GAMES", "LINES", "PLAYERS", "SEEDED", "Content", "content", "page", "player_name", "seed_token"]

SEEDED = 60
"""Matches 1 to this number are there from the start and never change."""

PLAYERS = 24
GAMES = 3
LINES = 3


class Content(NamedTuple):
    """What a match consists of.

    Attributes:
        title: its title.
        home: number of the first player.
        guest: number of the second player.
        scores: of each game, (home, guest).
        log: the lines of its log.
    """

    title: str
    home: int
    guest: int
    scores: tuple[tuple[int, int], ...]
    log: tuple[str, ...]


def content(seed: int) -> Content:
    """The content that belongs to a number."""
    home = seed % PLAYERS + 1
    guest = (seed * 7 + 5) % PLAYERS + 1
    if guest == home:
        guest = guest % PLAYERS + 1
    scores = tuple(((seed * 3 + game) % 11, (seed * 5 + game * 2) % 11) for game in range(GAMES))
    log = tuple(f"{line + 1}. minute {(seed * 13 + line * 17) % 90}: a goal" for line in range(LINES))
    return Content(f"Match {seed}", home, guest, scores, log)


def page(number: int) -> dict[str, Any]:
    """What ``GET /match/<number>/`` answers for one of the first `SEEDED` matches."""
    wanted = content(number)
    return {
        "id": number,
        "title": wanted.title,
        "players": [player_name(wanted.home), player_name(wanted.guest)],
        "games": [list(score) for score in wanted.scores],
        "log": list(wanted.log),
    }


def player_name(number: int) -> str:
    """The name of a player."""
    return f"Player {number}"


def seed_token(number: int) -> str:
    """The token of one of the first matches."""
    return f"seed-{number}"
