"""The policy: its options as texts, and what is said of a wrong one."""

from __future__ import annotations

from dataclasses import fields

import pytest

from stillhere.errors import ConfigurationError
from stillhere.policy import Policy, parse_bytes, parse_count, parse_duration, parse_switch


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15", 15), ("15s", 15), (" 15 s ", 15), ("250ms", 0.25), ("2m", 120), ("1h", 3600), ("1.5s", 1.5), ("0", 0)],
)
def test_durations(text, seconds):
    assert parse_duration("o", text) == seconds


@pytest.mark.parametrize("text", ["", "s", "15 sec", "-1", "1e3", "1d", "nan", "inf", "1,5", "1."])
def test_what_is_no_duration(text):
    with pytest.raises(ConfigurationError, match=r"o: .* is not a duration; write 15s, 250ms, 2m or 1h"):
        parse_duration("o", text)


@pytest.mark.parametrize(
    ("text", "size"), [("65536", 65536), ("64k", 65536), ("16M", 16 * 1024**2), ("1GiB", 1024**3), ("2 kb", 2048)]
)
def test_sizes(text, size):
    assert parse_bytes("o", text) == size


@pytest.mark.parametrize("text", ["", "k", "1.5M", "-1", "1T"])
def test_what_is_no_size(text):
    with pytest.raises(ConfigurationError, match="is not a size"):
        parse_bytes("o", text)


@pytest.mark.parametrize(("text", "on"), [("on", True), (" TRUE", True), ("1", True), ("No", False), ("off", False)])
def test_switches(text, on):
    assert parse_switch("o", text) is on


@pytest.mark.parametrize(("parse", "text"), [(parse_switch, "maybe"), (parse_count, "-1"), (parse_count, "1.0")])
def test_what_is_neither(parse, text):
    with pytest.raises(ConfigurationError, match=f"o: '{text}' is"):
        parse("o", text)


def test_every_option_but_the_hook_can_be_given_as_text():
    texts = {float: "3s", int: "7", bool: "on"}
    values = {name: texts[type(getattr(Policy(), name))] for name in names() if name != "stricter"}
    policy = Policy.from_options(values)
    for name in values:
        assert getattr(policy, name) in (3.0, 7, True), name


def test_options_change_the_policy_they_start_from_and_nothing_else():
    base = Policy(ride_through=99, replay=False)
    changed = Policy.from_options({"max_waiting": "5"}, base)
    assert changed == Policy(ride_through=99, replay=False, max_waiting=5)
    assert base.max_waiting != 5


def test_an_unknown_option_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigurationError) as caught:
        Policy.from_options({"ride_trough": "5s"})
    message = str(caught.value)
    assert message.startswith("unknown option 'stillhere.ride_trough'; there are: ")
    assert all(name in message for name in names() if name != "stricter")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["ride_through", "max_waiting", "journal_bytes"])
def test_negative_values_are_refused(name):
    with pytest.raises(ConfigurationError, match=f"stillhere.{name} must not be negative, found -1"):
        Policy(**{name: -1})


def test_witnessing_autocommitted_writes_needs_the_witness():
    with pytest.raises(ConfigurationError, match=r"needs stillhere\.witness=on"):
        Policy(witness_autocommit=True)


def names() -> list[str]:
    return [field.name for field in fields(Policy)]
