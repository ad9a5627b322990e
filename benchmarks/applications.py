"""Application code by the thousand lines, for the linter to read: the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

_NOUNS = ("order", "item", "customer", "invoice", "payment", "shipment", "refund", "voucher", "stock", "price")
_FIELDS = ("name", "state", "amount", "created", "updated", "note", "reference", "country", "currency", "weight")

_MODEL = '''
class {Noun}{number}(Base):
    """A {noun} as the shop knows it."""

    __tablename__ = "{noun}_{number}"
    id: Mapped[int] = mapped_column(primary_key=True)
    {field}: Mapped[str] = mapped_column(String(255))
    owner_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))

    def describe(self) -> str:
        parts = [part for part in (self.{field}, str(self.id)) if part]
        return " ".join(parts) or "{noun}"

    @property
    def as_json(self) -> dict[str, object]:
        return {{"id": self.id, "{field}": self.{field}, "owner": self.owner_id}}
'''
_VIEW = '''
@shop.get("/{noun}/{number}/<int:key>")
def show_{noun}_{number}(key: int) -> Response:
    """Show one."""
    with Session() as session:
        found = session.get({Noun}{number}, key)
        if found is None:
            abort(404)
        log.info("shown %s", found.describe())
        return jsonify(found.as_json)


@shop.post("/{noun}/{number}")
def create_{noun}_{number}() -> Response:
    data = request.get_json(force=True)
    try:
        with Session.begin() as session:
            made = {Noun}{number}({field}=data["{field}"], owner_id=int(data.get("owner", 0)))
            session.add(made)
            session.flush()
            answer = made.as_json
    except IntegrityError as error:
        log.warning("refused: %s", error.orig)
        return jsonify(error="refused"), 409
    return jsonify(answer), 201
'''
_SERVICE = '''
class {Noun}Service{number}:
    """Everything that is done with it."""

    def __init__(self, session: OrmSession, client: httpx.Client) -> None:
        self.session = session
        self.client = client
        self.seen: dict[int, str] = {{}}

    def totals(self, since: datetime) -> dict[str, int]:
        statement = select({Noun}{number}).where({Noun}{number}.id > 0).order_by({Noun}{number}.{field})
        sums: dict[str, int] = {{}}
        for one in self.session.scalars(statement):
            if one.{field} in self.seen.values():
                continue
            sums[one.{field}] = sums.get(one.{field}, 0) + one.id
        return {{key: value for key, value in sums.items() if value > since.year}}

    def notify(self, key: int) -> bool:
        found = self.session.get({Noun}{number}, key)
        self.session.commit()
        answer = self.client.post("/hooks/{noun}", json={{"id": key}})
        self.seen[key] = found.{field} if found is not None else ""
        return answer.is_success
'''
_PLAIN = '''
def parse_{noun}_{number}(text: str, *, strict: bool = False) -> list[tuple[str, int]]:
    """Read lines of a name and a number."""
    rows = []
    for place, line in enumerate(text.splitlines(), 1):
        name, found, rest = line.partition(":")
        if not found:
            if strict:
                raise ValueError(f"line {{place}}: no colon in {{line!r}}")
            continue
        try:
            rows.append((name.strip().lower(), int(rest)))
        except ValueError:
            rows.append((name.strip().lower(), {number}))
    return sorted(rows, key=lambda row: (row[1], row[0]))
'''
_TASK = '''
@app.task(bind=True, max_retries=3)
def clean_{noun}_{number}(self, days: int = {number}) -> int:
    """Delete what is old."""
    cursor = None
    with engine.begin() as connection:
        statement = text("DELETE FROM {noun}_{number} WHERE created < NOW() - INTERVAL :d DAY")
        result = connection.execute(statement, {{"d": days}})
        cursor = result.rowcount
    log.info("%s rows of {noun}", cursor)
    return cursor
'''
_HEADS = {
    "models": """
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from {package}.base import Base
""",
    "views": """
import logging

from flask import Blueprint, Response, abort, jsonify, request
from sqlalchemy.exc import IntegrityError

from {package}.base import Session
from {package}.models import *

log = logging.getLogger(__name__)
shop = Blueprint("{package}", __name__)
""",
    "services": """
from datetime import datetime

import httpx
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as OrmSession

from {package}.models import *
""",
    "tasks": """
import logging

from celery import Celery
from sqlalchemy import text

from {package}.base import engine

log = logging.getLogger(__name__)
app = Celery("{package}")
""",
    "parsing": """
from __future__ import annotations
""",
}
_MISTAKE = """
def retry_{noun}_{number}(session: OrmSession, key: int) -> None:
    for _ in range(3):
        try:
            session.get({Noun}{number}, key).{field} = "again"
            session.commit()
            break
        except OperationalError:
            log.warning("again: %s", key)
"""
_BODIES = {"models": _MODEL, "views": _VIEW, "services": _SERVICE, "tasks": _TASK, "parsing": _PLAIN}
_BASE = """from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, sessionmaker

OPTIONS = {"pool_size": 10, "pool_recycle": 280}
engine = create_engine("mysql+pymysql://app@db.example/shop", **OPTIONS)
Session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass
"""


def write(folder: Path, lines: int, seed: int, told: Callable[[int], None] = lambda _: None) -> tuple[int, int]:
    """Write packages of application code until there are so many lines; the number of files and of lines.

    Args:
        folder: an empty one.
        lines: how many at the least.
        seed: of everything that is drawn.
        told: called with the lines so far.
    """
    draw = random.Random(seed)  # noqa: S311 - nobody's secret
    files = written = 0
    while written < lines:
        package = folder / f"part{files}"
        package.mkdir()
        texts = {"__init__": "", "base": _BASE}
        texts |= {kind: _module(draw, kind, package.name) for kind in _BODIES}
        for name, text in texts.items():
            (package / f"{name}.py").write_text(text, encoding="utf-8")
            written += text.count("\n")
            files += 1
        told(written)
    return files, written


def _module(draw: random.Random, kind: str, package: str) -> str:
    parts = [_HEADS[kind].format(package=package)]
    for number in range(draw.randint(8, 30)):
        noun, field = draw.choice(_NOUNS), draw.choice(_FIELDS)
        parts.append(_BODIES[kind].format(noun=noun, Noun=noun.title(), number=number, field=field))
        if kind == "services" and number == 0:
            parts.append(_MISTAKE.format(noun=noun, Noun=noun.title(), number=number, field=field))
    return "\n".join(parts)
