"""What the last bytes on a socket mean."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from stillhere.doctor.idling import End
from stillhere.doctor.machine import memory_of
from stillhere.doctor.measuring import how_it_ended, measure_idle
from stillhere.errors import ConfigurationError


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (None, (End.RESET, 0)),
        (b"", (End.CLOSED, 0)),
        (b"\x10\x00\x00\x00\xff\xbf\x0f#HY000gone", (End.FAREWELL, 4031)),
        (b"\x10\x00\x00\x00\xff\x1d\x04#08S01gone", (End.FAREWELL, 1053)),
        (b"\x17\x03\x03\x00\x40\x9a\x51\x02", (End.FAREWELL, 0)),
    ],
    ids=["reset", "closed", "4031", "1053", "under TLS"],
)
def test_last_words(words, meaning):
    assert how_it_ended(words) == meaning


def test_a_driver_whose_socket_cannot_be_looked_at_is_refused(monkeypatch):
    monkeypatch.setattr("stillhere.doctor.measuring.DRIVERS", ())
    with pytest.raises(ConfigurationError, match="--measure-idle needs a URL for PyMySQL or mysqlclient"):
        measure_idle(make_url("mysql+pymysql://h/"), 1.0)


def test_memory_is_known_only_on_the_servers_own_machine(build, monkeypatch):
    snapshot = build({"variables": {"hostname": "db7"}}).snapshot
    monkeypatch.setattr("stillhere.doctor.machine.socket.gethostname", lambda: "elsewhere")
    assert memory_of(snapshot) is None
    monkeypatch.setattr("stillhere.doctor.machine.socket.gethostname", lambda: "db7")
    assert memory_of(snapshot) > 1 << 20
