"""The one thread of a wire: waits for sockets, for the time, and for orders from other threads."""

from __future__ import annotations

import contextlib
import heapq
import logging
import select
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from stillhere.errors import LabError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_SELECTABLE = 1024  # select.select takes no descriptor from here on


class Loop:
    """Runs callbacks, all in one thread.

    Attributes:
        selector: where sockets are registered, with a callback that takes the event mask as data.
    """

    def __init__(self, name: str) -> None:
        self.selector = selectors.DefaultSelector()
        self._orders: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._bell, self._ring = socket.socketpair()
        self._bell.settimeout(0)
        self._ring.settimeout(0)
        self.selector.register(self._bell, selectors.EVENT_READ, self._on_bell)
        # Guards _open together with _orders: an order that is taken in is also carried out, even by a
        # loop that is being stopped at that moment.
        self._lock = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and join the thread; nothing for a loop that is stopped."""
        with self._lock:
            if not self._open:
                return
            self._open = False
        self._wake()
        self._thread.join()
        self.selector.close()
        self._bell.close()
        self._ring.close()

    def abandon(self) -> None:
        """In a forked process, which has no such thread: close what was inherited."""
        self._open = False
        self.selector.close()
        self._bell.close()
        self._ring.close()

    def call(self, order: Callable[[], _T]) -> _T:
        """Carry out an order in the loop's thread, and return what it returns.

        Raises:
            LabError: the loop is stopped.
        """
        if threading.current_thread() is self._thread:
            return order()
        done = threading.Event()
        results: list[_T] = []
        errors: list[Exception] = []

        def carry_out() -> None:
            try:
                results.append(order())
            except Exception as error:  # noqa: BLE001 - it is raised again where the order was given
                errors.append(error)
            done.set()

        with self._lock:
            if not self._open:
                raise LabError("the wire is closed")
            self._orders.append(carry_out)
        self._wake()
        done.wait()
        if errors:
            raise errors[0]
        return results[0]

    def call_at(self, due: float, callback: Callable[[], None]) -> None:
        """Call back at that time of the monotonic clock. Only from the loop's thread."""
        heapq.heappush(self._timers, (due, next(self._number), callback))

    def _run(self) -> None:
        while self._open or self._orders:
            for key, mask in self._ready():
                self._safely(key.data, mask)
            while self._timers and self._timers[0][0] <= time.monotonic():
                self._safely(heapq.heappop(self._timers)[2])
            while self._orders:
                self._orders.popleft()()

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        if not self._timers:
            return self.selector.select()
        seconds = max(0.0, self._timers[0][0] - time.monotonic())
        descriptor = self.selector.fileno() if hasattr(self.selector, "fileno") else _SELECTABLE
        if descriptor >= _SELECTABLE:
            return self.selector.select(seconds)
        # The selector itself rounds up to milliseconds; select.select on its descriptor doesn't.
        select.select([descriptor], [], [], seconds)
        return self.selector.select(0)

    def _safely(self, callback: Callable[..., None], *args: int) -> None:
        try:
            callback(*args)
        except Exception:  # noqa: BLE001 - one connection's trouble must not stop the others
            _log.exception("the wire's callback %r failed", callback)

    def _on_bell(self, _mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # it rings already, or nobody listens any more
            self._ring.send(b"!")
