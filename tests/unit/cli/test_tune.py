"""What `stillhere tune` refuses before it asks a server, each in one line and with exit code 2."""

from __future__ import annotations

import json

import pytest

from stillhere.cli.main import main

URL = "mysql+pymysql://alice:s3cret%2Fpw@127.0.0.1:1/shop"
OTHER_UNDO = {"format": "stillhere tune undo 9"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nonsense"], "this is no SQLAlchemy URL"),
        (["sqlite://"], "the URL's dialect is 'sqlite'"),
        ([URL], "Can't connect"),
        ([URL, "--set", "wait_timeout"], "--set wants NAME=VALUE"),
        ([URL, "--set", "wait_timeout="], "--set wants NAME=VALUE"),
        ([URL, "--set", "buffer=5"], "unknown setting 'buffer'; there are: connect_timeout"),
        ([URL, "--idle", "soon"], "--idle: 'soon' is not a duration"),
        ([URL, "--packet", "big"], "--packet: 'big' is not a size"),
        ([URL, "--managed", "heroku"], "unknown managed service 'heroku'"),
        ([URL, "--managed", "rds", "--apply"], "--apply can't reach"),
        ([URL, "--apply", "--json"], "add --yes"),
        ([URL, "--undo", "none.json"], "can't be read"),
        ([URL, "--undo", "none.json", "--apply"], "--undo stands alone"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, args, said):
    assert main(["tune", *args]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert "s3cret" not in captured.err + captured.out


def test_an_undo_file_of_another_format_is_named(capsys, tmp_path):
    path = tmp_path / "undo.json"
    path.write_text(json.dumps(OTHER_UNDO))
    assert main(["tune", URL, "--undo", str(path)]) == 2
    assert "has the format 'stillhere tune undo 9'" in capsys.readouterr().err
