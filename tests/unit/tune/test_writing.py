"""An option file is replaced whole, with a backup, and never where that could surprise."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime

import pytest

from stillhere.errors import ConfigurationError
from stillhere.tune import writing
from stillhere.tune.writing import backup_name, refusal, replace

OLD, NEW = b"[mysqld]\na=1\n", b"[mysqld]\na=2\n"


@pytest.fixture
def path(tmp_path):
    one = tmp_path / "my.cnf"
    one.write_bytes(OLD)
    one.chmod(0o640)
    return one


def others(path):
    return sorted(one.name for one in path.parent.iterdir() if one != path)


def test_content_is_replaced_and_the_former_kept_with_its_mode(path):
    backup = backup_name(path, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    replace(path, OLD, NEW, backup)
    assert path.read_bytes() == NEW
    assert backup.read_bytes() == OLD
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, backup)] == [0o640, 0o640]
    assert others(path) == ["my.cnf.20260102T030405Z.bak"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_is_kept(path):
    os.chown(path, 1234, 5678)
    replace(path, OLD, NEW, backup_name(path, datetime.now(UTC)))
    assert {(one.stat().st_uid, one.stat().st_gid) for one in path.parent.iterdir()} == {(1234, 5678)}


def test_a_second_backup_in_the_same_second_has_a_name_of_its_own(path):
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    names = []
    for _ in range(3):
        backup = backup_name(path, moment)
        replace(path, OLD, OLD, backup)
        names.append(backup.name)
    assert names == [f"my.cnf.20260102T030405Z{number}.bak" for number in ("", "-2", "-3")]


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(path):
    with pytest.raises(ConfigurationError, match="changed by somebody else"):
        replace(path, b"other", NEW, None)
    assert path.read_bytes() == OLD


def test_a_link_is_refused_and_named(path, tmp_path):
    link = tmp_path / "link.cnf"
    link.symlink_to(path)
    with pytest.raises(ConfigurationError, match=f"is a link to {path}"):
        replace(link, OLD, NEW, None)
    assert link.is_symlink()
    assert path.read_bytes() == OLD


def test_a_file_with_two_names_is_refused(path, tmp_path):
    os.link(path, tmp_path / "second.cnf")
    assert "has 2 names" in refusal(path)


def test_no_file_and_no_regular_file_are_refused(tmp_path):
    assert "can't be read" in refusal(tmp_path / "none")
    assert "no regular file" in refusal(tmp_path)


def test_an_existing_backup_is_never_overwritten(path, tmp_path):
    backup = tmp_path / "kept.bak"
    backup.write_bytes(b"precious")
    with pytest.raises(ConfigurationError, match="is as it was"):
        replace(path, OLD, NEW, backup)
    assert (path.read_bytes(), backup.read_bytes()) == (OLD, b"precious")


def test_a_disk_that_is_full_leaves_the_file_and_nothing_else(path, tmp_path, monkeypatch):
    calls = []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        replace(path, OLD, NEW, tmp_path / "kept.bak")
    assert path.read_bytes() == OLD
    assert others(path) == []
