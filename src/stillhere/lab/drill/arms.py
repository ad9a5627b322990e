"""The three arms: the same application with and without help, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from stillhere.causes.incidents import DIRECTORY_VARIABLE
from stillhere.errors import LabError
from stillhere.registry import Registry

__all__ = ["ARMS", "DRIVERS", "Application", "Arm", "arm_url", "create_witness"]

DRIVERS: Mapping[str, str] = {"mysqlclient": "mysql+mysqldb", "pymysql": "mysql+pymysql"}
"""The drivers of the drill, and SQLAlchemy's names for them."""

POOL: Mapping[str, Any] = {
    "pool_size": 5,
    "max_overflow": 5,
    "pool_timeout": 2,
    "skip_autocommit_rollback": True,
}
"""The pool, the same in all arms: a place for each thread of the application.

Without ``skip_autocommit_rollback`` a connection with AUTOCOMMIT is rolled back at its return, which notices a
loss in time. With it, as SQLAlchemy advises for AUTOCOMMIT, the loss surfaces only where the isolation level
is put back, and a stock pool loses the place for good. Other connections are not touched by it.
"""


@dataclass(frozen=True)
class Arm:
    """One way to run the application.

    Attributes:
        name: registry name.
        title: what a report says about it.
        query: what its database URL carries.
        engine: its arguments of ``create_engine``, beside those that all arms have.
        insist: whether its views are wrapped in the pasted retry decorator.
        extra: whether it runs only where it is asked for.
    """

    name: str
    title: str
    query: Mapping[str, str] = field(default_factory=dict)
    engine: Mapping[str, Any] = field(default_factory=dict)
    insist: bool = False
    extra: bool = False

    @property
    def explains(self) -> bool:
        """Whether it keeps incidents."""
        return self.query.get("plugin") == "stillhere"

    @property
    def witnessed(self) -> bool:
        """Whether its schema needs the witness table."""
        return "stillhere.witness" in self.query


ARMS = Registry(
    "arm",
    (
        Arm("stock", "create_engine(url)"),
        Arm(
            "recipe",
            "pool_recycle, pool_pre_ping and a retry decorator",
            engine={"pool_recycle": 300, "pool_pre_ping": True},
            insist=True,
        ),
        Arm("stillhere", "create_engine(url + '?plugin=stillhere')", query={"plugin": "stillhere"}),
        Arm(
            "witness",
            "create_engine(url + '?plugin=stillhere&stillhere.witness=on')",
            query={"plugin": "stillhere", "stillhere.witness": "on"},
            extra=True,
        ),
    ),
)


def arm_url(arm: Arm, base: URL) -> URL:
    """The arm's own database URL.

    Args:
        arm: the arm.
        base: a URL of the server, or of a wire in front of it; its database is replaced.
    """
    return base.set(database=f"matches_{arm.name}").update_query_dict(dict(arm.query))


def create_witness(url: URL) -> None:
    """Create the witness table, by the command that anybody uses for it."""
    command = [
        sys.executable,
        "-m",
        "stillhere.cli.main",
        "witness",
        "create",
        url.render_as_string(hide_password=False),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise LabError(f"the witness table could not be created: {done.stderr.strip()}")


class Application:
    """One arm's application, served by waitress in a process that ends with this one.

    Args:
        arm: which arm.
        url: its database.
        service: URL of the slow external service.
        last_mark: a comment for the last statement of a request with an isolation level.
        state: the directory where it keeps its incidents; that of the account where none is given.

    Attributes:
        port: where it listens on loopback.
    """

    def __init__(self, arm: Arm, url: URL, service: str, last_mark: str, state: Path | None = None) -> None:
        command = [
            *(sys.executable, "-m", "stillhere.lab.apps.matches"),
            url.render_as_string(hide_password=False),
            f"--engine={json.dumps({**POOL, **arm.engine})}",
            f"--service={service}",
            f"--last-mark={last_mark}",
            *(["--insist"] if arm.insist else []),
        ]
        self.arm = arm
        surroundings = os.environ | ({DIRECTORY_VARIABLE: str(state)} if state is not None else {})
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=surroundings
        )
        self.port = int(self._hear()["port"])

    def connect_to(self, url: URL) -> None:
        """Give it a fresh engine, and so a fresh pool, for this URL."""
        order = json.dumps({"url": url.render_as_string(hide_password=False)})
        try:
            self._stdin.write(f"{order}\n")
            self._stdin.flush()
        except OSError as error:
            raise LabError(f"the {self.arm.name} application has ended: {error}") from error
        self._hear()

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            code = self._process.wait()
            raise LabError(f"the {self.arm.name} application ended with code {code}; its message stands above")
        heard: dict[str, Any] = json.loads(line)
        return heard
