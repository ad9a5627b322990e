"""The application: its pages, and a session for each request."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, Response, abort, g, jsonify, request
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from stillhere.lab.apps.matches.models import Game, Match
from stillhere.lab.apps.matches.problems import answer
from stillhere.lab.apps.matches.retry import retry
from stillhere.lab.apps.matches.store import new_match

__all__ = ["Database", "create_app"]

View = TypeVar("View", bound=Callable[..., Any])
_SERVICE_PATIENCE = 60.0


class Database:
    """The engine in use, which may be exchanged, and the session of the current request.

    A request keeps the engine that it began with.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def session(self) -> Session:
        """This request's session."""
        if "session" not in g:
            g.session = Session(self.of_request)
        return cast("Session", g.session)

    def rollback(self) -> None:
        """Roll this request's session back."""
        self.session.rollback()

    @property
    def of_request(self) -> Engine:
        """This request's engine."""
        if "engine" not in g:
            g.engine = self.engine
        return cast("Engine", g.engine)


def create_app(database: Database, *, service: str = "", insist: bool = False, last_mark: str = "") -> Flask:
    """The WSGI application.

    Args:
        database: where its matches are.
        service: URL of the slow external service that a rematch asks.
        insist: put the pasted retry decorator around every view.
        last_mark: a comment at the end of the last statement of ``/match/<id>/score/``.
    """
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_error_handler(Exception, answer)
    app.teardown_request(_close_session)
    around = retry(database.rollback) if insist else _as_it_is

    @app.get("/match/<int:number>/")
    @around
    def show(number: int) -> Response:
        match = database.session.get(Match, number) or abort(404)
        return jsonify(
            id=match.id,
            title=match.title,
            players=[match.home.name, match.guest.name],
            games=[[game.home_score, game.guest_score] for game in match.games],
            log=[line.text for line in match.log],
        )

    @app.post("/match/")
    @around
    def add() -> tuple[Response, int]:
        wanted = request.get_json()
        session = database.session
        match = new_match(wanted["token"], int(wanted["seed"]), wanted.get("note", ""))
        session.add(match)
        session.commit()
        return jsonify(token=wanted["token"]), 201

    @app.post("/match/<int:number>/rematch/")
    @around
    def rematch(number: int) -> tuple[Response, int]:
        wanted = request.get_json()
        session = database.session
        match = session.get(Match, number) or abort(404)
        _ask_service(service)
        session.add(new_match(wanted["token"], match.id))
        session.commit()
        return jsonify(token=wanted["token"]), 201

    @app.get("/match/<int:number>/score/")
    @around
    def score(number: int) -> Response:
        engine = database.of_request
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            title = connection.scalar(select(Match.title).where(Match.id == number))
            total = select(func.sum(Game.home_score), func.sum(Game.guest_score)).where(Game.match_id == number)
            home, guest = connection.execute(total.suffix_with(text(last_mark) if last_mark else "")).one()
        return jsonify(title=title, score=[int(home), int(guest)])

    return app


def _as_it_is(view: View) -> View:
    return view


def _close_session(_error: BaseException | None) -> None:
    if "session" in g:
        g.pop("session").close()


def _ask_service(url: str) -> None:
    """Wait for the slow external service, in the middle of the request, as applications do."""
    with urllib.request.urlopen(url, timeout=_SERVICE_PATIENCE) as reply:  # noqa: S310 - the operator's own URL
        reply.read()
