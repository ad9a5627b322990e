"""What is wrong with a schema is planted on real servers, planned, and mended; what is right is left alone."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import subprocess
import sys
import threading
import time

import pymysql
import pytest

from stillhere.cli.maintaining import flow
from stillhere.maintain import work

SMALL = ("--min-free", "4M")


def statements(found):
    return [one["statement"] for one in found["steps"]]


def advised(found):
    return sorted((one["rule"].removeprefix("maintain-"), one["subject"]) for one in found["advice"])


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def free(server, table="frag"):
    with contextlib.closing(server.admin()) as connection, connection.cursor() as cursor:
        with contextlib.suppress(pymysql.err.OperationalError):  # MariaDB has no such variable
            cursor.execute("SET SESSION information_schema_stats_expiry = 0")
        cursor.execute(f"SELECT data_free FROM information_schema.TABLES WHERE table_name = '{table}'")
        return cursor.fetchone()[0]


@pytest.fixture
def clean(own):
    """A schema with nothing to mend."""
    own.execute("CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(50), KEY by_name (name))")
    own.execute("CREATE TABLE shop.`we$ird-ö` (id INT PRIMARY KEY)")
    own.execute(
        "CREATE TABLE shop.orders (id INT PRIMARY KEY, customer INT, at DATETIME, KEY by_customer (customer, at),"
        " FOREIGN KEY (customer) REFERENCES shop.customers (id))"
    )
    own.execute("INSERT INTO shop.customers VALUES (1, 'a')")
    return own


def test_for_a_clean_schema_there_is_nothing_to_do(clean, maintain):
    code, text = maintain(clean)
    assert code == 0, text
    assert "nothing to do" in text


def test_everything_that_was_planted_is_found_and_nothing_else(clean, as_json, fragmented):
    server = clean
    fragmented(server)
    assert until(lambda: free(server) > 8 << 20)
    server.execute("CREATE TABLE shop.log (a INT) ENGINE=MyISAM")
    server.execute("CREATE TABLE shop.nokey (a INT, b INT, KEY k1 (a), KEY k2 (a, b))")
    server.execute("CREATE TABLE shop.stale (id INT PRIMARY KEY AUTO_INCREMENT, a INT) STATS_AUTO_RECALC=0")
    server.execute("INSERT INTO shop.stale (a) VALUES (1)")
    for _ in range(12):
        server.execute("INSERT INTO shop.stale (a) SELECT a FROM shop.stale")
    server.execute(
        "UPDATE mysql.innodb_table_stats SET last_update = NOW() - INTERVAL 9 DAY WHERE table_name = 'stale'"
    )
    code, found = as_json(server, *SMALL)
    assert code == 1
    assert statements(found) == [
        "ALTER TABLE `shop`.`frag` FORCE, ALGORITHM=INPLACE, LOCK=NONE",
        "ANALYZE NO_WRITE_TO_BINLOG TABLE `shop`.`stale`",
    ]
    assert advised(found) == [
        ("duplicate-indexes", "shop.nokey"),
        ("engines", "shop.log"),
        ("primary-keys", "shop.nokey"),
    ]
    only = as_json(server, *SMALL, "--only", "engines")[1]
    assert (statements(only), advised(only)) == ([], [("engines", "shop.log")])
    code, text = as_json(server, *SMALL, "--run", "--yes")
    assert code == 0, text
    assert [one["state"] for one in text["steps"]] == ["done", "done"]
    assert free(server) < 4 << 20
    assert statements(as_json(server, *SMALL)[1]) == []


def test_free_space_in_the_shared_tablespace_is_nobodys(own, as_json, fragmented):
    own.set_global({"innodb_file_per_table": "OFF"})
    fragmented(own)
    time.sleep(1)
    assert statements(as_json(own, *SMALL)[1]) == []


def test_an_unused_index_is_advised_on_where_uses_are_counted(server, clean, as_json):
    clean.execute("SELECT * FROM shop.customers WHERE id = 1")
    found = as_json(clean, "--unused-after", "0", "--only", "unused-indexes")[1]
    if server.flavour.name == "MYSQL":
        assert [one["message"] for one in found["advice"]] == ["index by_name of shop.customers was never used"]
    else:
        assert "performance_schema" in found["not_checked"][0]["reason"]


def test_after_a_crash_every_table_is_to_be_checked(server, clean, as_json):
    clean.restart()
    assert statements(as_json(clean)[1]) == []
    clean.crash()
    clean.start()
    found = as_json(clean)[1]
    if server.flavour.name == "MYSQL":
        assert len(statements(found)) == 3
        assert all(one.startswith("CHECK TABLE") for one in statements(found))
    else:
        assert any(gap["kind"] == "check" for gap in found["not_checked"])
        found = as_json(clean, "--log", clean.error_log)[1]
        assert len(statements(found)) == 3
        assert any("killed before" in one["source"] for one in found["steps"][0]["evidence"])
    code, ran = as_json(clean, "--check", "--only", "check", "--run", "--yes")
    assert code == 0
    assert [(one["state"], one["detail"]) for one in ran["steps"]] == [("done", "OK")] * 3


class TestRun:
    """One statement at a time, with care."""

    def steps(self, server):
        for name in ("a", "b", "c"):
            server.execute(f"CREATE TABLE shop.{name} (id INT PRIMARY KEY)")

    def test_a_metadata_lock_that_somebody_holds_is_reported_and_the_rest_goes_on(self, own, as_json):
        self.steps(own)
        with pymysql.connect(host=own.host, port=own.port, user="stillhere", password="stillhere") as holder:
            holder.cursor().execute("LOCK TABLES shop.b WRITE")
            code, found = as_json(own, "--check", "--run", "--yes", "--lock-wait", "1")
        assert code == 1
        states = {one["statement"].split("`")[3]: (one["state"], one["detail"]) for one in found["steps"]}
        assert states["a"][0] == states["c"][0] == "done"
        assert states["b"][0] == "failed"
        assert "a metadata lock is waited for 1 s" in states["b"][1]

    def test_who_holds_it_in_an_open_transaction_is_named(self, own, as_json, fragmented):
        fragmented(own)
        assert until(lambda: free(own) > 8 << 20)
        with pymysql.connect(host=own.host, port=own.port, user="stillhere", password="stillhere") as holder:
            holder.cursor().execute("SELECT COUNT(*) FROM shop.frag")
            code, found = as_json(own, *SMALL, "--run", "--yes", "--lock-wait", "1")
        assert code == 1
        assert "stillhere (id " in found["steps"][0]["detail"]
        code, found = as_json(own, *SMALL, "--run", "--yes")
        assert (code, found["steps"][0]["state"]) == (0, "done")

    def test_an_interrupted_run_goes_on_where_it_was(self, own, maintain, as_json, monkeypatch, tmp_path):
        self.steps(own)
        state = tmp_path / "state.json"
        carried = []

        def until_the_second(statement, *args, **more):
            carried.append(statement)
            if len(carried) == 2:
                raise KeyboardInterrupt
            return work.carry_out(statement, *args, **more)

        monkeypatch.setattr(flow, "carry_out", until_the_second)
        code, _ = maintain(own, "--check", "--run", "--yes", "--state", state)
        assert code == 130
        states = [one["state"] for one in json.loads(state.read_text())["statements"]]
        assert states == ["done", "stopped"]
        carried.clear()
        code, text = maintain(own, "--check", "--run", "--yes", "--state", state)
        assert code == 130  # once more after its second
        assert "done already" in text
        monkeypatch.setattr(flow, "carry_out", work.carry_out)
        code, found = as_json(own, "--check", "--run", "--yes", "--state", state)
        assert code == 0
        assert [one["state"] for one in found["steps"]] == ["done"] * 3

    @pytest.mark.parametrize("driver", ["pymysql", "mysqlclient"])
    def test_ctrl_c_ends_the_statement_that_runs(self, own, tmp_path, driver):
        self.steps(own)
        state = tmp_path / "state.json"
        url = own.url("root", "", driver=driver)
        command = (sys.executable, "-m", "stillhere.cli.main", "maintain", url, "--check", "--run", "--yes")
        waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE info LIKE 'CHECK TABLE%'"
        with pymysql.connect(host=own.host, port=own.port, user="root") as holder:
            holder.cursor().execute("LOCK TABLES shop.b WRITE")
            with subprocess.Popen(
                (*command, "--lock-wait", "60", "--state", state), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as run:
                assert until(lambda: own.execute(waiting)[0][0] == 1)
                run.send_signal(signal.SIGINT)
                output, _ = run.communicate(timeout=60)
            assert until(lambda: own.execute(waiting)[0][0] == 0, 5)
        assert run.returncode == 130, output
        states = [one["state"] for one in json.loads(state.read_text())["statements"]]
        assert states == ["done", "stopped"]

    def test_a_finished_run_is_no_reason_to_skip_the_next(self, own, maintain):
        self.steps(own)
        assert maintain(own, "--check", "--run", "--yes")[0] == 0
        code, text = maintain(own, "--check", "--run", "--yes")
        assert code == 0
        assert "done already" not in text

    def test_another_servers_state_is_refused(self, own, maintain, tmp_path):
        self.steps(own)
        state = tmp_path / "state.json"
        maintain(own, "--check", "--run", "--yes", "--state", state)
        content = json.loads(state.read_text())
        content["statements"][0]["state"] = "failed"
        state.write_text(json.dumps(content | {"identity": "another"}))
        code, text = maintain(own, "--check", "--run", "--yes", "--state", state)
        assert code == 2
        assert "another server" in text

    def test_under_load_nothing_is_begun(self, own, as_json):
        self.steps(own)
        code, found = as_json(own, "--check", "--run", "--yes", "--max-running", "1")
        busy = [pymysql.connect(host=own.host, port=own.port, user="root") for _ in range(4)]
        threads = [threading.Thread(target=lambda one=one: one.cursor().execute("SELECT SLEEP(5)")) for one in busy]
        for thread in threads:
            thread.start()
        assert until(lambda: int(own.execute("SHOW GLOBAL STATUS LIKE 'Threads_running'")[0][1]) > 4)
        code, found = as_json(own, "--check", "--run", "--yes", "--max-running", "3")
        for thread, one in zip(threads, busy, strict=True):
            thread.join()
            one.close()
        assert code == 1
        assert found["steps"][0]["state"] == "stopped"
        assert "Threads_running is" in found["steps"][0]["detail"]
        assert {one["state"] for one in found["steps"][1:]} == {"pending"}

    def test_when_the_load_rises_the_statement_is_ended_and_nothing_of_it_stays(self, own, as_json, fragmented):
        fragmented(own)
        assert until(lambda: free(own) > 8 << 20)
        before = own.execute("CHECKSUM TABLE shop.frag")
        with pymysql.connect(host=own.host, port=own.port, user="root") as holder:
            # The rebuild waits for this transaction's lock while the load rises.
            holder.cursor().execute("SELECT COUNT(*) FROM shop.frag")
            result = {}
            thread = threading.Thread(
                target=lambda: result.update(
                    run=as_json(own, *SMALL, "--run", "--yes", "--max-running", "4", "--lock-wait", "60")
                )
            )
            thread.start()
            waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE state LIKE '%metadata lock%'"
            assert until(lambda: own.execute(waiting)[0][0] == 1)
            busy = [pymysql.connect(host=own.host, port=own.port, user="root") for _ in range(6)]
            load = [threading.Thread(target=lambda one=one: one.cursor().execute("SELECT SLEEP(4)")) for one in busy]
            for one in load:
                one.start()
            thread.join(60)
        for worker, one in zip(load, busy, strict=True):
            worker.join()
            one.close()
        code, found = result["run"]
        assert code == 1
        assert found["steps"][0]["state"] == "stopped"
        assert own.execute("CHECKSUM TABLE shop.frag") == before

    def test_the_answer_no_runs_nothing(self, own, maintain, monkeypatch):
        self.steps(own)
        monkeypatch.setattr(flow, "_agreed", lambda: False)
        code, text = maintain(own, "--check", "--run")
        assert code == 1
        assert "0 of 3 done" in text

    def test_nobody_to_ask_is_no_yes(self, own, maintain, monkeypatch):
        self.steps(own)
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        code, text = maintain(own, "--check", "--run")
        assert code == 2
        assert "add --yes" in text


class TestWithoutRights:
    """A plain account."""

    @pytest.fixture
    def plain(self, own):
        own.execute("CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'plain'")
        return {"user": "plain", "password": "plain"}

    def test_what_is_hidden_from_it_is_not_checked(self, own, maintain, plain):
        own.execute("CREATE TABLE shop.log (a INT) ENGINE=MyISAM")
        code, text = maintain(own, **plain)
        assert code == 0
        assert "not checked: tables: needs SELECT on everything" in text

    def test_what_it_may_not_ask_is_not_checked(self, own, as_json, plain):
        own.execute("CREATE TABLE shop.t (id INT PRIMARY KEY)")
        own.execute("GRANT SELECT ON shop.* TO plain@'127.0.0.1'")
        found = as_json(own, **plain)[1]
        reasons = {one["kind"]: one["reason"] for one in found["not_checked"]}
        assert found["tables"] == 1
        assert "PROCESS" in reasons["rebuild"]
        assert "needs" in reasons["statistics"] or "not allowed" in reasons["statistics"]

    def test_a_step_that_it_may_not_run_says_what_is_missing(self, own, as_json, plain):
        own.execute("CREATE TABLE shop.t (id INT PRIMARY KEY)")
        own.execute("GRANT SELECT ON shop.* TO plain@'127.0.0.1'")
        code, found = as_json(own, "--check", "--run", "--yes", **plain)
        assert code in {0, 1}  # CHECK TABLE needs some right on the table; SELECT is one on MySQL
        assert found["steps"][0]["state"] in {"done", "failed"}


def test_a_url_with_a_database_looks_at_that_schema_only(own, as_json):
    own.execute("CREATE TABLE shop.log (a INT) ENGINE=MyISAM")
    own.execute("CREATE DATABASE other")
    own.execute("CREATE TABLE other.log (a INT) ENGINE=MyISAM")
    assert advised(as_json(own, database="other")[1]) == [("engines", "other.log")]


def test_looking_leaves_the_counters_alone(own, maintain):
    before = own.execute("SHOW GLOBAL STATUS LIKE 'Aborted%'")
    maintain(own)
    maintain(own, "--check", "--run", "--yes")
    assert own.execute("SHOW GLOBAL STATUS LIKE 'Aborted%'") == before
