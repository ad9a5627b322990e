"""A directory of things that are slow to make, each made once and seen only when complete."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cache_root() -> Path:
    """Where the lab keeps its files: ``$XDG_CACHE_HOME/stillhere/lab``, by default under ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    root = Path(base) / "stillhere" / "lab"
    root.mkdir(parents=True, exist_ok=True)
    return root


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock that all processes of this user share; it ends with its holder, however that ends."""
    with (cache_root() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_once(path: Path, build: Callable[[Path], None]) -> Path:
    """The directory ``path``, built by ``build`` when it isn't there.

    Built under another name and renamed when complete: a half-finished one is never seen, and whoever
    was killed while building leaves only a directory that the next builder removes. Two builders at once
    wait for each other.

    Args:
        path: where the finished directory will be; its parent is made if need be.
        build: fills the empty directory that it is given. Its exceptions pass through.
    """
    if path.is_dir():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.name):
        if path.is_dir():
            return path
        for stale in path.parent.glob(f".{path.name}.*"):
            shutil.rmtree(stale, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            build(draft)
            draft.rename(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return path
