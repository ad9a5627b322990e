"""Debian packages unpacked into a directory: without root, and without a trace on the system's own apt.

A private apt state (sources, lists, cache, an empty list of what is installed) makes apt name the whole
closure of a package, its C library included, so that what is unpacked runs through its own loader.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from stillhere.errors import LabError

__all__ = ["PrivateApt", "debian_archive", "run"]

_KEYRINGS = tuple(
    Path("/usr/share/keyrings") / name for name in ("debian-archive-keyring.pgp", "debian-archive-keyring.gpg")
)
_TARGETS = "$(SITE)|$(RELEASE)|$(ORIGIN)|$(LABEL)|$(COMPONENT)"

# What the system's own configuration must not do on our behalf: run hooks (they speak to its desktop and
# empty its caches), fetch other architectures, pin. Its proxies and timeouts stay.
_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
#clear APT::Default-Release;
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "{state}/none";
Dir::Cache "{state}/cache";
Dir::Cache::archives "{state}/archives";
Dir::State "{state}";
Dir::State::status "{state}/status";
{lists}
"""
_OWN_SOURCES = """\
Dir::State::lists "{state}/lists";
Dir::Etc::SourceList "{state}/sources.list";
Dir::Etc::SourceParts "{state}/none";
"""


class PrivateApt:
    """An apt whose whole state lies in one directory.

    Args:
        state: an empty directory, kept as long as the object is used.
        sources: lines of a ``sources.list``; none for the system's own sources and package lists.
    """

    def __init__(self, state: Path, sources: Sequence[str] = ()) -> None:
        self._archives = state / "archives"
        for folder in ("none", "lists/partial", "cache", "archives/partial"):
            (state / folder).mkdir(parents=True)
        (state / "status").touch()
        (state / "sources.list").write_text("".join(f"{line}\n" for line in sources), encoding="utf-8")
        lists = _OWN_SOURCES.format(state=state)
        if not sources:
            own = run(("apt-config", "shell", "lists", "Dir::State::lists/d")).partition("'")[2].rstrip("'\n")
            lists = f'Dir::State::lists "{own}";'
        self._configuration = state / "apt.conf"
        self._configuration.write_text(
            _CONFIGURATION.format(architecture=run(("dpkg", "--print-architecture")).strip(), state=state, lists=lists),
            encoding="utf-8",
        )

    def update(self) -> None:
        """Fetch the package lists."""
        self._apt("apt-get", "-q", "update")

    def newest(self, pattern: str) -> tuple[str, str] | None:
        """Name and version of the newest package whose name matches the regular expression."""
        names = [line.split()[0] for line in self._apt("apt-cache", "pkgnames", "mysql-server-core").splitlines()]
        best = None
        for name in sorted(name for name in names if re.fullmatch(pattern, name)):
            shown = self._apt("apt-cache", "policy", name)
            found = re.search(r"Candidate: (\S+)", shown)
            if found and found[1] != "(none)" and (best is None or _newer(found[1], best[1])):
                best = (name, found[1])
        return best

    def unpack(self, package: str, prefix: Path) -> None:
        """Download a package with everything that it needs, and unpack all of it below ``prefix``."""
        self._apt("apt-get", "-q", "-y", "--download-only", "install", package)
        for archive in sorted(self._archives.glob("*.deb")):
            run(("dpkg-deb", "-x", str(archive), str(prefix)))

    def _apt(self, program: str, *arguments: str) -> str:
        return run((program, f"--config-file={self._configuration}", *arguments))


def debian_archive() -> str | None:
    """A ``sources.list`` line for the unstable suite of the Debian archive that this system uses, if any."""
    site = archive_site(run(("apt-get", "indextargets", "--format", _TARGETS, "Created-By: Packages")).splitlines())
    if site is None:
        return None
    keyring = next((path for path in _KEYRINGS if path.exists()), None)
    return f"deb {f'[signed-by={keyring}] ' if keyring else ''}{site} sid main"


def archive_site(targets: Iterable[str]) -> str | None:
    """The Debian archive's address among apt's index targets.

    Args:
        targets: ``site|release|origin|label|component`` each. Origin and label are unknown (empty, or apt's
            own placeholder) before the system's first ``apt-get update``; then the address's end decides.
    """
    likely = None
    for target in targets:
        site, release, origin, label, component = target.split("|")
        if component != "main" or "security" in release:
            continue
        if origin == label == "Debian":
            return site
        if origin in {"", "$(ORIGIN)"} and site.rstrip("/").endswith("/debian"):
            likely = likely or site
    return likely


def run(command: Sequence[str]) -> str:
    """The output of a program that reads, downloads or unpacks; ``LabError`` with its last words."""
    program = shutil.which(command[0])
    if program is None:
        raise LabError(f"there is no {command[0]} here")
    done = subprocess.run(  # noqa: S603 - the commands stand in this module, the environment stays (proxies)
        (program, *command[1:]),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        words = [line for line in done.stderr.splitlines() if line.startswith("E:")] or done.stderr.splitlines()
        shown = [word for word in command if not word.startswith("--config-file")]
        raise LabError(f"{' '.join(shown[:5])} failed ({done.returncode}): {' '.join(words[-3:])[:300]}")
    return done.stdout


def _newer(version: str, than: str) -> bool:
    dpkg = shutil.which("dpkg") or "dpkg"
    return not subprocess.run((dpkg, "--compare-versions", version, "gt", than), check=False).returncode  # noqa: S603
