"""A strict registry: one line an entry, duplicates and unknown names refused aloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from stillhere.errors import UnknownName


class Named(Protocol):
    """Anything that carries its own registry name."""

    @property
    def name(self) -> str:
        """The name that users type."""
        ...


EntryT = TypeVar("EntryT", bound=Named)


class Registry(Generic[EntryT]):
    """Entries by name, in the order in which they were registered.

    Args:
        noun: what an entry is called in messages, such as ``"fault"``.
        entries: the first entries, one line each.

    Raises:
        ValueError: two entries carry the same name.
    """

    def __init__(self, noun: str, entries: Iterable[EntryT] = ()) -> None:
        self._noun = noun
        self._entries: dict[str, EntryT] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: EntryT) -> EntryT:
        """Register an entry under its own name; a second one of that name is a ``ValueError``."""
        if entry.name in self._entries:
            raise ValueError(f"{self._noun} {entry.name!r} is registered twice")
        self._entries[entry.name] = entry
        return entry

    def get(self, name: str) -> EntryT:
        """The entry of that name; ``UnknownName`` lists the names that there are."""
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownName(self._noun, name, tuple(self._entries)) from None

    def names(self) -> tuple[str, ...]:
        """All names, in order of registration."""
        return tuple(self._entries)

    def __iter__(self) -> Iterator[EntryT]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)
