"""Data directories: initialised once for each server release, then copied."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from stillhere.errors import LabError
from stillhere.lab.cache import cache_root, finished
from stillhere.lab.packages import Installation
from stillhere.server.versions import Flavour

__all__ = ["OPTIONS", "accounts", "as_root", "last_errors", "populate"]

_SHAPE = 1  # raise it when what is written into a template changes
_INITIALISE_SECONDS = 120.0

# mariadb-install-db makes root accounts for this machine's name too, which skip_name_resolve warns about.
# The server reads the accounts, which a bootstrapping one doesn't, at the first FLUSH PRIVILEGES.
_ONLY_OURS = """\
DELETE FROM mysql.global_priv WHERE Host NOT IN ('localhost', '127.0.0.1');
DELETE FROM mysql.proxies_priv WHERE Host NOT IN ('localhost', '127.0.0.1');
FLUSH PRIVILEGES;
"""

OPTIONS = {
    Flavour.MARIADB: (
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=32M",
        "--aria-pagecache-buffer-size=8M",
        "--key-buffer-size=1M",
        "--innodb-use-native-aio=0",
        "--skip-ssl",
    ),
    Flavour.MYSQL: (
        "--innodb-buffer-pool-size=64M",
        "--innodb-redo-log-capacity=32M",
        "--skip-log-bin",
        "--mysqlx=OFF",
        "--secure-file-priv=NULL",
        "--key-buffer-size=1M",
        "--innodb-use-native-aio=0",
        "--auto-generate-certs=OFF",
    ),
}
"""Small, quick to start, and as durable as the servers' own defaults (every commit is flushed).

No TLS, so that the lab's proxy can read what passes through it.
"""


def accounts() -> str:
    """SQL that makes ``root`` (no password) and ``stillhere`` (``stillhere``), both with all rights."""
    lines = []
    for user, password in (("root", ""), ("stillhere", "stillhere")):
        for host in ("localhost", "127.0.0.1"):  # the socket, and loopback without name resolution
            account = f"'{user}'@'{host}'"
            lines += [
                f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{password}';",
                f"GRANT ALL PRIVILEGES ON *.* TO {account} WITH GRANT OPTION;",
            ]
    return "\n".join((*lines, "FLUSH PRIVILEGES;", ""))


def populate(installation: Installation, target: Path) -> None:
    """Make ``target`` a fresh data directory, from the template of this release in the cache."""
    name = re.sub(r"[^\w.+~-]", "_", f"{installation.version.flavour.value.lower()}-{installation.release}")
    template = finished(cache_root() / "templates" / f"{name}-{_SHAPE}", lambda draft: _initialise(installation, draft))
    shutil.copytree(template, target)


def as_root() -> tuple[str, ...]:
    """The option without which a server refuses to run as root, where that is who runs it."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def last_errors(log: str, limit: int = 300) -> str:
    """The errors at the end of a server's log, or its last words, in at most ``limit`` characters."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if "[ERROR]" in line and "Aborting" not in line]
    stripped = [re.sub(r"^[\dTZ:.\- ]+(?=\[)", "", re.sub(r"^\S+ +\S+ +(?=\d+ \[)", "", line)) for line in errors]
    return " / ".join(stripped[-3:] or lines[-2:])[:limit] or "nothing in its error log"


def _initialise(installation: Installation, draft: Path) -> None:
    data = draft
    if installation.version.flavour is Flavour.MYSQL:
        _initialise_mysql(installation, data)
    else:
        _initialise_mariadb(installation, data)
    for stale in ("auto.cnf", "accounts.sql", "init.log"):  # every server shall have a UUID of its own
        (data / stale).unlink(missing_ok=True)


def _initialise_mysql(installation: Installation, data: Path) -> None:
    sql = data.with_name(f"{data.name}.sql")
    sql.write_text(accounts(), encoding="utf-8")
    try:
        _run(
            (
                *installation.command,
                "--no-defaults",
                "--initialize-insecure",
                f"--datadir={data}",
                *installation.options,
                *OPTIONS[Flavour.MYSQL],
                *as_root(),
                f"--init-file={sql}",
            ),
        )
    finally:
        sql.unlink()


def _initialise_mariadb(installation: Installation, data: Path) -> None:
    script = _install_script(installation.program)
    common = ("--no-defaults", f"--datadir={data}", *installation.options, *as_root())
    _run(
        (
            script,
            *common,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            *OPTIONS[Flavour.MARIADB],
        )
    )
    _run(
        (*installation.command, *common, *OPTIONS[Flavour.MARIADB], "--bootstrap"),
        _ONLY_OURS + accounts(),
    )


def _install_script(program: Path) -> str:
    home = program.resolve().parent.parent
    for name in ("mariadb-install-db", "mysql_install_db"):
        for folder in (home / "scripts", home / "bin"):
            if (folder / name).is_file():
                return str(folder / name)
        found = shutil.which(name)
        if found:
            return found
    raise LabError(f"{program} has no mariadb-install-db beside it or on the search path")


def _run(command: Sequence[str], statements: str = "") -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the server that was found, with options from this module
            command,
            input=statements,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_INITIALISE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{command[0]} could not initialise a data directory: {error}") from error
    if done.returncode:
        seen = last_errors(done.stderr or done.stdout)
        raise LabError(f"{command[0]} could not initialise a data directory (exit {done.returncode}): {seen}")
