"""The slow external service that a rematch asks: HTTP on loopback, in the drill's own process."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["SlowService"]


class SlowService:
    """Answers every request after `delay` seconds.

    Attributes:
        delay: seconds; may be changed while it runs.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self._over = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service._over.wait(service.delay)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of clients that went away."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, name="slow-service", daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def close(self) -> None:
        """Stop; whoever waits is answered at once."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
