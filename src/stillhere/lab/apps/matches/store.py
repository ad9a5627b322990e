"""Creating the schema and its first rows, over a connection that no fault touches."""

from __future__ import annotations

from sqlalchemy import URL, create_engine, insert, text
from sqlalchemy.pool import NullPool

from stillhere.lab.apps.matches.data import PLAYERS, SEEDED, content, player_name, seed_token
from stillhere.lab.apps.matches.models import Base, Game, LogLine, Match, Player

__all__ = ["new_match", "prepare"]


def prepare(url: URL) -> None:
    """Drop the URL's schema, create it anew and fill it with the first matches."""
    server = create_engine(url.set(database=""), poolclass=NullPool)
    name = server.dialect.identifier_preparer.quote(url.database or "")
    with server.begin() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        connection.execute(insert(Player), [{"id": one, "name": player_name(one)} for one in range(1, PLAYERS + 1)])
        for table, rows in _rows().items():
            connection.execute(insert(table), rows)


def _rows() -> dict[type[Base], list[dict[str, object]]]:
    rows: dict[type[Base], list[dict[str, object]]] = {Match: [], Game: [], LogLine: []}
    for number in range(1, SEEDED + 1):
        wanted, token = content(number), seed_token(number)
        rows[Match].append(
            {
                "id": number,
                "token": token,
                "title": wanted.title,
                "home_id": wanted.home,
                "guest_id": wanted.guest,
            }
        )
        rows[Game] += [
            {"match_id": number, "token": token, "number": game, "home_score": home, "guest_score": guest}
            for game, (home, guest) in enumerate(wanted.scores)
        ]
        rows[LogLine] += [
            {"match_id": number, "token": token, "number": line, "text": words} for line, words in enumerate(wanted.log)
        ]
    return rows


def new_match(token: str, seed: int, note: str = "") -> Match:
    """A match as ``POST /match/`` stores it: rows of three tables, each with the client's token.

    Args:
        token: made by the client, unique; it is how a check finds what was stored.
        seed: what the match contains, see `content`.
        note: takes the place of the first line of the log.
    """
    wanted = content(seed)
    words = [note, *wanted.log[1:]] if note else wanted.log
    return Match(
        token=token,
        title=wanted.title,
        home_id=wanted.home,
        guest_id=wanted.guest,
        games=[
            Game(token=token, number=number, home_score=home, guest_score=guest)
            for number, (home, guest) in enumerate(wanted.scores)
        ],
        log=[LogLine(token=token, number=number, text=line) for number, line in enumerate(words)],
    )
