"""Replacing an option file: as a whole or not at all, with a backup, mode and owner kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from stillhere.errors import ConfigurationError

__all__ = ["backup_name", "digest", "refusal", "replace", "unused"]


def digest(data: bytes) -> str:
    """What a file's content is recognised by."""
    return hashlib.sha256(data).hexdigest()


def backup_name(path: Path, moment: datetime) -> Path:
    """Where the file's present content goes. The suffix is none that ``!includedir`` reads."""
    return unused(path.with_name(f"{path.name}.{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.bak"))


def unused(path: Path) -> Path:
    """The path, or the next one with a number that nobody has."""
    found, number = path, 1
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found


def refusal(path: Path) -> str | None:
    """Why this file can't be replaced; ``None`` where it can."""
    try:
        found = path.lstat()
    except OSError as error:
        return f"{path} can't be read: {error.strerror}"
    if stat.S_ISLNK(found.st_mode):
        return f"{path} is a link to {path.readlink()}; give the file that it leads to"
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is no regular file"
    if found.st_nlink > 1:
        return f"{path} has {found.st_nlink} names (hard links); replacing it would part them"
    return None


def replace(path: Path, before: bytes, after: bytes, backup: Path | None) -> None:
    """Put other content into a file, atomically.

    Args:
        path: the file; a link is refused.
        before: what it must hold still.
        after: what it shall hold.
        backup: where `before` is kept, with the file's mode and owner; ``None`` for nowhere.

    Raises:
        ConfigurationError: it can't be replaced, isn't what it was, or mode and owner can't be kept; it is as it was.
    """
    reason = refusal(path)
    if reason is not None:
        raise ConfigurationError(reason)
    try:
        if path.read_bytes() != before:
            raise ConfigurationError(f"{path} was changed by somebody else meanwhile; look at it and run this again")
        if backup is not None:
            _create(backup, before, path)
        _swap(path, after, backup)
        _sync_directory(path.parent)
    except OSError as error:
        raise ConfigurationError(f"{path} is as it was: {error.filename or path}: {error.strerror}") from error


def _swap(path: Path, after: bytes, backup: Path | None) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        _create(draft, after, path)
        draft.replace(path)
    except BaseException:
        for useless in (draft, backup):
            if useless is not None:
                useless.unlink(missing_ok=True)
        raise


def _create(path: Path, data: bytes, model: Path) -> None:
    """A new file with the model's mode, owner and extended attributes, on the disk when this returns."""
    as_model = model.stat()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        made = os.fstat(stream.fileno())
        if (made.st_uid, made.st_gid) != (as_model.st_uid, as_model.st_gid):
            os.fchown(stream.fileno(), as_model.st_uid, as_model.st_gid)
        _copy_attributes(model, stream.fileno())
        os.fchmod(stream.fileno(), stat.S_IMODE(as_model.st_mode))
        os.fsync(stream.fileno())


def _copy_attributes(model: Path, descriptor: int) -> None:
    """Such as the SELinux label, without which a server may not read its file."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):  # a file system without them
        for name in os.listxattr(model):
            os.setxattr(descriptor, name, os.getxattr(model, name))


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
