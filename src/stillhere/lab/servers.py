"""Private, real servers: own data directory, socket and port, loopback only, gone with their parent."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket as sockets
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import pymysql

from stillhere.errors import ConfigurationError, LabError
from stillhere.lab.datadir import OPTIONS, as_root, last_errors, populate
from stillhere.lab.keeper import Keeper
from stillhere.lab.packages import Installation, flavour_named, obtain
from stillhere.lab.ports import HOST, claim, free_port
from stillhere.server.versions import Flavour, ServerVersion

__all__ = ["Server", "Setting", "start_server"]

Setting = str | int | float | None
"""A server variable's value. Text that reads as a number is sent as one; ``None`` is the server's default."""

READY_SECONDS = 30.0
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.005
_ADMIN_SECONDS = 60.0
_PORT_ATTEMPTS = 5
_SOCKET_PATH_LIMIT = 100  # bytes; the kernel's is 108
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*\Z")
_DIALECTS = {"mysqlclient": "mysql+mysqldb", "pymysql": "mysql+pymysql"}
_OURS = frozenset({"datadir", "socket", "port", "bind_address", "log_error", "pid_file", "user", "basedir"})


def start_server(flavour: Flavour | str, *, port: int = 0, variables: Mapping[str, Setting] | None = None) -> Server:
    """Start a private server and wait until it answers (MariaDB 0.3 s, MySQL 1.5 s; longer the first time).

    Args:
        flavour: which family, or its name.
        port: TCP port on 127.0.0.1; 0 finds a free one.
        variables: options for its command line, such as ``{"wait_timeout": 5}``.

    Raises:
        LabError: there is no such server, the port is in use, or it doesn't start; with its own errors.
        UnknownName: the flavour's name is neither ``mariadb`` nor ``mysql``.
        ConfigurationError: a variable that the lab itself sets, or no name of one.
    """
    if isinstance(flavour, str):
        flavour = flavour_named(flavour)
    options = _options(variables or {})
    installation = obtain(flavour)
    for attempt in range(_PORT_ATTEMPTS):
        server = Server(installation, port or free_port(), options)
        try:
            server.start()
        except LabError:
            server.close()
            # Another process may have been quicker to bind the port that was free just now.
            if port or attempt == _PORT_ATTEMPTS - 1 or not _taken(server.port):
                raise
        except BaseException:
            server.close()
            raise
        else:
            return server
    raise LabError(f"no free port on 127.0.0.1 in {_PORT_ATTEMPTS} attempts")


class Server:
    """One private server; `start_server` makes them. A context manager that closes it.

    Only the process that made it can command it. When that process ends, in whatever way, the server is
    killed and its directory removed.

    Attributes:
        flavour: MariaDB or MySQL.
        version: flavour and number.
        host: always 127.0.0.1.
        port: TCP port, the same over restarts.
        socket: the Unix socket.
        datadir: the data directory; removed by `close`.
        error_log: the server's log of all its runs; removed by `close`.
        pid: process id of the last run; 0 before the first.
    """

    host = HOST

    def __init__(self, installation: Installation, port: int, options: Sequence[str] = ()) -> None:
        self.flavour: Flavour = installation.version.flavour
        self.version: ServerVersion = installation.version
        self.port = port
        self.pid = 0
        self._log_start = 0
        self._installation = installation
        self._options = tuple(options)
        self._home = _home()
        self.socket = self._home / "s"
        self.datadir = self._home / "data"
        self.error_log = self._home / "error.log"
        try:
            populate(installation, self.datadir)
            self._keeper = Keeper(self._home)
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise

    def __repr__(self) -> str:
        return f"<Server {self.version} on {self.host}:{self.port}, pid {self.pid}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether its process exists (frozen counts)."""
        return self.pid != 0 and self._keeper.status() is None

    def last_errors(self) -> str:
        """The errors in its log since it was started last, in at most 300 characters."""
        return last_errors(self._log())

    def start(self, deadline: float = READY_SECONDS) -> None:
        """Start it on its port and wait until it answers, at most ``deadline`` seconds; not if it runs.

        Raises:
            LabError: its port is in use, or it ended or did not answer in time.
        """
        if self.running:
            return
        claim(self.port)
        self._log_start = self.error_log.stat().st_size if self.error_log.exists() else 0
        self.pid = self._keeper.start(self._command(), self.error_log)
        self.wait_ready(deadline)

    def stop(self, deadline: float = STOP_SECONDS) -> None:
        """Shut it down in order; kill it after ``deadline`` seconds. Nothing happens if it doesn't run."""
        if not self._signal(signal.SIGTERM):
            return
        self._signal(signal.SIGCONT)  # a frozen one would never see it
        if not self._ended(deadline):
            self.crash()

    def restart(self, deadline: float = READY_SECONDS) -> None:
        """Shut it down in order and start it again on the same port, with the same data."""
        self.stop()
        self.start(deadline)

    def crash(self) -> None:
        """Kill it (SIGKILL) as if the machine had lost it, and wait until the process is gone."""
        if self._signal(signal.SIGKILL) and not self._ended(STOP_SECONDS):
            raise LabError(f"{self!r} is still there {STOP_SECONDS:.0f} s after SIGKILL")

    def freeze(self) -> None:
        """Stop the process in its tracks (SIGSTOP): the kernel still accepts connections, nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._signal(signal.SIGCONT)

    def wait_ready(self, deadline: float = READY_SECONDS) -> None:
        """Wait until it answers a query, at most ``deadline`` seconds.

        Raises:
            LabError: it ended, with the errors from its log; or it did not answer in time.
        """
        if not self.pid:
            raise LabError(f"{self!r} was never started")
        start = time.monotonic()
        while True:
            left = start + deadline - time.monotonic()
            try:
                with contextlib.closing(self._connect(max(left, 0.1))) as connection:
                    connection.ping(reconnect=False)
            except (pymysql.MySQLError, OSError) as error:
                status = self._keeper.status()
                if status is not None:
                    raise LabError(f"{self.version} ended with {_ending(status)}: {self.last_errors()}") from error
                if left <= 0:
                    raise LabError(
                        f"{self.version} did not answer within {deadline:.1f} s: {error}; its log: {self.last_errors()}"
                    ) from error
                time.sleep(_POLL_SECONDS)
            else:
                return

    def admin(self) -> pymysql.connections.Connection[Any]:
        """A fresh connection as ``root`` over the socket, in autocommit mode. The caller closes it.

        Raises:
            LabError: the server does not answer.
        """
        try:
            return self._connect(_ADMIN_SECONDS)
        except (pymysql.MySQLError, OSError) as error:
            raise LabError(f"{self!r} does not answer: {error}") from error

    def execute(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement as ``root`` on a connection of its own; its rows. Server errors pass through."""
        with contextlib.closing(self.admin()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, args)
            return list(cursor.fetchall())

    def set_global(self, variables: Mapping[str, Setting]) -> dict[str, Setting]:
        """Set global variables until the next restart, all or none.

        Returns:
            their values before, which can be passed back to this method.

        Raises:
            LabError: the server refuses one; the others are as they were.
            ConfigurationError: no name of a variable.
        """
        for name in variables:
            _check_name(name)
        before: dict[str, Setting] = {}
        with contextlib.closing(self.admin()) as connection, connection.cursor() as cursor:
            for name, value in variables.items():
                try:
                    cursor.execute(f"SELECT @@GLOBAL.{name}")
                    row: Any = cursor.fetchone()
                    _set(cursor, name, value)
                except pymysql.MySQLError as error:
                    for done, old in before.items():
                        _set(cursor, done, old)
                    raise LabError(f"{self.version} refuses to set {name} to {value!r}: {error}") from error
                before[name] = row[0]
        return before

    def url(
        self,
        user: str = "stillhere",
        password: str = "stillhere",  # noqa: S107 - a private server's only account
        database: str = "",
        driver: str = "mysqlclient",
        port: int | None = None,
    ) -> str:
        """A SQLAlchemy URL over TCP.

        Args:
            user: ``stillhere`` or ``root``.
            password: the empty one for ``root``.
            database: a schema, or none.
            driver: ``mysqlclient`` or ``pymysql``.
            port: another port on 127.0.0.1, such as that of a proxy in front of the server.
        """
        if driver not in _DIALECTS:
            raise ConfigurationError(f"the lab has no URL for the driver {driver!r}: {', '.join(_DIALECTS)}")
        secret = f":{quote(password, safe='')}" if password else ""
        address = f"{quote(user, safe='')}{secret}@{self.host}:{port or self.port}"
        charset = "?charset=utf8mb4" if driver == "mysqlclient" else ""  # its own default is latin1
        return f"{_DIALECTS[driver]}://{address}/{quote(database, safe='')}{charset}"

    def close(self) -> None:
        """Kill it and remove its directory. May be called again."""
        self._keeper.close()

    def _command(self) -> tuple[str, ...]:
        return (
            *self._installation.command,
            "--no-defaults",
            *self._installation.options,
            f"--datadir={self.datadir}",
            f"--socket={self.socket}",
            # Of its own: a server that starts removes temporary tables from a shared one, also another's.
            f"--tmpdir={self.datadir.parent}",
            f"--port={self.port}",
            f"--bind-address={self.host}",
            f"--log-error={self.error_log}",
            f"--pid-file={self._home / 'pid'}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            *OPTIONS[self.flavour],
            *as_root(),
            *self._options,
        )

    def _connect(self, patience: float) -> pymysql.connections.Connection[Any]:
        # PyMySQL leaves its own socket to the garbage collector when connecting fails, which warns.
        channel = sockets.socket(sockets.AF_UNIX)
        try:
            channel.settimeout(patience)
            channel.connect(str(self.socket))
            connection = pymysql.Connection(
                user="root",
                autocommit=True,
                read_timeout=patience,
                defer_connect=True,
                ssl_disabled=True,  # where the server offers it, the channel would be taken over
            )
            connection.connect(channel)
        except BaseException:
            channel.close()
            raise
        channel.settimeout(None)
        return connection

    def _signal(self, number: int) -> bool:
        return self.pid != 0 and self._keeper.signal(number)

    def _ended(self, deadline: float) -> bool:
        end = time.monotonic() + deadline
        while self._keeper.status() is None:
            if time.monotonic() >= end:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _log(self) -> str:
        """What it wrote since it was started last."""
        try:
            return self.error_log.read_bytes()[self._log_start :].decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""


def _taken(port: int) -> bool:
    try:
        claim(port)
    except LabError:
        return True
    return False


def _options(variables: Mapping[str, Setting]) -> tuple[str, ...]:
    options = []
    for name, value in variables.items():
        plain = name.replace("-", "_").lower()  # servers take either on their command lines
        _check_name(plain)
        if plain in _OURS:
            raise ConfigurationError(f"the lab sets {name} itself")
        options.append(f"--{name}" if value is None else f"--{name}={value}")
    return tuple(options)


def _check_name(name: str) -> None:
    if not _NAME.match(name):
        raise ConfigurationError(f"{name!r} is no name of a server variable")


def _set(cursor: Any, name: str, value: Setting) -> None:
    if value is None:
        cursor.execute(f"SET GLOBAL {name} = DEFAULT")
    else:
        cursor.execute(f"SET GLOBAL {name} = %s", (_typed(value),))


def _typed(value: str | float) -> str | float:
    """Numbers for text that reads as one: servers refuse ``SET GLOBAL wait_timeout = '5'``."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(value)
    return value


def _ending(status: int) -> str:
    return f"exit code {status}" if status >= 0 else f"signal {-status}"


def _home() -> Path:
    """A directory for one server whose path is short enough for a socket in it."""
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) + len("/stillhere-12345678/s") > _SOCKET_PATH_LIMIT:
        base = "/tmp"  # noqa: S108 - mkdtemp makes a private directory in it
    return Path(tempfile.mkdtemp(prefix="stillhere-", dir=base))
