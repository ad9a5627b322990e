"""``--fix`` mends what is safe to mend: exact places, everything else byte for byte, and never half a file."""

from __future__ import annotations

import ast
import os

import pytest

from stillhere.errors import ConfigurationError
from stillhere.lint.fixes import apply
from stillhere.lint.rules.base import Edit

IMPORTS = """\
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import QueuePool

URL = "mysql://app@db.example/shop"
"""
ROWS = """\
DATABASES = {{
    "a": {{
        "ENGINE": "django.db.backends.mysql",
        "CONN_MAX_AGE": 60,
{}    }}
}}
"""


def fixed(folder, text: str) -> str:
    file = folder.write("db.py", IMPORTS + text)
    folder.lint(fix=True)
    after = file.read_text(encoding="utf-8")
    assert after.startswith(IMPORTS)
    ast.parse(after)
    return after.removeprefix(IMPORTS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("e = create_engine(URL)\n", "e = create_engine(URL, pool_pre_ping=True)\n"),
        ("e = create_engine(URL, echo=True)\n", "e = create_engine(URL, echo=True, pool_pre_ping=True)\n"),
        ("e = create_engine(URL,)\n", "e = create_engine(URL, pool_pre_ping=True,)\n"),
        ("e = create_engine((URL))\n", "e = create_engine((URL), pool_pre_ping=True)\n"),
        (
            "e = create_engine(\n    URL,\n    echo=True,  # loud (very)\n)\n",
            "e = create_engine(\n    URL,\n    echo=True, pool_pre_ping=True,  # loud (very)\n)\n",
        ),
        ("e = create_engine(**{'url': URL})\n", "e = create_engine(**{'url': URL}, pool_pre_ping=True)\n"),
        (
            "e = create_async_engine(URL, poolclass=QueuePool, pool_pre_ping=True)\n",
            "e = create_async_engine(URL, pool_pre_ping=True)\n",
        ),
        (
            "e = create_async_engine(URL, pool_pre_ping=True,\n    poolclass=QueuePool)\n",
            "e = create_async_engine(URL, pool_pre_ping=True)\n",
        ),
        (
            "e = create_async_engine(URL, poolclass=QueuePool)\n",
            "e = create_async_engine(URL, pool_pre_ping=True)\n",
        ),
        (
            'D = {"ENGINE": "django.db.backends.mysql", "CONN_MAX_AGE": 6}\nDATABASES = {"a": D}\n',
            'D = {"ENGINE": "django.db.backends.mysql", "CONN_MAX_AGE": 6}\nDATABASES = {"a": D}\n',
        ),
        (
            'DATABASES = {"a": dict(B=1), "b": {"ENGINE": "x.mysql", "CONN_MAX_AGE": 6}}\n',
            'DATABASES = {"a": dict(B=1), "b": {"ENGINE": "x.mysql", "CONN_MAX_AGE": 6, "CONN_HEALTH_CHECKS": True}}\n',
        ),
        (ROWS.format(""), ROWS.format('        "CONN_HEALTH_CHECKS": True,\n')),
    ],
)
def test_a_fix_changes_its_place_and_nothing_else(folder, before, after):
    assert fixed(folder, before) == after


@pytest.mark.parametrize(
    "text",
    [
        "e = create_engine(URL, pool_pre_ping=False)\n",
        "e = create_engine(URL, pool_recycle=100_000)\n",
        "e = create_engine(URL, pool_pre_ping=True, max_overflow=-1)\n",
        'OPTIONS = {"pool_size": 5}\nOPTIONS["echo"] = True\n',
        "e = create_engine(URL)  # noqa: SH101\n",
    ],
)
def test_what_only_a_person_can_decide_is_left_as_it_is(folder, text):
    assert fixed(folder, text) == text


def test_fixing_twice_is_fixing_once(folder):
    file = folder.write(
        "db.py", IMPORTS + "a = create_engine(URL)\nb = create_async_engine(URL, poolclass=QueuePool)\n"
    )
    assert folder.lint(fix=True).fixed == 3
    once = file.read_bytes()
    again = folder.lint(fix=True)
    assert (again.fixed, again.found) == (0, [])
    assert file.read_bytes() == once


def test_what_is_left_is_reported_and_what_was_mended_is_not(folder):
    folder.write("db.py", IMPORTS + "a = create_engine(URL, max_overflow=-1)\n")
    report = folder.lint(fix=True)
    assert ([one.finding.rule for one in report.found], report.fixed) == (["SH104"], 1)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("bom", "cookie", "encoding"),
    [
        (b"", "", "utf-8"),
        (b"\xef\xbb\xbf", "", "utf-8"),
        (b"", "# coding: latin-1", "latin-1"),
        (b"", "# coding: cp1251", "cp1251"),
    ],
)
def test_encoding_mark_and_line_ends_stay_as_they_are(folder, ends, bom, cookie, encoding):
    name = "Заказ" if encoding == "cp1251" else "Größe"
    lines = [
        cookie,
        f'name = "{name}"; note = "x\\ty"',
        *IMPORTS.splitlines(),
        "e = create_engine(URL)",
        "",
        "# the end",
    ]
    text = ends.join(lines)
    file = folder.path / "db.py"
    file.write_bytes(bom + text.encode(encoding))
    assert folder.lint(fix=True).fixed == 1
    assert file.read_bytes() == bom + text.replace("(URL)", "(URL, pool_pre_ping=True)").encode(encoding)


def test_a_file_keeps_its_rights_and_a_link_stays_a_link(folder):
    file = folder.write("db.py", IMPORTS + "e = create_engine(URL)\n")
    file.chmod(0o640)
    link = folder.path / "link.py"
    link.symlink_to(file)
    folder.lint("link.py", fix=True)
    assert link.is_symlink()
    assert "pool_pre_ping" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in folder.path.iterdir()) == ["db.py", "link.py"]


def test_a_file_without_anything_to_mend_is_not_written(folder):
    file = folder.write("db.py", IMPORTS)
    before = file.stat()
    folder.lint(fix=True)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_clear_error(folder):
    file = folder.write("db.py", IMPORTS + "e = create_engine(URL)\n")
    before = file.read_bytes()
    folder.path.chmod(0o500)
    try:
        with pytest.raises(ConfigurationError, match=r"db\.py: can't be written"):
            folder.lint(fix=True)
    finally:
        folder.path.chmod(0o700)
    assert file.read_bytes() == before


def test_a_failed_write_leaves_the_old_file_and_no_other(folder, monkeypatch):
    file = folder.write("db.py", IMPORTS + "e = create_engine(URL)\n")
    before = file.read_bytes()

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left on device"):
        folder.lint(fix=True)
    assert file.read_bytes() == before
    assert list(folder.path.iterdir()) == [file]


def test_fixes_that_touch_each_other_wait_for_the_next_round():
    assert apply("f(a)", [(Edit(3, 3, ", b"),), (Edit(3, 3, ", c"),)]) == ("f(a, b)", 1)


def test_a_fix_is_applied_whole_or_not_at_all():
    first, second = (Edit(0, 1, "g"),), (Edit(2, 3, "x"), Edit(0, 1, "h"))
    assert apply("f(a)", [first, second]) == ("g(a)", 1)


def test_a_result_that_does_not_parse_is_thrown_away():
    assert apply("f(a)", [(Edit(3, 4, ""),)]) == ("f(a)", 0)
