"""A statement's text becomes the bytes that the driver itself would send."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from stillhere.drivers.mysqlclient import MYSQLCLIENT
from stillhere.drivers.pymysql import PYMYSQL, PyMySQL

CONNECTION = SimpleNamespace(encoding="utf-8")
BINARY = b"\x80\xff".decode("ascii", "surrogateescape")


@pytest.mark.parametrize(("version", "escapes"), [((1, 1, 1, "final", 1), True), ((1, 2, 4, "final"), False)])
def test_binary_parameters_of_an_old_pymysql_come_out_as_they_went_in(monkeypatch, version, escapes):
    monkeypatch.setattr(PyMySQL, "dbapi", SimpleNamespace(VERSION=version))
    if escapes:
        assert PYMYSQL.encode(CONNECTION, f"SELECT '{BINARY}'") == b"SELECT '\x80\xff'"
    else:
        with pytest.raises(UnicodeEncodeError):
            PYMYSQL.encode(CONNECTION, f"SELECT '{BINARY}'")


def test_a_character_that_the_connection_does_not_have_is_refused_as_by_the_driver():
    assert MYSQLCLIENT.encode(CONNECTION, "SELECT 'é'") == "SELECT 'é'".encode()
    with pytest.raises(UnicodeEncodeError):
        MYSQLCLIENT.encode(SimpleNamespace(encoding="cp1252"), "SELECT '\u4e2d'")
