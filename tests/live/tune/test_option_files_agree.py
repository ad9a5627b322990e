"""Our reading of option files beside that of both servers' own my_print_defaults."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stillhere.errors import LabError
from stillhere.lab.packages import obtain
from stillhere.server.versions import Flavour, ServerVersion
from stillhere.tune.optionfile import Kind, parse
from stillhere.tune.spelling import conventions
from stillhere.tune.tree import read_tree

PIECES = st.sampled_from(
    [
        *("a", "wait_timeout", "=", " = ", " ", "\t", '"', "'", "\\", "\\\\", "#", ";", "n", "s", "q", "5", "- "),
        *("[", "]", "mysqld", "server", "\r", "\xa0", "\x0b", "é", "!", "loose_", "skip-name-resolve"),
    ]
)
LINES = st.one_of(
    st.lists(PIECES, max_size=9).map("".join),
    st.sampled_from(["[mysqld]", "[server]", "[client]", "[mysqld ] x", "[ mysqld]", "[MYSQLD]", 'a = "b # c" # d']),
)


@pytest.fixture(params=[pytest.param(one, marks=getattr(pytest.mark, one.name.lower())) for one in Flavour])
def printed(request):
    """Runs a real my_print_defaults on a file: the lines it prints; ``None`` where it refuses the file."""
    command = program(request.param)

    def run(path: Path, *groups: str) -> list[bytes] | None:
        done = subprocess.run([*command, f"--defaults-file={path}", *groups], capture_output=True, check=False)
        return done.stdout.split(b"\n")[:-1] if done.returncode == 0 else None

    return run


def program(flavour: Flavour) -> list[str]:
    try:
        found = obtain(flavour)
    except LabError as error:
        pytest.skip(str(error))
    beside = found.program.parent.parent / "bin" / "my_print_defaults"
    if not beside.is_file() and (on_path := shutil.which("my_print_defaults")):
        beside = Path(on_path)
    if not beside.is_file():
        pytest.skip(f"{found.release} came without my_print_defaults")
    loader = [part if part != str(found.program) else str(beside) for part in found.command]
    return [*loader, *(["--show"] if flavour is Flavour.MYSQL else [])]


def ours(data: bytes, groups: set[bytes]) -> list[bytes]:
    found = [line for line in parse(data).lines if line.kind is Kind.OPTION and line.group.lower() in groups]
    return [b"--" + one.name + (b"" if one.value is None else b"=" + one.value) for one in found]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=9), newline=st.sampled_from(["\n", "\r\n"]))
def test_both_read_the_same_options_and_refuse_the_same_files(printed, tmp_path, lines, newline):
    data = newline.join(["[mysqld]", *lines]).encode("latin-1")
    problems = parse(data).problems
    # A name may be missing: then the servers read before the line's start, and print what stands there.
    assume(not any("no name" in problem for _, problem in problems))
    path = tmp_path / "one.cnf"
    path.write_bytes(data)
    found = printed(path, "mysqld", "server")
    if problems:
        assert found is None
    else:
        # A value may hold a line end of its own (\n): compared as one text.
        assert b"\n".join(found) == b"\n".join(ours(data, {b"mysqld", b"server"}))


def test_a_byte_order_mark_is_refused_by_servers_as_by_us(printed, tmp_path):
    path = tmp_path / "bom.cnf"
    path.write_bytes(b"\xef\xbb\xbf[mysqld]\nwait_timeout=5\n")
    assert printed(path, "mysqld") is None
    assert parse(path.read_bytes()).problems


def test_included_files_are_met_in_the_same_order(printed, tmp_path):
    folder = tmp_path / "conf.d"
    folder.mkdir()
    for name in ("z.cnf", "a.cnf", "B.cnf", "10.cnf", "9.cnf", "b.ini", "c.cnf.bak", ".hidden.cnf"):
        (folder / name).write_text(f"[mysqld]\nwait_timeout=1\n# {name}\nlc_messages={name}\n")
    (tmp_path / "after.cnf").write_text("[server]\nlc_messages=after\n")
    path = tmp_path / "my.cnf"
    path.write_text(
        f"[client]\nlc_messages=no\n[mysqld]\nlc_messages=first\n!includedir {folder}\n!include {tmp_path}/after.cnf\n"
        f"!include {tmp_path}/none.cnf\nlc_messages=last\n"
    )
    for one in (path, *folder.iterdir(), tmp_path / "after.cnf"):
        one.chmod(0o644)
    rules = conventions(ServerVersion(Flavour.MYSQL, (9, 7, 0)), ("wait_timeout", "lc_messages"))
    found = [line.removeprefix(b"--lc_messages=").decode() for line in printed(path, "mysqld", "server")]
    assert [one for one in found if "wait_timeout" not in one] == [
        one.value for one in read_tree(path, rules).of("lc_messages")
    ]


def test_a_file_that_everybody_may_write_is_passed_over_by_both(printed, tmp_path):
    other = tmp_path / "other.cnf"
    other.write_text("[mysqld]\nwait_timeout=5\n")
    other.chmod(0o666)
    path = tmp_path / "my.cnf"
    path.write_text(f"[mysqld]\nport=1\n!include {other}\n")
    path.chmod(0o644)
    assert printed(path, "mysqld") == [b"--port=1"]
