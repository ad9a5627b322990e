"""Passwords are taken out of statements, option lines and URLs, whole or cut off, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhere.masking import mask_sql, mask_urls

SECRET = "Tr0ub4dor"

HIDDEN = [
    f"CREATE USER 'a'@'%' IDENTIFIED BY '{SECRET}'",
    f"CREATE USER a IDENTIFIED /* x */ BY\n'{SECRET}', b IDENTIFIED BY \"{SECRET}\"",
    f"ALTER USER a IDENTIFIED WITH caching_sha2_password BY 'x''{SECRET}' REPLACE '{SECRET}'",
    f"ALTER USER a IDENTIFIED WITH 'mysql_native_password' AS '*{SECRET}'",
    f"ALTER USER a IDENTIFIED VIA ed25519 USING PASSWORD('{SECRET}') OR unix_socket USING '{SECRET}'",
    f"GRANT ALL ON *.* TO u IDENTIFIED BY PASSWORD '*{SECRET}'",
    f"/*!50700 CREATE USER a IDENTIFIED BY '{SECRET}' */",
    f"SET PASSWORD FOR 'a'@'b' = '{SECRET}'",
    f"SET PASSWORD = PASSWORD('{SECRET}')",
    f"set password='{SECRET}",
    f"CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='{SECRET}'",
    f'CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = "{SECRET}"',
    f"START GROUP_REPLICATION USER='u', PASSWORD=_utf8mb4'{SECRET}'",
    f"CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD '{SECRET}')",
    f"SELECT AES_ENCRYPT('text', '{SECRET}')",
    f"SELECT 1 FROM t WHERE password_hash = '{SECRET}'",
    f'UPDATE t SET passwd = "{SECRET}" WHERE id = 1',
    f"INSERT INTO users (name, password) VALUES ('bob', '{SECRET}'), ('eve', '{SECRET}')",
    f"SET GLOBAL init_connect = 'SET @key = \\'{SECRET}\\''",
    f"init_connect = SET @key = '{SECRET}'",
    f"[mysqld]\npassword = {SECRET} with 'quotes\n",
    f"Can't run: CREATE USER u IDENTIFIED BY '{SECRET}'",
    f"You have an error in your SQL syntax near 'IDENTIFIED BY '{SECRET}'' at line 1",
    f"mysqld --user=a --password={SECRET} --port=1",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_password_is_hidden(text):
    assert SECRET not in mask_sql(text)
    assert "***" in mask_sql(text)


@pytest.mark.parametrize("text", HIDDEN)
def test_a_password_is_hidden_wherever_the_text_is_cut_off(text):
    for length in range(len(text)):
        shown = mask_sql(text[:length])
        assert SECRET[:4] not in shown, text[:length]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT REPLACE(a, 'x', 'y'), b AS 'name' FROM t WHERE c = 'it''s' ORDER BY 'd'",
        "UPDATE t SET a = 'x' WHERE id = 7 -- a comment's end",
        "INSERT INTO t VALUES ('a', 0x41, N'b')",
        "ALTER USER u IDENTIFIED BY RANDOM PASSWORD",
        "SHOW GRANTS FOR 'u'@'h'",
        "the server's log says 'this' and `that`",
        "SET PASSWORD FOR 'u'@'h' TO RANDOM",
        "",
    ],
)
def test_what_holds_no_password_is_left_alone(text):
    assert mask_sql(text) == text


def test_what_stands_around_a_password_stays_readable():
    assert mask_sql(f"ALTER USER 'u'@'h' IDENTIFIED BY '{SECRET}' REQUIRE SUBJECT 'me'; SELECT 'x'") == (
        "ALTER USER 'u'@'h' IDENTIFIED BY '***' REQUIRE SUBJECT 'me'; SELECT 'x'"
    )
    assert mask_sql(f"CHANGE MASTER TO MASTER_PASSWORD='{SECRET}', MASTER_USER='u'") == (
        "CHANGE MASTER TO MASTER_PASSWORD='***', MASTER_USER='u'"
    )


def test_the_passwords_of_urls_are_hidden():
    text = mask_urls(f"no mysql+mysqldb://u:{SECRET}@h/db?ssl_key_password={SECRET}&x=1 here")
    assert text == "no mysql+mysqldb://u:***@h/db?ssl_key_password=***&x=1 here"


@given(st.text(alphabet=st.sampled_from("'\"\\`;,()=*/#- \nPASSWORDidentified by0x")))
def test_any_text_is_masked_without_an_error_and_masking_again_changes_nothing_secret(text):
    assert isinstance(mask_sql(text), str)
