"""The doctor on real servers: a fresh one is clean, each fault is found and no other, and its own remedy mends it."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime, timedelta

import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stillhere.doctor.checks import idle_in_transaction, lock_wait_long
from stillhere.doctor.engines import EngineFacts
from stillhere.doctor.logs import log_file
from stillhere.findings import Severity
from stillhere.server.versions import Flavour

EVERYWHERE = {
    "wait-timeout-short": {"wait_timeout": 20},
    "wait-timeout-long": {"wait_timeout": 604800},
    "net-read-timeout-short": {"net_read_timeout": 5},
    "net-write-timeout-short": {"net_write_timeout": 10},
    "connect-timeout-short": {"connect_timeout": 2},
    "max-allowed-packet-small": {"max_allowed_packet": 1048576},
    "max-connect-errors-low": {"max_connect_errors": 3},
    "commits-not-durable": {"innodb_flush_log_at_trx_commit": 0},
    "tables-not-transactional": {"default_storage_engine": "MyISAM"},
    "server-read-only": {"read_only": 1},
    "init-connect-sets-timeout": {"init_connect": "SET wait_timeout=30"},
}
ONLY = {
    Flavour.MARIADB: {
        "log-hides-losses": {"log_warnings": 0},
        "idle-transaction-limit": {"idle_transaction_timeout": 5},
        "semisync-alone": {"rpl_semi_sync_master_enabled": 1},
    },
    Flavour.MYSQL: {
        "log-hides-losses": {"log_error_verbosity": 1},
        "offline-mode": {"offline_mode": 1},
    },
}
EVERY_RULE = sorted({*EVERYWHERE, *ONLY[Flavour.MARIADB], *ONLY[Flavour.MYSQL]})


@contextlib.contextmanager
def planted(server, *faults):
    before = {}
    try:
        for variables in faults:
            before = server.set_global(variables) | before
        yield
    finally:
        if server.flavour is Flavour.MYSQL:
            server.execute("RESET PERSIST")
        server.set_global({name: "" if value is None else value for name, value in before.items()})


def faults_of(server):
    return EVERYWHERE | ONLY[server.flavour]


def apply(run, finding):
    """Run what the remedy says, but for what goes into an option file."""
    commands = [text for text in finding.remedy.commands if text.endswith(";")]
    assert commands, f"{finding.rule} has no command to run"
    for command in commands:
        run(command.rstrip(";"))


def hang_up(server, times):
    for _ in range(times):
        pymysql.connect(host="127.0.0.1", port=server.port, user="root")._force_close()


def settled(server, counter, least):
    """Wait until the server has noticed."""
    end = time.monotonic() + 10
    while int(server.execute(f"SHOW GLOBAL STATUS LIKE '{counter}'")[0][1]) < least:
        assert time.monotonic() < end, f"{counter} stayed below {least}"
        time.sleep(0.01)


def before_long(look, rule):
    """The findings of a rule, once there are any. INNODB_TRX is a copy, renewed after 0.1 s without a look."""
    end = time.monotonic() + 10
    while not (found := [one for one in look().findings if one.rule == rule]):
        assert time.monotonic() < end, f"{rule} was not found"
        time.sleep(0.2)
    return found


@pytest.fixture
def table(patient):
    """An InnoDB table with a row, in a schema of its own."""
    patient.execute("CREATE DATABASE d")
    patient.execute("CREATE TABLE d.t (a INT PRIMARY KEY, b INT) ENGINE=InnoDB")
    patient.execute("INSERT INTO d.t VALUES (1, 1)")
    yield "d.t"
    patient.execute("DROP DATABASE d")


@contextlib.contextmanager
def account(server, name, *grants, options=""):
    server.execute(f"CREATE USER '{name}'@'%' {options}")
    try:
        for grant in grants:
            server.execute(f"GRANT {grant} TO '{name}'@'%'")
        yield name
    finally:
        server.execute(f"DROP USER '{name}'@'%'")


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_a_fresh_server_has_nothing_to_fix(patient, seen, driver):
    found = seen(patient, driver=driver)
    assert [one.rule for one in found.findings if one.severity > Severity.INFO] == []
    assert found.checked > 45
    reasons = {one.reason.partition(":")[0] for one in found.not_checked}
    assert reasons - {"needs --log"} == {
        "needs --app",
        "needs --measure-idle",
        "needs losses that stillhere recorded on this machine",
    }


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_a_planted_fault_is_found_and_no_other_and_its_remedy_mends_it(patient, seen, rules, rule):
    fault = faults_of(patient).get(rule)
    if fault is None:
        pytest.skip(f"{patient.version} has no such setting")
    with planted(patient, fault):
        [finding] = [one for one in seen(patient).findings if one.severity > Severity.INFO]
        assert finding.rule == rule
        apply(patient.execute, finding)
        assert rules(patient) == set()


def test_all_faults_together_are_all_found(patient, rules):
    faults = {rule: fault for rule, fault in faults_of(patient).items() if rule != "wait-timeout-long"}
    with planted(patient, *faults.values()):
        assert rules(patient) == set(faults)


def test_looking_raises_no_counter_of_aborted_connections(patient, seen):
    """Aborts are counted after the client is gone, so what earlier tests left is waited for by one look."""
    counters = "SHOW GLOBAL STATUS WHERE variable_name IN ('Aborted_clients', 'Aborted_connects')"
    seen(patient)
    before = patient.execute(counters)
    for driver in ("pymysql", "mysqldb") * 3:
        seen(patient, driver=driver)
    assert patient.execute(counters) == before


def test_without_rights_checks_are_not_checked_and_nothing_fails(patient, seen):
    with account(patient, "plain"):
        found = seen(patient, account="plain")
    assert [one.rule for one in found.findings if one.severity > Severity.INFO] == []
    reasons = {one.check: one.reason for one in found.not_checked}
    assert "PROCESS" in reasons["idle-in-transaction"]
    assert "PROCESS" in reasons["connections-hoarded"]
    assert reasons["replica-stopped"] == "needs REPLICATION CLIENT"
    assert reasons["host-near-block"] == "needs SELECT on performance_schema"
    assert reasons["account-hourly-limit"] == "needs SELECT on mysql.user"


def test_max_connections_reached_is_found_and_raising_it_mends_it(own, seen, rules):
    own.set_global({"max_connections": 10})
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            one = stack.enter_context(contextlib.closing(pymysql.connect(host="127.0.0.1", port=own.port, user="root")))
        [finding] = [one for one in seen(own).findings if one.severity > Severity.INFO]
        assert finding.rule == "max-connections-reached"
        assert finding.severity is Severity.ERROR
        apply(one.cursor().execute, finding)
        assert rules(own) == set()


def test_a_session_that_sleeps_in_its_transaction_is_named(patient, table, seen, monkeypatch):
    monkeypatch.setattr(idle_in_transaction, "LONG", 0.0)  # for a minute's sleep
    with contextlib.closing(pymysql.connect(host="127.0.0.1", port=patient.port, user="root")) as sleeper:
        sleeper.cursor().execute(f"UPDATE {table} SET b = 2")
        [finding] = before_long(lambda: seen(patient), "idle-in-transaction")
        assert finding.subject == f"connection {sleeper.thread_id()}"
        assert finding.remedy.commands == (f"KILL {sleeper.thread_id()};",)


def test_a_transaction_that_waits_for_locks_is_named_with_who_sleeps_on_them(patient, table, seen, monkeypatch):
    monkeypatch.setattr(lock_wait_long, "LONG", 0.0)  # for ten seconds' wait
    with (
        contextlib.closing(pymysql.connect(host="127.0.0.1", port=patient.port, user="root")) as holder,
        contextlib.closing(pymysql.connect(host="127.0.0.1", port=patient.port, user="root")) as waiter,
    ):
        holder.cursor().execute(f"UPDATE {table} SET b = 2")
        waiter._execute_command(3, f"UPDATE {table} SET b = 3")
        [finding] = before_long(lambda: seen(patient), "lock-wait-long")
        assert finding.subject == f"connection {waiter.thread_id()}"
        assert f"connections {holder.thread_id()} sleep with locks" in finding.message
        holder.rollback()
        waiter._read_query_result()
        waiter.rollback()


def test_hang_ups_are_counted_as_a_rate_and_by_account(own, seen):
    before = int(own.execute("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")[0][1])
    hang_up(own, 40)
    settled(own, "Aborted_clients", before + 40)
    [finding] = [one for one in seen(own).findings if one.rule == "clients-aborted"]
    assert "an hour" in finding.message
    assert any(one.source == "performance_schema.accounts" and "root@" in one.fact for one in finding.evidence)


def test_wrong_passwords_are_told_from_other_failures(own, rules):
    for _ in range(110):
        with pytest.raises(pymysql.OperationalError):
            pymysql.connect(host="127.0.0.1", port=own.port, user="stillhere", password="wrong")
    assert {"logins-denied", "connects-aborted"} <= rules(own)


def test_a_packet_that_was_refused_is_known_afterwards_and_forgotten_on_request(own, seen, rules):
    if own.flavour is Flavour.MARIADB:
        pytest.skip("MariaDB does not count errors")
    with planted(own, {"max_allowed_packet": 4194304}):
        with (
            contextlib.closing(pymysql.connect(host="127.0.0.1", port=own.port, user="root")) as one,
            pytest.raises(pymysql.OperationalError),
        ):
            one.cursor().execute("SELECT LENGTH('" + "x" * 5_000_000 + "')")
        [finding] = [one for one in seen(own).findings if one.rule == "packets-refused"]
        apply(own.execute, finding)
        assert "packets-refused" not in rules(own)


def test_a_rationed_account_is_told_and_the_remedy_lifts_the_ration(patient, seen):
    with account(patient, "app", "SELECT ON mysql.*", options="WITH MAX_CONNECTIONS_PER_HOUR 500"):
        [finding] = [one for one in seen(patient, account="app").findings if one.rule == "account-hourly-limit"]
        assert "500 logins" in finding.message
        apply(patient.execute, finding)
        assert not [one for one in seen(patient, account="app").findings if one.rule == "account-hourly-limit"]


def test_pools_larger_than_the_account_may_hold_are_told(patient, seen):
    engines = (EngineFacts(name="shop:engine", protected=True),)
    with account(patient, "app", "SELECT ON mysql.*", options="WITH MAX_USER_CONNECTIONS 10"):
        [finding] = [
            one for one in seen(patient, account="app", engines=engines).findings if one.severity > Severity.INFO
        ]
        assert finding.rule == "account-connection-limit"
        apply(patient.execute, finding)
        assert not [
            one for one in seen(patient, account="app", engines=engines).findings if one.severity > Severity.INFO
        ]


def test_a_password_that_is_about_to_end_is_told_and_the_remedy_lets_it_live(patient, seen):
    if patient.flavour is Flavour.MARIADB:
        pytest.skip("MariaDB does not show when a password was set")
    with account(patient, "app", "SELECT ON mysql.*", options="IDENTIFIED BY '' PASSWORD EXPIRE INTERVAL 10 DAY"):
        [finding] = [one for one in seen(patient, account="app").findings if one.rule == "password-ends"]
        apply(patient.execute, finding)
        assert not [one for one in seen(patient, account="app").findings if one.rule == "password-ends"]


def test_pools_that_exceed_the_servers_room_are_told_with_the_sum(patient, seen, rules):
    engines = (EngineFacts(name="shop:engine", protected=True),)
    [finding] = [
        one
        for one in seen(patient, engines=engines, processes=20).findings
        if one.rule == "pools-exceed-max-connections"
    ]
    assert "300 connections" in finding.message
    with planted(patient):
        before = patient.set_global({"max_connections": 151})
        apply(patient.execute, finding)
        assert "pools-exceed-max-connections" not in rules(patient, engines=engines, processes=20)
        patient.set_global(before)


def test_buffers_larger_than_the_told_memory_are_an_error(patient, rules):
    assert rules(patient, memory=64 << 20) == {"memory-over-ram"}


def test_slow_statements_are_held_against_the_client_and_the_way(patient, rules):
    patient.execute("TRUNCATE TABLE performance_schema.events_statements_summary_by_digest")
    engines = (EngineFacts(name="shop:engine", protected=True, read_timeout=0.2),)
    hasty = {"lock-wait-outlasts-client"}  # any lock wait outlasts such a client
    assert rules(patient, engines=engines, hop_idle=0.2) == hasty
    patient.execute("SELECT SLEEP(0.3)")
    expected = {*hasty, "statements-outlast-client", "statements-outlast-hop"}
    assert rules(patient, engines=engines, hop_idle=0.2) == expected
    patient.execute("TRUNCATE TABLE performance_schema.events_statements_summary_by_digest")


def test_a_replica_that_was_never_started_is_told_and_is_no_read_only_primary(own, seen, rules):
    begin, end = (
        ("CHANGE MASTER TO master_host = 'db1.invalid', master_user = 'u'", "RESET SLAVE ALL")
        if own.flavour is Flavour.MARIADB
        else ("CHANGE REPLICATION SOURCE TO source_host = 'db1.invalid', source_user = 'u'", "RESET REPLICA ALL")
    )
    own.execute(begin)
    own.set_global({"read_only": 1})
    [finding] = [one for one in seen(own).findings if one.severity > Severity.INFO]
    assert finding.rule == "replica-stopped"
    assert "neither receives nor applies changes from db1.invalid:3306" in finding.message
    own.execute(end)
    assert rules(own) == {"server-read-only"}


def certificate(folder, days):
    """A self-signed certificate that ends in so many days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "db.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return {"ssl_cert": str(folder / "cert.pem"), "ssl_key": str(folder / "key.pem")}


@pytest.mark.parametrize(("days", "expected"), [(9, {"certificate-ends"}), (400, set())])
@pytest.mark.parametrize(
    "flavour", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("mariadb", "mysql")]
)
def test_a_certificate_that_is_about_to_end_is_told(start, rules, tmp_path, flavour, days, expected):
    files = certificate(tmp_path, days)
    with start(flavour, files | ({"ssl": "ON"} if flavour == "mariadb" else {})) as server:
        assert rules(server) == expected


def test_an_engine_that_asks_for_no_tls_is_told_where_the_server_requires_it(patient, rules):
    """Over the socket the doctor gets in, as an application that was connected before would still be."""
    engines = (EngineFacts(name="shop:engine", protected=True, tls=False),)
    assert rules(patient, engines=engines) == set()
    with planted(patient, {"require_secure_transport": 1}):
        assert rules(patient, engines=engines, socket=True) == {"tls-not-asked"}


def test_times_are_told_in_utc_wherever_the_server_is(own, seen):
    if own.flavour is Flavour.MARIADB:
        pytest.skip("MariaDB does not count errors")
    own.set_global({"time_zone": "+05:00", "max_allowed_packet": 1048576})
    with (
        contextlib.closing(pymysql.connect(host="127.0.0.1", port=own.port, user="root")) as one,
        pytest.raises(pymysql.OperationalError),
    ):
        one.cursor().execute("SELECT LENGTH('" + "x" * 2_000_000 + "')")
    [finding] = [one for one in seen(own).findings if one.rule == "packets-refused"]
    last = datetime.fromisoformat(finding.message.rsplit("the last at ", 1)[1].replace(" UTC", "+00:00"))
    assert abs(last - datetime.now(UTC)) < timedelta(hours=1)


def test_a_server_that_was_killed_is_told_from_its_log(own, seen):
    own.crash()
    own.start()
    found = seen(own, log=log_file(own.error_log))
    [finding] = [one for one in found.findings if one.severity > Severity.INFO]
    assert finding.rule == "server-killed"
    assert finding.severity is Severity.ERROR
    assert "killed 1 time" in finding.message


def test_mysql_tells_of_its_log_by_itself_and_mariadb_is_asked_for_the_file(own, seen):
    own.crash()
    own.start()
    found = seen(own)
    if own.flavour is Flavour.MYSQL:
        assert "server-killed" in {one.rule for one in found.findings}
    else:
        assert {one.check: one.reason for one in found.not_checked}["server-killed"].startswith("needs --log")


def test_a_restart_in_order_is_nothing_to_fix(own, rules):
    own.restart()
    assert rules(own, log=log_file(own.error_log)) == set()
