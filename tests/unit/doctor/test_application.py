"""An application's engines are read as they are: by name, without connecting, through whatever wraps them."""

from __future__ import annotations

import sys
import textwrap

import pytest
from sqlalchemy import create_engine, pool

from stillhere.doctor.application import engines_of, facts_of
from stillhere.doctor.target import targets_of
from stillhere.errors import ConfigurationError

URL = "mysql+pymysql://alice:hunter22@db.example/shop"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module of the application's into the working directory; its name."""

    def write(source, name="an_application"):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        return name

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield write
    for name in set(sys.modules) - before:
        if name.startswith("an_application"):
            del sys.modules[name]


def complaint(place):
    with pytest.raises(ConfigurationError) as caught:
        engines_of(place)
    text = str(caught.value)
    assert place.partition(":")[0] in text
    assert "hunter22" not in text
    assert "\n" not in text
    return text


def test_defaults_are_sqlalchemys():
    facts = facts_of("e", create_engine(URL))
    assert (facts.pool, facts.size, facts.overflow, facts.recycle, facts.pre_ping) == ("QueuePool", 5, 10, -1, False)
    assert (facts.reset, facts.isolation, facts.timeout) == ("rollback", "", 30.0)
    assert facts.address == "db.example:3306"
    assert facts.database == "shop"
    assert not facts.protected


def test_every_setting_is_seen():
    facts = facts_of(
        "e",
        create_engine(
            URL + "?read_timeout=7",
            pool_size=3,
            max_overflow=-1,
            pool_recycle=240,
            pool_pre_ping=True,
            pool_timeout=2,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": 4, "init_command": "SET wait_timeout=90", "client_flag": 1024},
        ),
    )
    assert (facts.size, facts.overflow, facts.recycle, facts.pre_ping, facts.timeout) == (3, -1, 240, True, 2)
    assert (facts.reset, facts.isolation) == ("", "AUTOCOMMIT")
    assert (facts.connect_timeout, facts.read_timeout) == (4, 7)
    assert facts.own_wait_timeout == 90
    assert facts.interactive
    assert facts.most is None


def test_stillhere_is_seen_and_what_it_wraps_as_well():
    facts = facts_of("e", create_engine(URL + "?plugin=stillhere&read_timeout=7", connect_args={"connect_timeout": 4}))
    assert facts.protected
    assert (facts.connect_timeout, facts.read_timeout) == (4, 7)


def test_an_engine_made_from_anothers_url_has_lost_stillhere(module):
    name = module(f"""
        from sqlalchemy import create_engine
        first = create_engine({URL + "?plugin=stillhere"!r})
        second = create_engine(first.url)
    """)
    [target] = targets_of([], [*engines_of(f"{name}:first"), *engines_of(f"{name}:second")])
    assert [one.protected for one in target.engines] == [True, False]


def test_a_url_with_the_plugin_marks_the_engines_of_its_server_as_meant_to_be_protected(module):
    name = module(f"from sqlalchemy import create_engine\nengine = create_engine({URL!r})\n")
    [target] = targets_of([URL + "?plugin=stillhere"], engines_of(f"{name}:engine"))
    assert [one.meant_protected for one in target.engines] == [True]


def test_a_users_own_creator_is_said_to_be_unknown():
    facts = facts_of("e", create_engine(URL, creator=lambda: None))
    assert facts.custom_creator
    assert (facts.connect_timeout, facts.read_timeout, facts.tls) == (None, None, None)


def test_pools_without_a_size_have_none():
    facts = facts_of("e", create_engine(URL, poolclass=pool.NullPool))
    assert (facts.pool, facts.size, facts.keeps, facts.most) == ("NullPool", None, False, None)


@pytest.mark.parametrize(
    ("query", "asked"), [("", False), ("?ssl_ca=/etc/ca.pem", True), ("?ssl_disabled=true", False)]
)
def test_pymysql_asks_for_tls_only_when_told(query, asked):
    assert facts_of("e", create_engine(URL + query)).tls is asked


def test_whether_mysqlclient_gets_tls_is_left_open():
    assert facts_of("e", create_engine("mysql+mysqldb://alice@db/shop")).tls is None


def test_secrets_in_an_init_command_are_masked():
    engine = create_engine(URL, connect_args={"init_command": "SET PASSWORD = 'hunter22'"})
    assert "hunter22" not in repr(facts_of("e", engine))


def test_a_driver_without_its_own_limit_to_connect_is_seen():
    assert facts_of("e", create_engine("mysql+mysqldb://alice@db/shop")).connect_timeout == 0
    assert facts_of("e", create_engine(URL)).connect_timeout == 10


def test_a_sessionmaker_and_a_scoped_session_lead_to_their_engine(module):
    name = module(f"""
        from sqlalchemy import create_engine
        from sqlalchemy.orm import scoped_session, sessionmaker
        engine = create_engine({URL!r}, pool_recycle=11)
        Session = sessionmaker(bind=engine)
        registry = scoped_session(Session)

        class Config:
            session = Session
    """)
    for path in ("engine", "Session", "registry", "Config.session"):
        assert [one.facts.recycle for one in engines_of(f"{name}:{path}")] == [11], path


def test_a_flask_application_leads_to_all_engines_of_flask_sqlalchemy_with_its_own_recycle(module):
    name = module(f"""
        from flask import Flask
        from flask_sqlalchemy import SQLAlchemy
        app = Flask(__name__)
        app.config["SQLALCHEMY_DATABASE_URI"] = {URL!r}
        app.config["SQLALCHEMY_BINDS"] = {{"log": {URL.replace("db.example", "log.example")!r}, "lite": "sqlite://"}}
        db = SQLAlchemy(app)
    """)
    found = {one.facts.name: one.facts for one in engines_of(f"{name}:app")}
    assert set(found) == {f"{name}:app", f"{name}:app[log]"}
    assert {one.recycle for one in found.values()} == {7200}
    assert "name the Flask application itself" in complaint(f"{name}:db.engine")


@pytest.mark.parametrize("place", ["shop", "shop:", ":engine"])
def test_what_names_no_engine_is_answered_with_the_shape_of_a_name(place):
    with pytest.raises(ConfigurationError, match="module:engine"):
        engines_of(place)


def test_a_module_that_is_not_there_is_named():
    assert "no module 'no_such_module'" in complaint("no_such_module:engine")


def test_a_module_that_needs_another_says_which(module):
    name = module("import no_such_package_at_all\n")
    assert "needs the module 'no_such_package_at_all'" in complaint(f"{name}:engine")


def test_an_import_that_fails_is_told_without_secrets(module):
    name = module(f"raise ValueError('no way to ' + {URL!r})\n")
    assert "ValueError: no way to mysql+pymysql://alice:***@db.example/shop" in complaint(f"{name}:engine")


def test_an_attribute_that_is_not_there_is_named(module):
    name = module("x = 1\n")
    assert "has no 'engine'" in complaint(f"{name}:engine")


def test_what_is_no_engine_is_named_by_its_kind(module):
    name = module("from sqlalchemy import create_engine\nx = 1\nlite = create_engine('sqlite://')\n")
    assert "found a int" in complaint(f"{name}:x") or "found an int" in complaint(f"{name}:x")
    assert "wanted a SQLAlchemy engine for mysql" in complaint(f"{name}:lite")
