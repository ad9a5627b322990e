"""Flask: the session always comes back, and an absent database is a 503."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

pytest.importorskip("flask")

from flask import Flask, Response, g, stream_with_context
from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import InvalidRequestError, OperationalError

from stillhere import errors
from stillhere.integrations.flask import Stillhere


class Driver(sqlite3.Connection):
    """A connection whose ROLLBACK can be made to fail, as on a lost one."""

    lost = False

    def rollback(self) -> None:
        if type(self).lost:
            raise sqlite3.OperationalError("gone away")
        super().rollback()


@pytest.fixture
def engine(monkeypatch):
    monkeypatch.setattr(Driver, "lost", False)
    made = create_engine(
        "sqlite://",
        poolclass=pool.QueuePool,
        pool_size=2,
        max_overflow=0,
        connect_args={"factory": Driver, "check_same_thread": False},
    )
    yield made
    Driver.lost = False
    made.dispose()


@pytest.fixture
def app():
    return Flask("shop")


@pytest.fixture
def database(app, engine):
    return Stillhere(app, engine=engine)


def read(database: Stillhere) -> int:
    return int(database.session.execute(text("SELECT 1")).scalar_one())


# The life of a session


def test_a_request_has_one_session_and_gives_its_connection_back(app, database, engine):
    seen = []

    @app.get("/")
    def view() -> str:
        seen.extend([database.session, database.session])
        read(database)
        assert engine.pool.checkedout() == 1
        return "ok"

    assert app.test_client().get("/").text == "ok"
    assert seen[0] is seen[1]
    assert engine.pool.checkedout() == 0


def test_nothing_is_committed_by_itself_and_what_was_committed_stays(app, database):
    @app.get("/")
    def view() -> str:
        session = database.session
        session.execute(text("CREATE TABLE IF NOT EXISTS note (t TEXT)"))
        session.execute(text("INSERT INTO note VALUES ('kept')"))
        session.commit()
        session.execute(text("INSERT INTO note VALUES ('forgotten')"))
        return "ok"

    app.test_client().get("/")
    with app.app_context():
        assert database.session.execute(text("SELECT t FROM note")).scalars().all() == ["kept"]


def test_the_session_is_closed_when_the_view_raises(app, database, engine):
    @app.get("/")
    def view() -> str:
        read(database)
        raise KeyError("bug")

    assert app.test_client().get("/").status_code == 500
    assert engine.pool.checkedout() == 0


def test_the_session_is_closed_when_before_request_raises(app, database, engine):
    @app.before_request
    def admit() -> None:
        read(database)
        raise KeyError("bug")

    assert app.test_client().get("/").status_code == 500
    assert engine.pool.checkedout() == 0


def test_the_session_is_closed_when_after_request_raises(app, database, engine):
    @app.after_request
    def stamp(_response: Response) -> Response:
        read(database)
        raise KeyError("bug")

    assert app.test_client().get("/").status_code == 500
    assert engine.pool.checkedout() == 0


def test_the_session_is_closed_when_another_teardown_raises_before_ours_runs(app, database, engine):
    @app.teardown_request
    def tidy(_error: BaseException | None) -> None:
        raise KeyError("bug")

    @app.get("/")
    def view() -> str:
        return str(read(database))

    with pytest.raises(KeyError):
        app.test_client().get("/")
    assert engine.pool.checkedout() == 0


def test_a_session_first_used_in_a_teardown_is_closed_too(app, engine):
    database = Stillhere()

    @app.teardown_request  # registered before the extension, so that it runs after the extension's own
    def tidy(_error: BaseException | None) -> None:
        read(database)

    database.__init__(app, engine=engine)
    app.test_client().get("/")
    assert engine.pool.checkedout() == 0


def stream(app: Flask, database: Stillhere) -> None:
    @app.get("/stream")
    def view() -> Response:
        def rows() -> Iterator[str]:
            while True:
                yield f"{read(database)}\n"

        return Response(stream_with_context(rows()))


def test_a_streamed_response_keeps_its_session_until_the_client_goes_away(app, database, engine):
    stream(app, database)
    response = app.test_client().get("/stream")
    chunks = response.iter_encoded()
    assert [next(chunks), next(chunks)] == [b"1\n", b"1\n"]
    assert engine.pool.checkedout() == 1
    response.close()
    assert engine.pool.checkedout() == 0


def test_a_streamed_response_that_is_never_read_gives_its_session_back(app, database, engine):
    stream(app, database)
    app.test_client().get("/stream").close()
    assert engine.pool.checkedout() == 0


def test_the_session_is_closed_when_the_stream_raises(app, database, engine):
    @app.get("/")
    def view() -> Response:
        def rows() -> Iterator[str]:
            yield f"{read(database)}\n"
            raise KeyError("bug")

        return Response(stream_with_context(rows()))

    response = app.test_client().get("/")
    with pytest.raises(KeyError):
        list(response.iter_encoded())
    response.close()
    assert engine.pool.checkedout() == 0


def test_a_session_carried_out_of_its_request_refuses_to_take_a_connection(app, database, engine):
    carried = []

    @app.get("/")
    def view() -> str:
        carried.append(database.session)
        return "ok"

    app.test_client().get("/")
    with pytest.raises(InvalidRequestError, match="permanently closed"):
        carried[0].execute(text("SELECT 1"))
    assert engine.pool.checkedout() == 0


@pytest.mark.parametrize("inside_a_context", [False, True])
def test_two_requests_never_share_a_session(app, database, inside_a_context):
    seen = []

    @app.get("/")
    def view() -> str:
        seen.append(database.session)
        return "ok"

    if inside_a_context:
        with app.app_context():
            outer = database.session
            app.test_client().get("/")
            app.test_client().get("/")
            assert database.session is outer
            assert read(database) == 1
            seen.append(outer)
    else:
        app.test_client().get("/")
        app.test_client().get("/")
    assert len({id(session) for session in seen}) == len(seen)


def test_a_request_inside_an_outer_context_gives_its_connection_back_when_the_request_ends(app, database, engine):
    @app.get("/")
    def view() -> str:
        return str(read(database))

    with app.app_context():
        app.test_client().get("/")
        assert engine.pool.checkedout() == 0


def test_nested_application_contexts_have_a_session_each(app, database, engine):
    with app.app_context():
        outer = database.session
        read(database)
        with app.app_context():
            assert database.session is not outer
            read(database)
            assert engine.pool.checkedout() == 2
        assert engine.pool.checkedout() == 1
        assert database.session is outer
    assert engine.pool.checkedout() == 0


def test_a_context_opened_inside_a_request_has_its_own_session(app, database, engine):
    @app.get("/")
    def view() -> str:
        outer = database.session
        read(database)
        with app.app_context():
            assert database.session is not outer
            read(database)
        assert engine.pool.checkedout() == 1
        assert database.session is outer
        return "ok"

    assert app.test_client().get("/").status_code == 200
    assert engine.pool.checkedout() == 0


def test_a_connection_lost_before_the_session_closes_costs_no_place_in_the_pool(app, database, engine, caplog):
    @app.get("/")
    def view() -> str:
        read(database)
        Driver.lost = True
        return "ok"

    for _ in range(3):  # more often than the pool has places
        Driver.lost = False
        assert app.test_client().get("/").text == "ok"
        assert engine.pool.checkedout() == 0
    assert "closing the request's database session failed" in caplog.text


# Attaching


def test_an_application_factory_attaches_later(app, engine):
    database = Stillhere(engine=engine)
    database.init_app(app)
    with app.app_context():
        assert read(database) == 1
    assert engine.pool.checkedout() == 0


def test_one_extension_serves_several_applications(engine):
    database = Stillhere(engine=engine)
    for name in ("shop", "office"):
        app = Flask(name)
        database.init_app(app)
        with app.app_context():
            assert read(database) == 1
    assert engine.pool.checkedout() == 0


def test_attaching_twice_is_refused(app, database):
    with pytest.raises(errors.ConfigurationError, match="already attached"):
        database.init_app(app)


def test_without_an_engine_there_is_no_session_and_the_error_says_what_to_pass(app):
    with app.app_context(), pytest.raises(errors.ConfigurationError, match="engine="):
        _ = Stillhere(app).session


def test_an_application_that_never_uses_the_session_pays_nothing(app, database, engine):
    @app.get("/")
    def view() -> str:
        return str("_stillhere_held" in g)

    assert app.test_client().get("/").text == "False"
    assert engine.pool.checkedin() == 0


# Answers


def unavailable(retry_after: float = 2.5) -> errors.ServerUnavailable:
    dbapi = type("dbapi", (), {"OperationalError": sqlite3.OperationalError})
    error = errors.for_driver(errors.ServerUnavailable, dbapi)("no answer from alice@db.internal within 10.0 s")
    error.retry_after = retry_after
    return error


def wrapped(error: Exception) -> OperationalError:
    return OperationalError("SELECT salary FROM staff", {}, error)


@pytest.fixture(params=["bare", "wrapped"])
def failing(request, app):
    """A client of an application whose only view raises what the test says, bare or inside SQLAlchemy's."""
    Stillhere(app)

    def client(error: Exception):
        @app.get("/")
        def view() -> str:
            raise wrapped(error) if request.param == "wrapped" else error

        return app.test_client()

    return client


@pytest.mark.parametrize(("retry_after", "header"), [(0.05, "1"), (1.0, "1"), (2.5, "3")])
def test_an_unreachable_server_is_503_with_whole_seconds_to_wait(failing, retry_after, header):
    response = failing(unavailable(retry_after)).get("/")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == header
    assert response.mimetype == "text/plain"
    assert response.text == f"The database can't be reached at the moment. Try again in {header} s.\n"


def test_the_503_is_json_for_those_who_want_json(failing):
    response = failing(unavailable()).get("/", headers={"Accept": "application/json"})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "3"
    assert response.json["error"] == "database_unavailable"
    assert response.json["retry_after"] == 3


@pytest.mark.parametrize("accept", ["application/json", "text/html,*/*;q=0.8"])
def test_the_answer_names_no_account_host_or_statement_and_the_log_has_the_reason(failing, accept, caplog):
    response = failing(unavailable()).get("/", headers={"Accept": accept})
    for secret in ("alice", "db.internal", "salary"):
        assert secret not in response.text
    assert "503: no answer from alice@db.internal" in caplog.text


def test_a_statement_too_large_is_413(failing):
    response = failing(errors.PacketTooLarge("70 MB")).get("/", headers={"Accept": "application/json"})
    assert response.status_code == 413
    assert response.json["error"] == "packet_too_large"
    assert "Retry-After" not in response.headers


def test_flask_sqlalchemys_own_session_gets_the_same_answer(app):
    flask_sqlalchemy = pytest.importorskip("flask_sqlalchemy")
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    db = flask_sqlalchemy.SQLAlchemy(app)
    Stillhere(app)

    class Away(sqlite3.Cursor):
        def execute(self, *_args: object) -> None:
            raise unavailable()

    @app.get("/")
    def view() -> str:
        raw = db.session.connection().connection.dbapi_connection
        db.session.connection().connection.cursor = lambda: raw.cursor(Away)
        return str(db.session.scalar(text("SELECT 1")))

    response = app.test_client().get("/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "3")


def test_an_error_in_before_request_is_answered_as_well(app):
    Stillhere(app)

    @app.before_request
    def admit() -> None:
        raise wrapped(unavailable())

    assert app.test_client().get("/").status_code == 503


def test_other_database_errors_still_reach_the_applications_own_handlers(app):
    Stillhere(app)

    @app.get("/")
    def view() -> str:
        raise wrapped(sqlite3.OperationalError("no such table"))

    assert app.test_client().get("/").status_code == 500

    fresh = Flask("office")
    Stillhere(fresh)
    fresh.get("/")(view)
    fresh.errorhandler(Exception)(lambda error: (type(error).__name__, 418))
    response = fresh.test_client().get("/")
    assert (response.status_code, response.text) == (418, "OperationalError")


def test_the_applications_own_page_for_503_is_used(failing, app):
    app.errorhandler(503)(lambda error: (f"closed for {error.retry_after} s", 503))
    assert failing(unavailable()).get("/").text == "closed for 3 s"
