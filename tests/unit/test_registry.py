"""The registry refuses what would otherwise be found out late."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from stillhere.errors import ConfigurationError, UnknownName
from stillhere.registry import Registry


@dataclass(frozen=True)
class Fault:
    name: str


def test_a_duplicate_name_is_refused_with_the_noun_and_the_name():
    registry = Registry("fault", [Fault("reset")])
    with pytest.raises(ValueError, match="fault 'reset' is registered twice"):
        registry.add(Fault("reset"))
    assert len(registry) == 1


def test_a_duplicate_among_the_first_entries_is_refused_as_well():
    with pytest.raises(ValueError, match="registered twice"):
        Registry("fault", [Fault("reset"), Fault("reset")])


def test_an_unknown_name_lists_the_names_that_there_are():
    registry = Registry("fault", [Fault("reset"), Fault("kill")])
    with pytest.raises(UnknownName, match="unknown fault 'rest'; there are: kill, reset") as caught:
        registry.get("rest")
    assert isinstance(caught.value, ConfigurationError)
    assert (caught.value.noun, caught.value.name) == ("fault", "rest")


def test_an_unknown_name_in_an_empty_registry_says_that_there_is_none():
    with pytest.raises(UnknownName, match="there are: none"):
        Registry[Fault]("fault").get("reset")


def test_entries_keep_the_order_in_which_they_were_registered():
    registry = Registry("fault", [Fault("b"), Fault("a")])
    added = registry.add(Fault("c"))
    assert registry.names() == ("b", "a", "c")
    assert registry.get("c") is added
    assert [entry.name for entry in registry] == ["b", "a", "c"]
