"""How real servers are had: one that is installed, or Debian's package unpacked without installing it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stillhere.errors import LabError
from stillhere.lab import apt
from stillhere.lab.cache import build_once, cache_root
from stillhere.lab.flavour import Flavour

SERVER_VARIABLE = "STILLHERE_LAB_SERVER"
"""Environment variable: paths of servers to use before all others, separated as in ``PATH``."""

PROGRAMS = ("mariadbd", "mysqld")
PACKAGES = {
    Flavour.MARIADB: ("mariadb-server-core",),
    Flavour.MYSQL: ("mysql-server-core", "mysql-server-core-8.4", "mysql-server-core-8.0"),
}
USUAL_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin")
VERSION = re.compile(r"\bVer (\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Installation:
    """A server program that can be run.

    Attributes:
        flavour: whose server it is.
        version: as the program itself says, such as ``(10, 11, 19)``.
        command: the program, with whatever must precede it.
        options: what every run of it needs.
        share: the directory with its messages and SQL scripts.
        origin: where it was found, for people.
    """

    flavour: Flavour
    version: tuple[int, int, int]
    command: tuple[str, ...]
    options: tuple[str, ...]
    share: Path
    origin: str


def find(flavour: Flavour) -> Installation:
    """A server of that flavour: named by ``STILLHERE_LAB_SERVER``, on PATH, unpacked earlier, or fetched now.

    Raises:
        LabError: there is none and none could be fetched; the message lists what was tried.
    """
    seen: list[str] = []
    for program, named in _programs():
        found = _examine(program, seen)
        if found and found.flavour is flavour and (named or not _is_confined(program, seen)):
            return found
    return _unpacked(flavour) or fetch(flavour, seen)


def fetch(flavour: Flavour, seen: list[str] | None = None) -> Installation:
    """Download the distribution's newest package of that server into the cache, and unpack it there.

    Nothing is installed and the system's package sources stay as they are.

    Args:
        flavour: which server.
        seen: what was tried before, for the message.

    Raises:
        LabError: it can't be had from here.
    """
    seen = [] if seen is None else seen
    try:
        offer = apt.find_offer(PACKAGES[flavour])
        home = _home(flavour) / offer.version.replace(":", "_").replace("/", "_")
        build_once(home, offer.unpack)
        return _from_packages(home)
    except LabError as error:
        seen.append(f"package {PACKAGES[flavour][0]}: {error}")
        tried = "; ".join(seen)
        raise LabError(
            f"no {flavour.title} server could be had (tried: {tried}); "
            f"install one, or name its program in {SERVER_VARIABLE}"
        ) from error


def _programs() -> list[tuple[str, bool]]:
    named = [(path, True) for path in os.environ.get(SERVER_VARIABLE, "").split(os.pathsep) if path]
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *USUAL_PLACES])
    found = [(path, False) for program in PROGRAMS if (path := shutil.which(program, path=places))]
    return named + found


def _examine(program: str, seen: list[str]) -> Installation | None:
    try:
        return _installed(Path(program))
    except LabError as error:
        seen.append(str(error))
        return None


def _installed(program: Path) -> Installation:
    flavour, version = _identify((str(program),))
    base = program.resolve().parent.parent
    share = next(
        (s for s in (base / "share" / "mariadb", base / "share" / "mysql", base / "share") if s.is_dir()),
        base,
    )
    return Installation(flavour, version, (str(program),), (), share, str(program))


def _from_packages(home: Path) -> Installation:
    """The server in an unpacked package, run through the loader and libraries that came with it."""
    loader = next(
        iter(sorted(home.glob("usr/lib*/ld-linux*.so.*")) + sorted(home.glob("usr/lib/*/ld-linux*.so.*"))),
        None,
    )
    program = next((p for name in PROGRAMS for p in [home / "usr/sbin" / name] if p.exists()), None)
    if loader is None or program is None:
        raise LabError(f"{home} has no server program or no loader; remove that directory and try again")
    libraries = [str(path) for path in (*sorted(home.glob("usr/lib/*-linux-gnu*")), home / "usr/lib/mysql/private")]
    command = (str(loader), "--library-path", ":".join(libraries), str(program))
    flavour, version = _identify(command)
    share = home / "usr/share" / ("mysql" if flavour is Flavour.MYSQL else "mariadb")
    if not share.is_dir():
        share = home / "usr/share/mysql"
    options = (
        f"--basedir={home}/usr",
        f"--lc-messages-dir={share}",
        f"--plugin-dir={home}/usr/lib/mysql/plugin",
    )
    return Installation(flavour, version, command, options, share, str(home))


def _identify(command: tuple[str, ...]) -> tuple[Flavour, tuple[int, int, int]]:
    try:
        answer = subprocess.run(  # noqa: S603 - a server that the user has or asked for
            [*command, "--no-defaults", "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{command[-1]} can't be run: {error}") from error
    match = VERSION.search(answer.stdout)
    if match is None:
        said = (answer.stdout + answer.stderr).strip()[:200]
        raise LabError(f"{command[-1]} --version said {said!r} (exit code {answer.returncode})")
    major, minor, patch = (int(part) for part in match.groups())
    return (Flavour.MARIADB if "MariaDB" in answer.stdout else Flavour.MYSQL), (major, minor, patch)


def _is_confined(program: str, seen: list[str]) -> bool:
    """Whether AppArmor keeps a packaged server to its own data directory, so that ours would be refused."""
    profile = Path("/etc/apparmor.d") / str(Path(program).resolve()).strip("/").replace("/", ".")
    enabled = Path("/sys/module/apparmor/parameters/enabled")
    try:
        confined = enabled.read_text().startswith("Y") and "profile" in profile.read_text()
    except OSError:
        return False
    if confined:
        seen.append(f"{program} is confined by the AppArmor profile {profile}")
    return confined


def _home(flavour: Flavour) -> Path:
    return cache_root() / "packages" / flavour.value


def _unpacked(flavour: Flavour) -> Installation | None:
    homes = [path for path in _home(flavour).glob("[!.]*") if path.is_dir()]
    newest = max(homes, key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)], default=None)
    return _from_packages(newest) if newest else None
