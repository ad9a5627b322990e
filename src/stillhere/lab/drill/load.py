"""The load: clients that ask over real HTTP, each at its own pace, and note what they were told."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import threading
import time
from dataclasses import dataclass, replace

from stillhere.lab.drill.shots import Ask, Shot, ask, judge, kind_of, unanswered
from stillhere.lab.faults.base import Traffic

__all__ = ["Bursts", "Load", "Plan"]

PATIENCE = 12.0
"""Seconds after which a client gives up; longer than any fault takes to heal."""


@dataclass(frozen=True)
class Bursts:
    """When clients may ask: ``on`` seconds, then ``off`` seconds of silence, over and over.

    Attributes:
        begin: start of the first burst, on the monotonic clock.
        on: seconds of load.
        off: seconds of silence after it; 0 for load without pause.
    """

    begin: float
    on: float = 1.0
    off: float = 0.0

    def wait_from(self, now: float) -> float:
        """Seconds until a client may ask; 0 for at once."""
        if not self.off:
            return 0.0
        place = (now - self.begin) % (self.on + self.off)
        return 0.0 if place < self.on else self.on + self.off - place


@dataclass(frozen=True)
class Plan:
    """What the clients of one arm do.

    Attributes:
        traffic: what they ask for.
        bursts: when.
        clients: how many there are.
        period: seconds from one request of a client to its next, where the answer takes no longer.
        prefix: begins every token.
        large: length of the log line of a large request.
    """

    traffic: Traffic
    bursts: Bursts
    clients: int
    period: float
    prefix: str
    large: int = 0


class Load:
    """The clients of one arm.

    Args:
        port: where the application listens on loopback.
        plan: what they do.
    """

    def __init__(self, port: int, plan: Plan) -> None:
        self._port = port
        self._plan = plan
        self._stop = threading.Event()
        self._clients = [_Client(port, plan, number, self._stop) for number in range(plan.clients)]

    def start(self) -> None:
        """Begin."""
        for client in self._clients:
            client.start()

    def stop(self) -> None:
        """Send no more requests; those under way go on."""
        self._stop.set()

    def finish(self, deadline: float) -> list[Shot]:
        """Wait for the answers under way, until the deadline on the monotonic clock; then give up on them.

        Returns:
            All requests, in the order in which they were sent.
        """
        self._stop.set()
        for client in self._clients:
            client.join(max(0.0, deadline - time.monotonic()))
        for client in self._clients:
            client.give_up()
        for client in self._clients:
            client.join()
        return sorted((shot for client in self._clients for shot in client.shots), key=lambda shot: shot.begun)

    def peek(self) -> list[Shot]:
        """The requests that have ended so far."""
        return [shot for client in self._clients for shot in tuple(client.shots)]


class _Client(threading.Thread):
    """One client with one connection that it keeps. It never sends a request twice."""

    def __init__(self, port: int, plan: Plan, number: int, stop: threading.Event) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.shots: list[Shot] = []
        self._plan = plan
        self._number = number
        self._stop_asked = stop
        self._given_up = False
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def run(self) -> None:
        plan = self._plan
        due = time.monotonic() + plan.period * self._number / plan.clients
        for turn in itertools.count():
            now = time.monotonic()
            pause = max(due - now, plan.bursts.wait_from(max(now, due)))
            if self._stop_asked.wait(max(0.0, pause)):
                break
            due = max(due, time.monotonic()) + plan.period
            kind = kind_of(plan.traffic, self._number, turn)
            token = f"{plan.prefix}-{self._number}-{turn}"
            shot = self._send(ask(kind, turn * 7 + self._number, token, plan.large))
            self.shots.append(replace(shot, client=self._number))
        self._connection.close()

    def give_up(self) -> None:
        """Break off the request under way, if there is one."""
        self._given_up = True
        sock: socket.socket | None = self._connection.sock
        if self.is_alive() and sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _send(self, wish: Ask) -> Shot:
        begun = time.monotonic()
        connection = self._connection
        try:
            connection.request(wish.method, wish.path, wish.body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            why = "no answer" if self._given_up or isinstance(error, TimeoutError) else type(error).__name__
            return unanswered(wish, begun, time.monotonic(), why)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return judge(wish, begun, time.monotonic(), answer.status, headers, body)
