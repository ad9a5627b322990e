"""``stillhere export``: what it refuses before it listens."""

from __future__ import annotations

import socket

import pytest

from stillhere.cli.main import main

URL = "mysql+pymysql://m:hunter22@127.0.0.1:1/"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "name servers by their URLs"),
        ([URL, "--targets", "x.toml"], "one of the two"),
        (["--targets", "nothing.toml"], "can't be read"),
        ([URL, URL], "given twice"),
        (["postgresql://h/"], "stillhere is for mysql and mariadb"),
        ([URL, "--listen", "9306"], "no HOST:PORT"),
        ([URL, "--listen", "127.0.0.1:99999"], "no HOST:PORT"),
        ([URL, "--listen", "example.org:9306"], "no address of this machine"),
        ([URL, "--timeout", "soon"], "not a duration"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_2(args, words, capsys):
    assert main(["export", *args]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "hunter22" not in said


def test_a_port_that_is_taken_is_said(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert main(["export", URL, "--listen", f"127.0.0.1:{other.getsockname()[1]}"]) == 2
    assert "can't listen on 127.0.0.1:" in capsys.readouterr().err
