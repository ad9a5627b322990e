"""Tests that make a mistake on purpose."""

import pymysql
import pytest


def test_read_timeout():
    with pytest.raises(pymysql.err.OperationalError):
        connection = pymysql.connect(host="db.example", read_timeout=1)
        connection.cursor().execute("DO SLEEP(3)")
