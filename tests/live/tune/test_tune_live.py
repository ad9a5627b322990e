"""Settings that cut connections are planted on real servers, named by what was measured, changed, and taken back."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
import time

import pymysql
import pytest

from .conftest import until

PLAIN = ("plain", "plain-pw")


def changes(found):
    return {one["name"]: one["after"] for one in found["changes"]}


def value(server, name):
    return str(server.execute(f"SELECT @@GLOBAL.{name}")[0][0])


def idle_until_cut(connect, server, number=2):
    """Connections of the application that the server cuts for their idleness."""
    held = [connect(server) for _ in range(number)]
    ids = {one.thread_id() for one in held}
    assert until(lambda: not ids & {row[0] for row in server.execute("SHOW PROCESSLIST")})
    return held


def with_option_file(server, path, text):
    """Restart a server so that it reads this option file, from now on."""
    path.write_text(text, newline="")
    path.chmod(0o640)
    command = server._command
    server._command = lambda: tuple(
        f"--defaults-file={path}" if part == "--no-defaults" else part for part in command()
    )
    server.restart()


@pytest.fixture
def plain(own):
    """An account without any right."""
    own.execute(f"CREATE USER {PLAIN[0]}@'127.0.0.1' IDENTIFIED BY '{PLAIN[1]}'")
    return {"user": PLAIN[0], "password": PLAIN[1]}


def test_on_a_healthy_default_server_there_is_nothing_to_change(own, tune):
    code, text = tune(own)
    assert code == 0
    assert "nothing to change" in text
    assert "→" not in text


class TestIdleLimit:
    """wait_timeout of two seconds."""

    @pytest.mark.mysql
    def test_mysql_counts_the_cuts_and_whose_they_were(self, mysql, connect, as_json):
        before = mysql.set_global({"wait_timeout": 2})
        try:
            idle_until_cut(connect, mysql)
            code, found = as_json(mysql)
        finally:
            mysql.set_global(before)
        assert code == 1
        assert changes(found) == {"wait_timeout": "600"}
        facts = [one["fact"] for one in found["changes"][0]["evidence"]]
        assert any("idle for longer than its limit" in fact and "stillhere@127.0.0.1" in fact for fact in facts)

    @pytest.mark.parametrize("own", [{"default_time_zone": "+05:00"}], indirect=True)
    def test_cuts_from_before_a_change_are_not_held_against_it(self, server, own, connect, as_json):
        if server.flavour.name != "MYSQL":
            pytest.skip("MariaDB counts no cuts")
        own.set_global({"wait_timeout": 1})
        idle_until_cut(connect, own, 1)
        assert changes(as_json(own)[1]) == {"wait_timeout": "600"}
        time.sleep(1)  # the server notes the last cut in whole seconds
        own.set_global({"wait_timeout": 3})
        code, found = as_json(own)
        assert (code, changes(found)) == (0, {})

    @pytest.mark.mariadb
    def test_on_mariadb_it_is_seen_by_watching(self, mariadb, connect, as_json):
        before = mariadb.set_global({"wait_timeout": 2})
        try:
            held = [connect(mariadb) for _ in range(2)]
            code, found = as_json(mariadb, "--watch", "5s")
            blind = as_json(mariadb)
        finally:
            mariadb.set_global(before)
        assert held
        assert code == 1
        assert changes(found) == {"wait_timeout": "600"}
        assert any("watched for" in one["source"] for one in found["changes"][0]["evidence"])
        assert blind[0] == 0
        assert "--watch" in blind[1]["not_checked"]["wait_timeout"]

    @pytest.mark.parametrize("own", [{"wait_timeout": 2, "default_time_zone": "+05:00"}], indirect=True)
    def test_on_mariadb_the_error_log_tells_of_this_life_only(self, server, own, connect, as_json):
        if server.flavour.name != "MARIADB":
            pytest.skip("MySQL counts its cuts itself")
        idle_until_cut(connect, own)
        code, found = as_json(own, "--log", own.error_log)
        assert (code, changes(found)) == (1, {"wait_timeout": "600"})
        facts = [one["fact"] for one in found["changes"][0]["evidence"]]
        assert any("2 connections ended: idle" in fact and "stillhere@127.0.0.1 2" in fact for fact in facts)
        assert found["not_checked"] == {}
        own.restart()
        code, found = as_json(own, "--log", own.error_log)
        assert (code, changes(found), found["not_checked"]) == (0, {}, {})

    @pytest.mark.mariadb
    def test_a_log_that_is_not_told_of_cuts_is_no_evidence(self, mariadb, as_json):
        before = mariadb.set_global({"log_warnings": 1})
        try:
            found = as_json(mariadb, "--log", mariadb.error_log)[1]
        finally:
            mariadb.set_global(before)
        assert "log_warnings is 1" in found["not_checked"]["wait_timeout"]

    def test_a_log_that_is_not_there_is_an_error(self, server, tune, tmp_path):
        code, text = tune(server, "--log", tmp_path / "none.log")
        assert code == (0 if server.flavour.name == "MYSQL" else 2), text

    def test_it_is_applied_and_older_sessions_are_counted(self, server, own, connect, tune):
        own.set_global({"wait_timeout": 120})
        held = [connect(own), connect(own), connect(own)]
        code, text = tune(own, "--idle", "5m", "--apply", "--yes")
        assert held
        assert code == 0
        assert value(own, "wait_timeout") == "450"
        assert "wait_timeout: 120 s → 450 s" in text
        assert ("until the next restart" in text) is (server.flavour.name == "MARIADB")
        assert "3 sessions that logged in before (stillhere 3)" in text
        assert tune(own, "--idle", "5m")[0] == 0

    def test_it_is_taken_back(self, own, tune, tmp_path):
        own.set_global({"wait_timeout": 120})
        undo = tmp_path / "undo.json"
        assert tune(own, "--set", "wait_timeout=300", "--apply", "--yes", "--undo-file", undo)[0] == 0
        assert value(own, "wait_timeout") == "300"
        code, text = tune(own, "--undo", undo, "--yes")
        assert code == 0, text
        assert value(own, "wait_timeout") == "120"
        assert tune(own, "--undo", undo)[:1] == (0,)

    def test_what_somebody_changed_since_is_left_alone(self, own, tune, tmp_path):
        undo = tmp_path / "undo.json"
        tune(own, "--set", "wait_timeout=300", "--apply", "--yes", "--undo-file", undo)
        own.set_global({"wait_timeout": 77})
        code, text = tune(own, "--undo", undo, "--yes")
        assert code == 1
        assert "it is 77 now" in text
        assert value(own, "wait_timeout") == "77"

    @pytest.mark.mysql
    def test_persisted_on_mysql_it_outlives_a_restart_and_so_does_taking_it_back(self, server, own, tune, tmp_path):
        if server.flavour.name != "MYSQL":
            pytest.skip("MariaDB has no SET PERSIST")
        with_option_file(own, tmp_path / "my.cnf", "[mysqld]\n")  # without any it doesn't read mysqld-auto.cnf either
        undo = tmp_path / "undo.json"
        tune(own, "--set", "wait_timeout=300", "--apply", "--yes", "--undo-file", undo)
        own.restart()
        assert value(own, "wait_timeout") == "300"
        assert tune(own, "--undo", undo, "--yes")[0] == 0
        own.restart()
        assert value(own, "wait_timeout") == "28800"

    @pytest.mark.mariadb
    def test_on_mariadb_the_option_files_line_is_given_instead(self, mariadb, tune):
        code, text = tune(mariadb, "--set", "wait_timeout=300")
        assert code == 1
        assert "MariaDB has no SET PERSIST" in text
        assert "wait_timeout = 300" in text
        assert "SET GLOBAL wait_timeout = 300;" in text


class TestOptionFile:
    """A server that was started with the option file."""

    TEXT = (
        "# kept\r\n[client]\r\npassword = s3cret-pw\r\n\r\n[mysqld]\r\n  wait-timeout = '120'  # why\r\nback_log=70\r\n"
    )

    @pytest.fixture
    def cnf(self, own, tmp_path):
        path = tmp_path / "my.cnf"
        with_option_file(own, path, self.TEXT)
        assert value(own, "wait_timeout") == "120"
        return path

    def test_it_is_patched_and_outlives_a_restart_and_so_does_taking_it_back(self, own, cnf, tune, tmp_path):
        undo = tmp_path / "undo.json"
        code, text = tune(own, "--cnf", cnf, "--idle", "5m", "--apply", "--yes", "--undo-file", undo)
        assert code == 0, text
        assert cnf.read_bytes().decode() == self.TEXT.replace("'120'", "'450'")
        assert value(own, "wait_timeout") == "450"
        own.restart()
        assert value(own, "wait_timeout") == "450"
        code, text = tune(own, "--undo", undo, "--yes")
        assert code == 0, text
        assert cnf.read_bytes().decode() == self.TEXT
        own.restart()
        assert value(own, "wait_timeout") == "120"

    def test_the_diff_and_the_place_are_shown_and_no_password(self, own, cnf, tune):
        code, text = tune(own, "--cnf", cnf, "--set", "wait_timeout=10m")
        assert code == 1
        assert "my.cnf:6 says 120, and wins" in text
        assert "+  wait-timeout = '600'  # why" in text
        assert "password = ***" in text
        assert "s3cret-pw" not in text
        assert cnf.read_bytes().decode() == self.TEXT

    def test_what_is_set_by_hand_already_is_still_written_down(self, own, cnf, tune):
        own.set_global({"wait_timeout": 600})
        assert tune(own, "--cnf", cnf, "--set", "wait_timeout=600", "--apply", "--yes")[0] == 0
        assert b"wait-timeout = '600'" in cnf.read_bytes()

    def test_a_file_that_an_include_overrules_is_not_written_and_the_setting_is_named(self, own, cnf, tune, tmp_path):
        other = tmp_path / "other.cnf"
        other.write_text("[mysqld]\nwait_timeout = 200\n")
        other.chmod(0o644)
        with cnf.open("a", newline="") as stream:
            stream.write(f"!include {other}\r\n")
        own.restart()
        before = cnf.read_bytes()
        code, text = tune(own, "--cnf", cnf, "--set", "wait_timeout=600", "--apply", "--yes")
        assert code == 0, text
        assert f"{other}:2 sets it to 200 and is read later" in " ".join(text.split())
        assert cnf.read_bytes() == before

    def test_a_link_is_refused_and_nothing_is_changed(self, own, cnf, tune, tmp_path):
        link = tmp_path / "link.cnf"
        link.symlink_to(cnf)
        code, text = tune(own, "--cnf", link, "--set", "wait_timeout=600", "--apply", "--yes")
        assert code == 2
        assert "is a link to" in text
        assert value(own, "wait_timeout") == "120"

    def test_a_file_that_servers_can_not_read_is_refused_and_nothing_is_changed(self, own, cnf, tune):
        cnf.write_bytes(b"wait_timeout=5\n" + cnf.read_bytes())
        code, text = tune(own, "--cnf", cnf, "--set", "wait_timeout=600", "--apply", "--yes")
        assert code == 2
        assert "before any [group]" in text
        assert value(own, "wait_timeout") == "120"


class TestLimitsOfTheServersOwn:
    """Wishes are held against the server's own tables."""

    @pytest.mark.parametrize(
        ("wish", "said"),
        [
            ("wait_timeout=0", "1 to 31536000"),
            ("max_allowed_packet=2G", "1024 to 1073741824"),
            ("max_allowed_packet=5000", "multiple of 1024"),
        ],
    )
    def test_a_value_out_of_range_is_refused(self, server, tune, wish, said):
        code, text = tune(server, "--set", wish)
        assert code == 2
        assert said in text

    def test_without_rights_nothing_is_changed_and_what_is_missing_is_named(self, own, tune, plain):
        code, text = tune(own, "--set", "wait_timeout=300", "--apply", "--yes", **plain)
        assert code == 2
        assert "needs" in text
        assert "everything is as it was" in text
        assert value(own, "wait_timeout") == "28800"

    def test_without_rights_the_gaps_are_named(self, own, as_json, plain):
        code, found = as_json(own, **plain)
        assert code == 0
        assert "wait_timeout" in found["not_checked"]

    def test_an_undo_file_of_another_server_is_refused(self, own, server, tune, tmp_path):
        undo = tmp_path / "undo.json"
        tune(own, "--set", "wait_timeout=300", "--apply", "--yes", "--undo-file", undo)
        code, text = tune(server, "--undo", undo, "--yes")
        assert code == 2
        assert "another server" in text

    def test_nobody_to_ask_is_no_yes(self, own, tune, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        code, text = tune(own, "--set", "wait_timeout=300", "--apply")
        assert code == 2
        assert "add --yes" in text
        assert value(own, "wait_timeout") == "28800"

    @pytest.mark.parametrize(("answer", "code", "after"), [("y", 0, "300"), ("n", 1, "28800"), ("", 1, "28800")])
    def test_who_is_asked_decides(self, own, tune, monkeypatch, answer, code, after):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
        assert tune(own, "--set", "wait_timeout=300", "--apply")[0] == code
        assert value(own, "wait_timeout") == after

    def test_what_only_an_option_file_can_set_is_not_said_to_be_done(self, server, own, tune, tmp_path):
        if server.flavour.name == "MYSQL":
            pytest.skip("MySQL has SET PERSIST_ONLY")
        code, text = tune(own, "--set", "skip_name_resolve=off", "--apply", "--yes")
        assert code == 2
        assert "give it with --cnf" in text
        code, text = tune(own, "--set", "skip_name_resolve=off", "--set", "wait_timeout=300", "--apply", "--yes")
        assert code == 1
        assert "skip_name_resolve: was not changed" in text
        assert "wait_timeout: 28800 s → 300 s (until the next restart)" in text
        path = tmp_path / "my.cnf"
        path.write_text("[mysqld]\n")
        assert tune(own, "--set", "skip_name_resolve=off", "--cnf", path, "--apply", "--yes")[0] == 0
        assert path.read_text() == "[mysqld]\nskip_name_resolve = OFF\n"

    def test_a_managed_service_gets_a_list_of_parameters(self, server, tune):
        code, text = tune(server, "--set", "wait_timeout=300", "--managed", "rds")
        assert code == 1
        assert "ParameterName=wait_timeout,ParameterValue=300,ApplyMethod=immediate" in text
        assert not [line for line in text.splitlines() if line.strip().startswith("SET ")]


class TestOtherCuts:
    """Each setting is named by its own measurement, and no other one is."""

    @pytest.mark.parametrize("own", [{"max_allowed_packet": 1 << 20}], indirect=True)
    def test_a_packet_that_was_refused(self, server, own, connect, as_json):
        with contextlib.suppress(pymysql.Error):
            connect(own).cursor().execute(f"SELECT '{'a' * (2 << 20)}'")
        mysql = server.flavour.name == "MYSQL"
        told = () if mysql else ("--log", own.error_log)
        assert until(lambda: "max_allowed_packet" in changes(as_json(own, *told)[1]))
        assert changes(as_json(own, *told)[1]) == {"max_allowed_packet": str((64 if mysql else 16) << 20)}
        assert changes(as_json(own, *told, "--packet", "3M")[1]) == {"max_allowed_packet": str(4 << 20)}

    @pytest.mark.parametrize("own", [{"max_connections": 10}], indirect=True)
    def test_clients_that_were_refused_while_others_worked(self, own, connect, as_json, plain):
        workers = [connect(own, **plain) for _ in range(10)]
        with pytest.raises(pymysql.OperationalError, match="Too many"):
            connect(own, **plain)
        threads = [
            threading.Thread(target=lambda one=one: one.cursor().execute("SELECT SLEEP(3)")) for one in workers[:9]
        ]
        workers[9].close()
        for thread in threads:
            thread.start()
        assert until(lambda: sum(row[4] == "Query" for row in own.execute("SHOW PROCESSLIST")) >= 9)
        code, found = as_json(own)
        for thread in threads:
            thread.join()
        assert code == 1
        assert changes(found) == {"max_connections": "50"}

    @pytest.mark.parametrize("own", [{"max_connections": 10}], indirect=True)
    def test_clients_that_were_refused_while_a_pool_was_idle(self, own, connect, as_json, plain):
        pool = [connect(own, **plain) for _ in range(10)]
        with pytest.raises(pymysql.OperationalError, match="Too many"):
            connect(own, **plain)
        pool.pop().close()
        code, found = as_json(own)
        assert (code, changes(found)) == (0, {})
        (note,) = found["notes"]
        assert any("plain@127.0.0.1 holds 9 idle" in one["fact"] for one in note["evidence"])

    @pytest.mark.parametrize("own", [{"connect_timeout": 2}], indirect=True)
    def test_handshakes_that_ran_out_of_time(self, own, as_json):
        with socket.create_connection((own.host, own.port)) as slow:
            slow.recv(100)
            slow.settimeout(20)
            with contextlib.suppress(ConnectionResetError):  # MariaDB's way to end it
                while slow.recv(100):
                    pass
        assert changes(as_json(own)[1]) == {"connect_timeout": "10"}

    @pytest.mark.parametrize("own", [{"net_write_timeout": 1}], indirect=True)
    def test_a_result_that_was_left_unread(self, server, own, as_json):
        mysql = server.flavour.name == "MYSQL"
        told = () if mysql else ("--log", own.error_log)
        with pymysql.connect(host=own.host, port=own.port, user="stillhere", password="stillhere") as lazy:
            rows = "WITH RECURSIVE n AS (SELECT 1 a UNION ALL SELECT a + 1 FROM n WHERE a < 900)"
            lazy._execute_command(3, f"{rows} SELECT REPEAT('x', 100000) FROM n")
            gone = lazy.thread_id()
            assert until(lambda: gone not in {row[0] for row in own.execute("SHOW PROCESSLIST")})
            lazy._force_close()
            found = changes(as_json(own, *told)[1])
        if mysql or found:  # MariaDB's log doesn't always say that it was a timeout
            assert found == {"net_write_timeout": "60"}

    @pytest.mark.parametrize("own", [{"performance_schema": 1, "max_connect_errors": 3}], indirect=True)
    def test_a_host_that_was_shut_out(self, own, as_json):
        command = own._command
        own._command = lambda: tuple(part for part in command() if part != "--skip-name-resolve")
        own.restart()
        own.execute("CREATE USER far@'127.0.0.2'")
        for _ in range(4):  # not 127.0.0.1: servers keep no account of their own loopback
            with socket.create_connection((own.host, own.port), source_address=("127.0.0.2", 0)) as check:
                check.recv(4)
        assert until(
            lambda: own.execute("SELECT MAX(sum_connect_errors) FROM performance_schema.host_cache")[0][0] >= 3
        )
        assert changes(as_json(own)[1]).get("max_connect_errors") == "10000"


def test_the_measuring_itself_leaves_the_counters_alone(own, tune):
    def counters():
        return dict(own.execute("SHOW GLOBAL STATUS LIKE 'Aborted%'"))

    before = counters()
    tune(own)
    tune(own, "--set", "wait_timeout=300", "--apply", "--yes")
    assert counters() == before


def test_json_of_an_applied_change_tells_all(own, as_json, tmp_path):
    undo = tmp_path / "undo.json"
    code, found = as_json(own, "--set", "net_write_timeout=90", "--apply", "--yes", "--undo-file", undo)
    assert code == 0
    assert found["applied"] is True
    assert found["values"] == {"net_write_timeout": "90"}
    assert json.loads(undo.read_text())["settings"][0]["after"] == "90"
