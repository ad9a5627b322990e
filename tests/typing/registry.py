"""What type checkers see of the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_type

from stillhere.registry import Registry


@dataclass(frozen=True)
class Fault:
    """An entry: anything with a name."""

    name: str


registry = Registry("fault", [Fault("reset")])
assert_type(registry.get("reset"), Fault)
assert_type([entry.name for entry in registry], list[str])
