"""What classification says about commits and text, asked of real servers."""

from __future__ import annotations

import contextlib

import pymysql
import pytest

from stillhere.continuity.statement import Kind, classify
from stillhere.server.errorcodes import is_loss, waitable_at_connect
from stillhere.server.versions import Flavour

SCHEMA = "stillhere_facts"
TABLES = (
    "CREATE TABLE watched (id INT PRIMARY KEY) ENGINE=InnoDB",
    "CREATE TABLE other (id INT PRIMARY KEY AUTO_INCREMENT, v INT) ENGINE=InnoDB",
    "INSERT INTO other (v) VALUES (1), (2)",
)

# Run inside a transaction that has written; those that fail are run all the same: some commit first.
STATEMENTS = """
SELECT 1
SELECT * FROM other FOR UPDATE
SELECT 1 INTO @y
SELECT GET_LOCK('x', 0)
WITH a AS (SELECT 1) SELECT * FROM a
INSERT INTO other (v) VALUES (3)
REPLACE INTO other VALUES (1, 1)
UPDATE other SET v = 4
DELETE FROM other WHERE id = 1
SAVEPOINT a
USE stillhere_facts
SHOW TABLES
DESCRIBE other
EXPLAIN SELECT 1
SET @x = 1
SET NAMES utf8mb4
SET sql_mode = DEFAULT
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SET timestamp = DEFAULT
SET autocommit = 0
SET GLOBAL net_retry_count = 10
SET ROLE NONE
CREATE TEMPORARY TABLE tt (a INT)
CREATE TEMPORARY TABLE ts AS SELECT 1 a
DROP TEMPORARY TABLE IF EXISTS tt
BEGIN
START TRANSACTION
SET autocommit = 1
COMMIT
CREATE TABLE n1 (a INT)
ALTER TABLE n1 ADD b INT
RENAME TABLE n1 TO n2
TRUNCATE n2
DROP TABLE n2
CREATE VIEW v1 AS SELECT 1
DROP VIEW v1
CREATE INDEX ix ON other (v)
DROP INDEX ix ON other
CREATE USER stillhere_facts
ALTER USER stillhere_facts IDENTIFIED BY 'x'
GRANT SELECT ON *.* TO stillhere_facts
REVOKE SELECT ON *.* FROM stillhere_facts
SET PASSWORD FOR stillhere_facts = 'x'
DROP USER stillhere_facts
LOCK TABLES other WRITE
FLUSH TABLES
FLUSH TABLES WITH READ LOCK
FLUSH PRIVILEGES
CHECK TABLE other
REPAIR TABLE other
OPTIMIZE TABLE other
ANALYZE TABLE other
INSTALL PLUGIN nothing SONAME 'nothing'
""".strip().splitlines()


class Live:
    """One server and a connection that watches it."""

    def __init__(self, server):
        self.server = server
        self.flavour = server.flavour
        self.watch = server.admin()

    def connect(self, *, database=SCHEMA, user="root"):
        return pymysql.connect(host=self.server.host, port=self.server.port, user=user, database=database)

    def ask(self, sql):
        with self.watch.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


@pytest.fixture
def live(server):
    one = Live(server)
    one.ask(f"DROP DATABASE IF EXISTS {SCHEMA}")
    one.ask(f"CREATE DATABASE {SCHEMA}")
    one.ask(f"USE {SCHEMA}")
    for sql in TABLES:
        one.ask(sql)
    yield one
    one.ask(f"DROP DATABASE {SCHEMA}")
    one.watch.close()


def commits(live, sql):
    """Whether a transaction's write can be seen from outside once the statement has run."""
    connection = live.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO watched VALUES (1)")
            with contextlib.suppress(pymysql.err.Error):
                cursor.execute(sql)
            return bool(live.ask("SELECT COUNT(*) FROM watched")[0][0])
    finally:
        connection.close()
        live.ask("DELETE FROM watched")


def test_what_commits_is_known_to_commit(live):
    """In one test, since the statements build on each other."""
    for sql in STATEMENTS:
        statement = classify(sql)
        if commits(live, sql):
            assert statement.may_commit, sql
        else:
            assert statement.kind is not Kind.IMPLICIT_COMMIT, sql
            assert not statement.may_commit, sql


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT 5--1", 6),
        ("SELECT 5--\t x\n+1", 6),
        ("SELECT 5-- x\r+1", 5),
        ("SELECT 5 # x\n+1", 6),
        ("SELECT\v1\f", 1),
        ("SELECT 'a' 'b'", "ab"),
        ("SELECT 'it''s'", "it's"),
        ("SELECT 'a\\';'", "a';"),
        ("SELECT _utf8mb4 'x'", "x"),
        ("SELECT 1 /* c */ ;", 1),
        ("SELECT `last_insert_id` ()", 1),
        ("SELECT release_all_locks /* x */ ()", 0),
    ],
)
def test_the_lexer_reads_what_the_servers_read(live, sql, value):
    assert classify(sql).kind is Kind.READ
    assert live.ask(sql)[0][0] == value


@pytest.mark.parametrize(
    "sql", ["SELECT 1.INTO @x", "SELECT 1e5INTO @x", "SELECT 'a'INTO @x", "SELECT 1 /*! INTO @x */"]
)
def test_odd_spellings_that_the_servers_accept_are_refused(live, sql):
    live.ask(sql)
    assert not classify(sql).replayable


def test_an_isolation_without_a_scope_is_for_the_next_transaction(live):
    name = "tx_isolation" if live.flavour is Flavour.MARIADB else "transaction_isolation"
    for form, kind, kept in (
        (f"SET @@{name} = 'SERIALIZABLE'", Kind.SET_TRANSACTION, "REPEATABLE-READ"),
        (f"SET {name} = 'SERIALIZABLE'", Kind.SET, "SERIALIZABLE"),
        (f"SET @@session.{name} = 'SERIALIZABLE'", Kind.SET, "SERIALIZABLE"),
    ):
        live.ask("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        live.ask(form)
        assert classify(form).kind is kind
        assert live.ask(f"SELECT @@session.{name}")[0][0] == kept


def test_an_accounts_own_limit_is_waited_for(live):
    live.ask("CREATE USER stillhere_limited WITH MAX_USER_CONNECTIONS 1")
    try:
        first = live.connect(user="stillhere_limited", database=None)
        with pytest.raises(pymysql.err.OperationalError) as caught:
            live.connect(user="stillhere_limited", database=None)
        first.close()
        assert waitable_at_connect(caught.value.args[0], live.flavour)
    finally:
        live.ask("DROP USER stillhere_limited")


def test_offline_mode_is_a_loss_and_is_waited_for(live):
    if live.flavour is not Flavour.MYSQL:
        pytest.skip("MySQL only")
    live.ask("CREATE USER stillhere_plain")
    plain = live.connect(user="stillhere_plain", database=None)
    try:
        live.ask("SET GLOBAL offline_mode = ON")
        with pytest.raises(pymysql.err.OperationalError) as caught, plain.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert is_loss(caught.value.args[0], live.flavour)
        with pytest.raises(pymysql.err.OperationalError) as caught:
            live.connect(user="stillhere_plain", database=None)
        assert caught.value.args[0] == 3032
        assert waitable_at_connect(3032, live.flavour)
    finally:
        live.ask("SET GLOBAL offline_mode = OFF")
        live.ask("DROP USER stillhere_plain")
