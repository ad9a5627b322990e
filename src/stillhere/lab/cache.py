"""Where the lab keeps what is dear to make: finished directories, each made once, by one process."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["cache_root", "finished", "locked"]


def cache_root() -> Path:
    """The lab's directory under ``XDG_CACHE_HOME`` (``~/.cache`` where that is unset or not absolute)."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "stillhere"


def finished(target: Path, fill: Callable[[Path], None]) -> Path:
    """The directory ``target``; where it isn't there yet, ``fill`` makes it under another name first.

    A process that dies in the middle leaves an unfinished directory beside it, never a half-filled target.

    Args:
        target: where the directory shall stand.
        fill: writes everything into the empty directory that it is given.
    """
    if target.is_dir():
        return target
    with locked(target):
        if target.is_dir():  # another process made it while we waited for the lock
            return target
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            fill(draft)
            draft.chmod(0o755)
            draft.rename(target)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return target


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock file beside ``target``; waits for another process that has it, without a limit."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel lets go of it when the process ends, however it ends
        yield
