"""How server binaries are had: the user's own, the system's, or MySQL from Debian's packages in the cache.

Looked for in this order: ``STILLHERE_LAB_SERVER`` (if it is of the flavour that is wanted), the search path,
the cache, and, for MySQL, the package archives that the system's apt already uses.

Run as ``python -m stillhere.lab.packages mysql`` to fetch one now.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stillhere.errors import LabError, UnknownName
from stillhere.lab.apt import PrivateApt, debian_archive
from stillhere.lab.cache import cache_root, locked
from stillhere.server.versions import Flavour, ServerVersion, parse_version

__all__ = ["FLAVOURS", "Installation", "find", "flavour_named", "obtain"]

OWN_SERVER = "STILLHERE_LAB_SERVER"
FLAVOURS = {"mariadb": Flavour.MARIADB, "mysql": Flavour.MYSQL}
_PROGRAMS = {Flavour.MARIADB: ("mariadbd", "mysqld"), Flavour.MYSQL: ("mysqld",)}
_BESIDES_PATH = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec")  # where servers are and users' PATHs aren't
_VERSION_SECONDS = 20.0


@dataclass(frozen=True)
class Installation:
    """A server program that runs here.

    Attributes:
        version: flavour and number.
        release: the full version text, such as ``10.11.11-MariaDB-0+deb12u1``.
        command: what starts it: the program, or its own loader with the program.
        options: what it must be told about where its files are.
        program: the server's executable.
    """

    version: ServerVersion
    release: str
    command: tuple[str, ...]
    options: tuple[str, ...]
    program: Path


def flavour_named(name: str) -> Flavour:
    """``mariadb`` or ``mysql`` in any case; ``UnknownName`` for anything else."""
    try:
        return FLAVOURS[name.lower()]
    except KeyError:
        raise UnknownName("server", name, tuple(FLAVOURS)) from None


def find(flavour: Flavour) -> Installation | None:
    """The server of that flavour that is already here, nothing downloaded; ``None`` when there is none.

    Raises:
        LabError: ``STILLHERE_LAB_SERVER`` names something that isn't a server.
    """
    own = os.environ.get(OWN_SERVER)
    if own:
        chosen = _installed(Path(own).expanduser())
        if chosen.version.flavour is flavour:
            return chosen
    path = os.pathsep.join((os.environ.get("PATH", ""), *_BESIDES_PATH))
    for name in _PROGRAMS[flavour]:
        program = shutil.which(name, path=path)
        if program is not None:
            try:
                found = _installed(Path(program))
            except LabError:  # something else of that name
                continue
            if found.version.flavour is flavour:
                return found
    return _cached() if flavour is Flavour.MYSQL else None


def obtain(flavour: Flavour) -> Installation:
    """The server of that flavour; MySQL is fetched into the cache (63 MB, seconds) when there is none.

    Raises:
        LabError: there is none and it can't be fetched; says what was tried and what was seen.
    """
    found = find(flavour)
    if found is not None:
        return found
    if flavour is Flavour.MARIADB:
        raise LabError(
            f"no MariaDB server: neither {OWN_SERVER} nor the search path has a mariadbd; "
            "run: apt-get install mariadb-server-core mariadb-client-core"
        )
    root = cache_root() / "mysql"
    with locked(root):
        found = _cached()  # another process may have fetched it while we waited for the lock
        if found is not None:
            return found
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=root) as work:
            return _fetch(Path(work), root)


def _fetch(work: Path, root: Path) -> Installation:
    tried: list[str] = []
    for title, attempt in (
        ("the system's own packages", _from_own_suite),
        ("Debian's unstable suite", _from_sid),
    ):
        area = work / str(len(tried))
        area.mkdir()
        try:
            version = attempt(area)
            _unpacked(area / "prefix")  # it must run before it is called finished
        except LabError as error:
            tried.append(f"{title}: {error}")
            continue
        target = root / version.replace("/", "_").replace(":", "_")
        if not target.is_dir():
            (area / "prefix").rename(target)
        return _unpacked(target)
    raise LabError(
        f"no MySQL server: neither {OWN_SERVER} nor the search path has one, and none could be fetched; "
        + "; ".join(tried)
    )


def _from_own_suite(area: Path) -> str:
    return _unpack(PrivateApt(area / "apt"), area)


def _from_sid(area: Path) -> str:
    line = debian_archive()
    if line is None:
        raise LabError("apt knows no Debian archive here")
    apt = PrivateApt(area / "apt", (line,))
    apt.update()
    return _unpack(apt, area)


def _unpack(apt: PrivateApt, area: Path) -> str:
    package = apt.newest(r"mysql-server-core(-[\d.]+)?")
    if package is None:
        raise LabError("no package mysql-server-core in it")
    (area / "prefix").mkdir()
    apt.unpack(package[0], area / "prefix")
    return package[1]


def _cached() -> Installation | None:
    """The newest finished MySQL in the cache."""
    usable = []
    for prefix in (cache_root() / "mysql").glob("[0-9]*"):
        try:
            usable.append(_unpacked(prefix))
        except LabError:  # for another kind of machine, or damaged
            continue
    return max(usable, key=lambda one: one.version.number, default=None)


def _unpacked(prefix: Path) -> Installation:
    """The MySQL unpacked below ``prefix``, run through the loader and libraries that came with it."""
    program = _first(prefix, "usr/sbin/mysqld")
    loader = _first(prefix, "usr/lib*/ld-linux*.so.*", "lib*/ld-linux*.so.*", "usr/lib/*/ld-linux*.so.*")
    libraries = [
        str(folder)
        for pattern in ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/mysql/private")
        for folder in sorted(prefix.glob(pattern))
    ]
    command = (str(loader), "--library-path", os.pathsep.join(libraries), str(program))
    options = (
        f"--basedir={prefix / 'usr'}",
        f"--lc-messages-dir={prefix / 'usr/share/mysql'}",
        f"--plugin-dir={prefix / 'usr/lib/mysql/plugin'}",
    )
    return _described(command, options, program)


def _first(prefix: Path, *patterns: str) -> Path:
    for pattern in patterns:
        for path in sorted(prefix.glob(pattern)):
            return path
    raise LabError(f"there is no {patterns[0]} below {prefix}")


def _installed(program: Path) -> Installation:
    if not program.is_file():
        raise LabError(f"{program} is not a file; {OWN_SERVER} must name a mysqld or mariadbd")
    prefix = program.resolve().parent.parent
    options: tuple[str, ...] = ()
    if (prefix / "share/english/errmsg.sys").exists():  # a vendor's archive, unpacked anywhere
        options = (f"--basedir={prefix}", f"--lc-messages-dir={prefix / 'share'}")
    return _described((str(program),), options, program)


def _described(command: tuple[str, ...], options: tuple[str, ...], program: Path) -> Installation:
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user, the system or the cache offers
            (*command, "--no-defaults", "--version"),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_VERSION_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{program} does not run: {error}") from error
    release = release_in(done.stdout)
    if done.returncode or release is None:
        words = (done.stderr or done.stdout).strip()[-200:]
        raise LabError(f"{program} --version told no version (exit code {done.returncode}): {words!r}")
    return Installation(parse_version(release), release, command, options, program)


def release_in(output: str) -> str | None:
    """The version text in what ``--version`` prints, such as ``9.7.0-1`` or ``10.11.11-MariaDB``."""
    found = re.search(r"\bVer (\d\S*)", output)
    return found[1] if found else None


def main(arguments: Sequence[str]) -> int:
    """See to it that the servers named are here; 0, or 2 with one line about what is missing."""
    try:
        for name in arguments or ("mysql",):
            found = obtain(flavour_named(name))
            sys.stdout.write(f"{found.version} ({found.release}): {found.program}\n")
    except (LabError, UnknownName) as error:
        sys.stderr.write(f"stillhere: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
