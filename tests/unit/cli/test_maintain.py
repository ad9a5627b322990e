"""What `stillhere maintain` refuses before it asks a server, each in one line and with exit code 2."""

from __future__ import annotations

import pytest

from stillhere.cli.main import main

URL = "mysql+pymysql://alice:s3cret%2Fpw@127.0.0.1:1/shop"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nonsense"], "this is no SQLAlchemy URL"),
        ([URL], "Can't connect"),
        ([URL, "--only", "vacuum"], "unknown kind of maintenance 'vacuum'; there are: check, duplicate-indexes"),
        ([URL, "--plan", "--run"], "give one of them"),
        ([URL, "--run", "--json"], "add --yes"),
        ([URL, "--min-free", "much"], "--min-free: 'much' is not a size"),
        ([URL, "--max-lag", "long"], "--max-lag: 'long' is not a duration"),
        ([URL, "--min-share", "2"], "--min-share"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, args, said):
    assert main(["maintain", *args]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert "s3cret" not in captured.err + captured.out
