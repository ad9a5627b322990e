"""The tables: a match, who plays it, its games and its log."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import String

__all__ = ["Base", "Game", "LogLine", "Match", "Player"]

_INNODB = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mariadb_engine": "InnoDB"}


class Base(DeclarativeBase):
    """The metadata of all tables."""


class Player(Base):
    """Somebody who plays."""

    __tablename__ = "players"
    __table_args__ = _INNODB

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class Match(Base):
    """Two players and several games. Its token, like that of its games and lines, names who asked for it."""

    __tablename__ = "matches"
    __table_args__ = _INNODB

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(80), index=True)
    title: Mapped[str] = mapped_column(String(120))
    home_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
    guest_id: Mapped[int] = mapped_column(ForeignKey("players.id"))

    home: Mapped[Player] = relationship(foreign_keys=home_id)
    guest: Mapped[Player] = relationship(foreign_keys=guest_id)
    games: Mapped[list[Game]] = relationship(order_by="Game.number")
    log: Mapped[list[LogLine]] = relationship(order_by="LogLine.number")


class Game(Base):
    """One game of a match."""

    __tablename__ = "games"
    __table_args__ = _INNODB

    id: Mapped[int] = mapped_column(primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"))
    token: Mapped[str] = mapped_column(String(80), index=True)
    number: Mapped[int]
    home_score: Mapped[int]
    guest_score: Mapped[int]


class LogLine(Base):
    """One line of a match's log."""

    __tablename__ = "log_lines"
    __table_args__ = _INNODB

    id: Mapped[int] = mapped_column(primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"))
    token: Mapped[str] = mapped_column(String(80), index=True)
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text().with_variant(LONGTEXT, "mysql", "mariadb"))
