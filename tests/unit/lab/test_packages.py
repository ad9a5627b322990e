"""Finding server programs, without running a server or asking a network."""

from __future__ import annotations

import threading

import pytest

from stillhere.errors import LabError, UnknownName
from stillhere.lab import apt, packages
from stillhere.lab.cache import cache_root, finished
from stillhere.server.versions import Flavour


def program(path, release: str):
    """A file that answers ``--version`` as a server does, and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "mysqld  Ver {release} for Linux on x86_64 (any)"\n')
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv(packages.OWN_SERVER, raising=False)
    monkeypatch.setattr(packages, "_BESIDES_PATH", ())


@pytest.mark.parametrize(
    ("output", "release"),
    [
        ("mariadbd  Ver 10.11.11-MariaDB-0+deb12u1 for debian-linux-gnu", "10.11.11-MariaDB-0+deb12u1"),
        ("/usr/sbin/mysqld  Ver 9.7.0-1 for Linux on x86_64 ((Debian))", "9.7.0-1"),
        ("PostgreSQL 17", None),
        ("", None),
    ],
)
def test_the_release_is_read_from_what_version_prints(output, release):
    assert packages.release_in(output) == release


def test_a_server_named_mysqld_that_is_mariadb_is_no_mysql(tmp_path):
    program(tmp_path / "bin/mysqld", "10.11.11-MariaDB")
    assert packages.find(Flavour.MYSQL) is None
    assert packages.find(Flavour.MARIADB).version.number == (10, 11, 11)


def test_the_users_own_server_comes_before_the_search_path(monkeypatch, tmp_path):
    program(tmp_path / "bin/mysqld", "8.4.0")
    own = program(tmp_path / "own/mysqld", "9.1.0")
    monkeypatch.setenv(packages.OWN_SERVER, str(own))
    assert packages.find(Flavour.MYSQL).program == own


def test_the_users_own_server_stands_in_for_its_own_flavour_only(monkeypatch, tmp_path):
    program(tmp_path / "bin/mariadbd", "11.4.2-MariaDB")
    monkeypatch.setenv(packages.OWN_SERVER, str(program(tmp_path / "own/mysqld", "9.1.0")))
    assert packages.find(Flavour.MARIADB).version.number == (11, 4, 2)


@pytest.mark.parametrize("content", [None, "#!/bin/sh\nexit 3\n", "#!/bin/sh\necho hello\n"])
def test_an_own_server_that_is_none_is_refused_and_not_passed_over(monkeypatch, tmp_path, content):
    own = tmp_path / "own"
    if content is not None:
        own.write_text(content)
        own.chmod(0o755)
    monkeypatch.setenv(packages.OWN_SERVER, str(own))
    with pytest.raises(LabError, match=str(own)):
        packages.find(Flavour.MYSQL)


def test_the_newest_finished_mysql_in_the_cache_is_taken(tmp_path):
    for release in ("9.2.0-1", "9.10.0-1"):
        prefix = cache_root() / "mysql" / release
        server = program(prefix / "usr/sbin/mysqld", release)
        loader = program(prefix / "usr/lib64/ld-linux-x86-64.so.2", release)
        loader.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')  # as the real one: --library-path WHERE PROGRAM …
    (cache_root() / "mysql" / "9.11.0-1").mkdir()  # damaged
    found = packages.find(Flavour.MYSQL)
    assert found.version.number == (9, 10, 0)
    assert found.command[-1] == str(server)


def test_without_a_mariadb_the_error_says_what_to_install():
    with pytest.raises(LabError, match="apt-get install mariadb-server-core"):
        packages.obtain(Flavour.MARIADB)


def test_without_any_way_to_a_mysql_the_error_says_what_was_tried():
    with pytest.raises(LabError, match=r"own packages: there is no .*Debian's unstable suite: there is no apt-get"):
        packages.obtain(Flavour.MYSQL)
    assert list((cache_root() / "mysql").iterdir()) == []


def test_an_unknown_flavour_is_named_with_those_there_are():
    with pytest.raises(UnknownName, match=r"'oracle'.*mariadb, mysql"):
        packages.flavour_named("oracle")


def test_the_module_run_as_a_program_ends_with_2_and_one_line(capsys):
    assert packages.main(["oracle"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("targets", "site"),
    [
        (["http://a/debian-security|x-security|Debian|Debian-Security|main", "http://a/debian|x|Debian|Debian|main"],
         "http://a/debian"),
        (["http://a/tools|x|Tools|Tools|main", "http://b/pool|x|Debian|Debian|main"], "http://b/pool"),
        (["http://a/debian-security|x-security|||main", "http://a/debian|x|||main"], "http://a/debian"),
        (["http://a/debian|x|$(ORIGIN)|$(LABEL)|main"], "http://a/debian"),
        (["http://a/ubuntu|x|Ubuntu|Ubuntu|main"], None),
        (["http://a/debian|x|Vendor|Vendor|main"], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_debian_archive_is_picked_among_the_systems_own_sources(targets, site):
    assert apt.archive_site(targets) == site


def test_the_cache_lies_under_home_where_the_variable_is_not_absolute(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_root() == tmp_path / ".cache/stillhere"


def test_a_directory_whose_making_failed_is_not_there(tmp_path):
    def fail(draft):
        (draft / "half").touch()
        raise OSError

    with pytest.raises(OSError, match=r"^$"):
        finished(tmp_path / "made", fail)
    assert [path.name for path in tmp_path.iterdir() if path.name != "made.lock"] == []


def test_two_at_once_make_a_directory_once(tmp_path):
    made = []
    begun = threading.Barrier(2)

    def fill(draft):
        made.append(draft)
        (draft / "whole").touch()

    def work():
        begun.wait()
        assert (finished(tmp_path / "made", fill) / "whole").exists()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(made) == 1
