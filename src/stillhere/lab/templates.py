"""Data directories: made once for each kind of server, then copied."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from stillhere.errors import LabError
from stillhere.lab.cache import build_once, cache_root
from stillhere.lab.flavour import Flavour

if TYPE_CHECKING:
    from pathlib import Path

    from stillhere.lab.packages import Installation

ACCOUNT = "stillhere"
"""Name and password of the lab's ordinary account."""

ACCOUNTS = f"""\
CREATE USER '{ACCOUNT}'@'%' IDENTIFIED BY '{ACCOUNT}';
GRANT ALL PRIVILEGES ON *.* TO '{ACCOUNT}'@'%' WITH GRANT OPTION;
CREATE USER 'root'@'%';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
"""

LAYOUT = {
    Flavour.MARIADB: ("--innodb-log-file-size=16M", "--innodb-buffer-pool-size=32M"),
    Flavour.MYSQL: ("--innodb-redo-log-capacity=32M", "--innodb-buffer-pool-size=32M"),
}
"""Small files, as the lab has many servers; the same at making and at running."""

MARIADB_SCRIPTS = (
    "mariadb_system_tables.sql",
    "mariadb_performance_tables.sql",
    "mariadb_system_tables_data.sql",
    "mariadb_sys_schema.sql",
)
RECIPE = 1
"""Raise when the recipe changes and its inputs below don't show it."""


def copy_template(server: Installation, target: Path) -> None:
    """Fill ``target`` with a fresh data directory that has the lab's two accounts.

    Raises:
        LabError: the server could not make its data directory; with the last lines that it logged.
    """
    inputs = repr((RECIPE, ACCOUNTS, LAYOUT[server.flavour], server.command))
    digest = hashlib.sha256(inputs.encode()).hexdigest()[:12]
    name = f"{server.flavour.value}-{'.'.join(map(str, server.version))}-{digest}"
    template = build_once(cache_root() / "templates" / name, lambda draft: _build(server, draft))
    shutil.copytree(template / "data", target)


def as_root() -> tuple[str, ...]:
    """What a server must be told when it is run by root."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def _build(server: Installation, draft: Path) -> None:
    data = draft / "data"
    options = [*server.options, *as_root(), *LAYOUT[server.flavour], f"--datadir={data}"]
    if server.flavour is Flavour.MYSQL:
        accounts = draft / "accounts.sql"
        accounts.write_text(ACCOUNTS)
        _run(server, [*options, "--initialize-insecure", f"--init-file={accounts}"], b"")
        (data / "auto.cnf").unlink()  # each copy names itself
        for spare in data.glob("#innodb_redo/*_tmp"):
            spare.unlink()
    else:
        (data / "mysql").mkdir(parents=True)
        _run(server, [*options, "--bootstrap", "--innodb-fast-shutdown=0"], _mariadb_bootstrap(server))


def _mariadb_bootstrap(server: Installation) -> bytes:
    scripts = [server.share / name for name in MARIADB_SCRIPTS]
    if not scripts[0].exists():
        scripts = [server.share / name.replace("mariadb_", "mysql_") for name in MARIADB_SCRIPTS]
    parts = [
        b"CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n",
        *(script.read_bytes() for script in scripts if script.exists()),
        b"USE mysql;\nDELETE FROM global_priv WHERE User='';\nFLUSH PRIVILEGES;\n",
        ACCOUNTS.encode(),
    ]
    return b"\n".join(parts)


def _run(server: Installation, options: list[str], script: bytes) -> None:
    done = subprocess.run(  # noqa: S603 - a server that `packages` found
        [*server.command, "--no-defaults", *options],
        input=script,
        capture_output=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[-600:]
        raise LabError(f"{server.origin} could not make a data directory (exit code {done.returncode}): {said}")
