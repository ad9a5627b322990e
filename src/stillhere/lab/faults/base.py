"""What a fault is: one way to cut connections, struck once under load."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from stillhere.lab.servers import Server
    from stillhere.lab.wire import Wire


class Traffic(Enum):
    """The load under which a fault shows itself; the drill plays it, the fault only asks for it."""

    MIXED = "reads and writes, without pause"
    BURSTS = "reads and writes, with silences of `Fault.silence` seconds between"
    SLOW_CALL = "requests that call a slow external service in their middle"
    LARGE = "reads and writes, and now and then a statement over max_allowed_packet"
    ISOLATION = "requests that set a per-connection isolation level"


class Symptom(Enum):
    """How a drill sees that a fault has happened to an application without protection."""

    ERRORS = "requests fail"
    LATENCY = "requests take longer"


@dataclass(frozen=True)
class Scene:
    """Where a fault strikes: one server and the wires in front of it, one wire for each arm.

    Attributes:
        server: the real server.
        wires: all proxies through which applications reach it.
        halt: set when the run is called off; every blocking step of a fault waits on it.
    """

    server: Server
    wires: tuple[Wire, ...]
    halt: threading.Event = field(default_factory=threading.Event)

    def pause(self, seconds: float) -> bool:
        """Wait; true when the run was called off meanwhile, so that the fault heals and returns."""
        return self.halt.wait(seconds)


class Fault(ABC):
    """One way to lose connections.

    `strike` does the harm, undoes what it did to the network or the server, and returns when the
    server can be reached again. It leaves lost connections lost. It must not raise for an application
    that copes with it.

    Attributes:
        name: registry name, in snake case.
        title: what a report calls it, five words at the most.
        summary: one sentence: what happens, and to whom.
        cause: name of the cause by which a lost connection, or one that can't be made, is to be explained; empty for
            a fault that loses none.
        also: names of other causes that it brings about on the way, and that are right as well.
        variables: global variables of the server while the fault is in force, set before any
            application connects and put back afterwards.
        traffic: the load that makes it show.
        silence: seconds of silence between bursts, for `Traffic.BURSTS`; length of the slow external call,
            for `Traffic.SLOW_CALL`.
        shows: how a drill sees that it has happened.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    cause: ClassVar[str] = ""
    also: ClassVar[frozenset[str]] = frozenset()
    variables: ClassVar[Mapping[str, str]] = {}
    traffic: ClassVar[Traffic] = Traffic.MIXED
    silence: ClassVar[float] = 0.0
    shows: ClassVar[Symptom] = Symptom.ERRORS

    @abstractmethod
    def strike(self, scene: Scene) -> None:
        """Do the harm once, heal what was broken, and return."""
