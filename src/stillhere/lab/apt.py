"""Debian packages without installing them: a private package list, a download, and an unpacked tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stillhere.errors import LabError
from stillhere.lab.cache import cache_root

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "$(SITE) $(RELEASE) $(COMPONENT) $(LABEL)"
KEYRINGS = ("debian-archive-keyring.pgp", "debian-archive-keyring.gpg")
UNUSED = ("perl", "libperl")
"""Prefixes of packages that a server package depends on and a server never opens."""


@dataclass(frozen=True)
class Offer:
    """A package that an archive offers.

    Attributes:
        package: its name.
        version: Debian's version of it.
        sources: the content of a ``sources.list``, or None for the system's own sources.
    """

    package: str
    version: str
    sources: str | None

    def unpack(self, target: Path) -> None:
        """Download the package with all that it depends on, and unpack everything into ``target``.

        Raises:
            LabError: apt or dpkg-deb failed; with what they said.
        """
        with tempfile.TemporaryDirectory(prefix="apt-", dir=cache_root()) as work:
            options = _options(Path(work), self.sources)
            if self.sources is not None:
                _run("apt-get", *options, "update")
            _run(
                "apt-get",
                *options,
                "--download-only",
                "-y",
                "--no-install-recommends",
                "install",
                self.package,
            )
            for archive in sorted(Path(work).glob("cache/archives/*.deb")):
                if not archive.name.startswith(UNUSED):
                    _run("dpkg-deb", "-x", str(archive), str(target))


def find_offer(packages: Iterable[str]) -> Offer:
    """The first of the packages that the system's own archive offers, else Debian's sid.

    Raises:
        LabError: no apt here, or no archive offers any of them.
    """
    packages = tuple(packages)
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise LabError("this system has no apt-get and dpkg-deb to fetch packages with")
    for sources in (None, _sid()):
        with tempfile.TemporaryDirectory(prefix="apt-", dir=cache_root()) as work:
            options = _options(Path(work), sources)
            if sources is not None:
                _run("apt-get", *options, "update")
            for package in packages:
                version = _candidate(options, package)
                if version:
                    return Offer(package, version, sources)
    raise LabError(f"neither the system's archive nor Debian's sid offers {' or '.join(packages)}")


def _sid() -> str:
    """The line that reaches Debian's sid at the mirror that the system itself uses."""
    targets = _run("apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages")
    for line in targets.splitlines():
        site, release, component, label = [*line.split(" ", 3), "", "", ""][:4]
        is_debian = label == "Debian" or (not label and site.rstrip("/").endswith("/debian"))
        if is_debian and component == "main" and "security" not in release:
            keyring = next((k for k in KEYRINGS if (Path("/usr/share/keyrings") / k).exists()), None)
            trust = f"[signed-by=/usr/share/keyrings/{keyring}] " if keyring else ""
            return f"deb {trust}{site} sid main\n"
    raise LabError("the system's package sources name no Debian archive")


def _options(work: Path, sources: str | None) -> list[str]:
    """Options that make apt work in ``work`` alone, without locks of the system's and without root."""
    (work / "state/lists/partial").mkdir(parents=True)
    (work / "cache/archives/partial").mkdir(parents=True)
    (work / "status").touch()
    options = [
        f"-oDir::State::status={work}/status",
        f"-oDir::Cache={work}/cache",
        "-oAPT::Sandbox::User=",
        "-oDebug::NoLocking=1",
    ]
    if sources is not None:
        (work / "sources.list").write_text(sources)
        options += [
            f"-oDir::Etc::SourceList={work}/sources.list",
            "-oDir::Etc::SourceParts=/dev/null",
            f"-oDir::State={work}/state",
        ]
    return options


def _candidate(options: list[str], package: str) -> str | None:
    with suppress(LabError):
        for line in _run("apt-cache", *options, "policy", package).splitlines():
            word, _, version = line.strip().partition(": ")
            if word == "Candidate" and version != "(none)":
                return version
    return None


def _run(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the system's own programs
            command,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C",
                "DEBIAN_FRONTEND": "noninteractive",
                **_proxies(),
            },
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{command[0]} failed: {error}") from error
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise LabError(f"{' '.join((command[0], command[-1]))} failed (exit code {done.returncode}): {said}")
    return done.stdout


def _proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
