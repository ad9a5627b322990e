"""``stillhere lab faults`` names every fault; nothing of it is lost in a pipe."""

from __future__ import annotations

from stillhere.cli.main import main
from stillhere.lab.faults import FAULTS


def test_faults_are_listed_with_their_titles_in_order(capsys):
    assert main(["lab", "faults"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = [line.split()[0] for line in lines if line.split() and line[0] != " "]
    assert listed[1:] == list(FAULTS.names())
    assert all(any(fault.title.split()[0] in line for line in lines) for fault in FAULTS)
