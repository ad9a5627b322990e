"""Serving the application with waitress, under the orders of whoever started the process.

Orders are lines of JSON on stdin, each answered by a line on stdout: ``{"url": …}`` puts a fresh engine in
place of the one in use. The end of stdin means that the parent is gone, and ends the process at once,
whatever its requests are waiting for.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import threading
from typing import Any

import waitress
from sqlalchemy import Engine, create_engine

from stillhere.lab.apps.matches.app import Database, create_app

__all__ = ["main"]

_THREADS = 10


def main() -> None:
    """Serve until stdin ends."""
    options = _parser().parse_args()
    # Tracebacks of the driver's errors would be the whole output: the drill counts them instead.
    logging.disable(logging.CRITICAL)
    settings: dict[str, Any] = json.loads(options.engine)
    database = Database(create_engine(options.url, **settings))
    app = create_app(database, service=options.service, insist=options.insist, last_mark=options.last_mark)
    server = waitress.create_server(
        app, host="127.0.0.1", port=options.port, threads=_THREADS, clear_untrusted_proxy_headers=True
    )
    threading.Thread(target=_obey, args=(database, settings), daemon=True).start()
    _tell({"port": server.effective_port})
    server.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="matches", description="Serve the match pages.")
    parser.add_argument("url", help="SQLAlchemy URL of the database")
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback; 0 takes a free one")
    parser.add_argument("--engine", default="{}", help="further arguments of create_engine, as JSON")
    parser.add_argument("--insist", action="store_true", help="the pasted retry decorator around every view")
    parser.add_argument("--service", default="", help="URL of the slow external service")
    parser.add_argument("--last-mark", default="", help="comment that marks a request's last statement")
    return parser


def _obey(database: Database, settings: dict[str, Any]) -> None:
    for line in sys.stdin:
        order = json.loads(line)
        before: Engine = database.engine
        database.engine = create_engine(order["url"], **settings)
        before.dispose()
        _tell({"url": "changed"})
    os._exit(0)


def _tell(fact: dict[str, Any]) -> None:
    print(json.dumps(fact), flush=True)  # noqa: T201 - the protocol with the parent
