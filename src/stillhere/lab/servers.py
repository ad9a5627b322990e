"""Private servers: own data directory, socket and port, loopback only, gone when the lab is gone."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import pymysql

from stillhere.errors import LabError
from stillhere.lab.flavour import Flavour
from stillhere.lab.packages import Installation, find
from stillhere.lab.ports import LOOPBACK, Port
from stillhere.lab.supervision import Supervised
from stillhere.lab.templates import ACCOUNT, LAYOUT, as_root, copy_template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["ACCOUNT", "Flavour", "Server", "make_url", "start_server"]

READY_WITHIN = 60.0
"""Seconds that a server may take to answer."""

COMMON = (
    f"--bind-address={LOOPBACK}",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--innodb-buffer-pool-load-at-startup=OFF",
    "--secure-file-priv=",
    "--max-connect-errors=1000000",
)
OWN = {
    Flavour.MARIADB: ("--log-warnings=4",),
    Flavour.MYSQL: ("--skip-log-bin", "--mysqlx=OFF", "--log-error-verbosity=3"),
}
NUMBER = re.compile(r"-?\d+(\.\d+)?")
SOCKET_PATH_LIMIT = 100
"""Bytes; the kernel's own limit for a Unix socket's path is 107."""


def make_url(port: int, *, user: str = ACCOUNT, database: str = "", driver: str = "pymysql") -> str:
    """The SQLAlchemy URL of a lab server behind a loopback port.

    Args:
        port: the server's, or that of a wire in front of it.
        user: ``stillhere`` or ``root``; their passwords are known.
        database: schema to use; none by default.
        driver: SQLAlchemy's name for the driver, such as ``"mysqldb"``; ``""`` leaves the choice open.
    """
    password = f":{quote(ACCOUNT)}" if user == ACCOUNT else ""
    return f"mysql{'+' if driver else ''}{driver}://{quote(user)}{password}@{LOOPBACK}:{port}/{database}"


class Server:
    """One private server. Not started by construction; see `start_server`.

    Everything that an application was told (a COMMIT's OK) outlives `crash`: the redo log is flushed at
    each commit.

    Args:
        flavour: whose server.
        port: loopback port; 0 chooses one. It stays reserved while the server is down.
        variables: system variables, by name, for every start; ``{"wait_timeout": 5}``.
        installation: the program to run; by default what `packages.find` finds.

    Attributes:
        flavour: as given.
        version: as the program says, such as ``(9, 7, 4)``.
        host: always ``"127.0.0.1"``.
        port: the loopback port.
        datadir: data directory.
        socket: path of the Unix socket.
        error_log: path of the error log.

    Raises:
        LabError: no such server can be had, or its data directory can't be made.
    """

    host = LOOPBACK

    def __init__(
        self,
        flavour: Flavour,
        *,
        port: int = 0,
        variables: Mapping[str, object] | None = None,
        installation: Installation | None = None,
    ) -> None:
        self.installation = installation or find(flavour)
        self.flavour = flavour
        self.version = self.installation.version
        self._variables = dict(variables or {})
        self._port = Port(port)
        self.port = self._port.number
        self._home = _make_home()
        self.datadir = self._home / "data"
        self.socket = self._home / "server.sock"
        self.error_log = self._home / "error.log"
        self._creator = os.getpid()
        self._process: Supervised | None = None
        try:
            copy_template(self.installation, self.datadir)
            self._process = Supervised(self._home)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The server's process id; 0 when it was never started."""
        return self._supervised.pid

    @property
    def running(self) -> bool:
        """Whether the process is there, be it ready or frozen."""
        return self._supervised.exit_code() is None

    def start(self, *, ready_within: float = READY_WITHIN) -> None:
        """Start the server and wait until it answers.

        Args:
            ready_within: seconds.

        Raises:
            LabError: it runs already, ended at once, or did not answer in time.
        """
        if self.running:
            raise LabError(f"{self} runs already")
        self._supervised.start(self._argv(), self.error_log)
        self.wait_ready(ready_within)

    def stop(self, within: float = 30.0) -> None:
        """Shut down in good order, as an administrator's restart does.

        Args:
            within: seconds after which it is a ``LabError``.
        """
        self._end(signal.SIGTERM, within)

    def crash(self) -> None:
        """Kill the process: no goodbye to clients, no clean shutdown. `start` recovers it."""
        self._end(signal.SIGKILL, 10.0)

    def restart(self) -> None:
        """Shut down in good order and start again on the same port, with the same data."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop the process in its tracks: connections stay open and nothing answers, until `thaw`."""
        self._supervised.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._supervised.signal(signal.SIGCONT)

    def wait_ready(self, within: float = READY_WITHIN) -> None:
        """Wait until the server answers over TCP.

        Args:
            within: seconds.

        Raises:
            LabError: it ended meanwhile or did not answer; with the end of its log.
        """
        deadline = time.monotonic() + within
        while True:
            try:
                pymysql.connect(host=self.host, port=self.port, user="root", connect_timeout=5).close()
            except pymysql.err.OperationalError as error:
                code = self._supervised.exit_code()
                if code is not None:
                    raise LabError(f"{self} ended with exit code {code}: {self.log_tail()}") from error
                if time.monotonic() > deadline:
                    raise LabError(f"{self} did not answer within {within:g} s: {error}; {self.log_tail()}") from error
                time.sleep(0.01)
            else:
                return

    def admin(self) -> pymysql.Connection[Any]:
        """A new connection as root over the Unix socket, in autocommit mode; the caller closes it."""
        return pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True, connect_timeout=5)

    def execute(self, sql: str, args: object = None) -> list[tuple[Any, ...]]:
        """Run one statement as root on a connection of its own, and return its rows."""
        with self.admin() as connection, connection.cursor() as cursor:
            cursor.execute(sql, args)
            return list(cursor.fetchall())

    def set_global(self, variables: Mapping[str, object]) -> dict[str, object]:
        """Set global variables; what they were before, so that a second call puts them back.

        They hold for connections made from now on, and until the server restarts.

        Args:
            variables: by name; text that looks like a number is set as a number.
        """
        before: dict[str, object] = {}
        with self.admin() as connection, connection.cursor() as cursor:
            for name, value in variables.items():
                cursor.execute(f"SELECT @@GLOBAL.{name}")
                row = cursor.fetchone()
                before[name] = row[0] if row else None
                number = isinstance(value, int | float) or NUMBER.fullmatch(str(value))
                cursor.execute(
                    f"SET GLOBAL {name} = {value}" if number else f"SET GLOBAL {name} = %s",
                    () if number else (value,),
                )
        return before

    def url(self, *, user: str = ACCOUNT, database: str = "", driver: str = "pymysql") -> str:
        """The SQLAlchemy URL that reaches this server directly; see `make_url`."""
        return make_url(self.port, user=user, database=database, driver=driver)

    def log_tail(self, lines: int = 5) -> str:
        """The last lines of the error log, in one."""
        try:
            text = self.error_log.read_text(errors="replace")
        except OSError:
            return "no error log"
        return " | ".join(text.splitlines()[-lines:])

    def close(self) -> None:
        """End the server at once and remove its data; nothing when closed already, or in a fork."""
        if os.getpid() != self._creator:
            return
        if self._process is not None:
            self._process.close()
        self._process = None
        shutil.rmtree(self._home, ignore_errors=True)
        self._port.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self.flavour.title} {'.'.join(map(str, self.version))} at {self.host}:{self.port}>"

    @property
    def _supervised(self) -> Supervised:
        if self._process is None:
            raise LabError(f"{self} is closed")
        return self._process

    def _end(self, signum: signal.Signals, within: float) -> None:
        self._supervised.signal(signum)
        if not self._supervised.wait(within):
            raise LabError(f"{self} did not end within {within:g} s of {signum.name}: {self.log_tail()}")

    def _argv(self) -> list[str]:
        variables = [f"--{name.replace('_', '-')}={value}" for name, value in self._variables.items()]
        return [
            *self.installation.command,
            "--no-defaults",
            *self.installation.options,
            *as_root(),
            *LAYOUT[self.flavour],
            *COMMON,
            *OWN[self.flavour],
            f"--datadir={self.datadir}",
            f"--socket={self.socket}",
            f"--port={self.port}",
            f"--pid-file={self._home / 'server.pid'}",
            f"--log-error={self.error_log}",
            *variables,
        ]


def start_server(
    flavour: Flavour,
    *,
    port: int = 0,
    variables: Mapping[str, object] | None = None,
    installation: Installation | None = None,
) -> Server:
    """A private server that answers; arguments as those of `Server`. Use it as a context manager."""
    server = Server(flavour, port=port, variables=variables, installation=installation)
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def _make_home() -> Path:
    """A directory for one server, short enough for a socket in it."""
    base = tempfile.gettempdir()
    short = len(base) < SOCKET_PATH_LIMIT - len("/stillhere-lab-xxxxxxxx/server.sock")
    return Path(tempfile.mkdtemp(prefix="stillhere-lab-", dir=base if short else "/tmp"))  # noqa: S108 - mkdtemp makes it private
