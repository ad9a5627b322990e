"""The parts of the lab's servers that need no server."""

from __future__ import annotations

import socket

import pytest

from stillhere.errors import ConfigurationError, LabError
from stillhere.lab.datadir import accounts, last_errors
from stillhere.lab.ports import claim, free_port
from stillhere.lab.servers import _options, _typed


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("0.5", 0.5), ("ON", "ON"), ("", ""), (7, 7), ("READ-COMMITTED", "READ-COMMITTED")],
)
def test_text_that_reads_as_a_number_becomes_one(text, value):
    assert _typed(text) == value
    assert type(_typed(text)) is type(value)


def test_variables_become_options():
    assert _options({"wait_timeout": 5, "sql_mode": "", "skip_log_bin": None}) == (
        "--wait_timeout=5",
        "--sql_mode=",
        "--skip_log_bin",
    )


@pytest.mark.parametrize("name", ["port", "log-error", "DATADIR"])
def test_what_the_lab_sets_itself_can_not_be_given(name):
    with pytest.raises(ConfigurationError, match="sets"):
        _options({name: "1"})


@pytest.mark.parametrize("name", ["", "a b", "a=b", "-x", "a;DROP"])
def test_what_is_no_name_of_a_variable_is_refused(name):
    with pytest.raises(ConfigurationError, match="no name"):
        _options({name: "1"})


def test_the_accounts_are_for_loopback_and_the_socket_only():
    hosts = {line.split("@")[1].split("'")[1] for line in accounts().splitlines() if "@" in line}
    assert hosts == {"localhost", "127.0.0.1"}


def test_the_last_errors_of_a_log_come_without_their_times():
    log = (
        "2026-01-02 10:03:02 0 [Note] Starting\n"
        "2026-01-02 10:03:02 0 [ERROR] mariadbd: unknown variable 'foo=1'\n"
        "2026-01-02 10:03:02 0 [ERROR] Aborting\n"
    )
    assert last_errors(log).endswith("[ERROR] mariadbd: unknown variable 'foo=1'")
    assert "2026" not in last_errors(log)


def test_a_log_without_errors_gives_its_last_words_and_an_empty_one_says_so():
    assert last_errors("one\ntwo\nthree\n") == "two / three"
    assert last_errors("") == "nothing in its error log"


def test_a_port_on_which_something_listens_can_not_be_claimed():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LabError, match=f"port {port} on 127.0.0.1"):
            claim(port)


def test_a_free_port_can_be_claimed():
    claim(free_port())


def test_a_number_that_is_no_port_can_not_be_claimed():
    with pytest.raises(LabError, match="70000"):
        claim(70000)
