"""Many servers at once: one that is dead, frozen, slow or no database at all is an answer, and delays nobody."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stillhere.doctor.case import Settings
from stillhere.doctor.engines import EngineFacts
from stillhere.doctor.examination import Examination, Instructions
from stillhere.doctor.runner import ExitCode, Report, examine_all
from stillhere.doctor.target import Target, targets_of
from stillhere.errors import ConfigurationError
from stillhere.findings import Evidence, Finding, Remedy, Severity

FLEET = Path(__file__).with_name("fleet.py")
QUICK = Instructions(settings=Settings(), timeout=1.0)
PATIENT = Instructions(settings=Settings(), timeout=5.0)


@contextlib.contextmanager
def fleet(**wanted):
    """Simulated servers in a process of their own; the ports by kind."""
    with subprocess.Popen(
        [sys.executable, str(FLEET), json.dumps(wanted)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.kill()


@pytest.fixture
def dead_port():
    """A loopback port on which nothing listens, and on which nothing will while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def url(port, driver="pymysql"):
    return f"mysql+{driver}://app:hunter22@127.0.0.1:{port}/"


def rules(server):
    return [one.rule for one in server.findings if one.severity > Severity.INFO]


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_a_healthy_server_has_nothing_to_fix_and_a_faulty_one_its_fault(driver):
    with fleet(healthy=1, faulty=1) as ports:
        report = examine_all(targets_of([url(ports[kind][0], driver) for kind in ("healthy", "faulty")]), PATIENT)
    assert [server.error for server in report.servers] == ["", ""]
    assert [rules(server) for server in report.servers] == [[], ["wait-timeout-short"]]
    assert report.exit_code(Severity.WARNING) is ExitCode.FINDINGS
    assert report.exit_code(Severity.ERROR) is ExitCode.CLEAN


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
@pytest.mark.parametrize("kind", ["frozen", "rude", "foreign"])
def test_what_does_not_answer_as_a_server_is_said_in_one_line_without_the_password(driver, kind):
    with fleet(**{kind: 1}) as ports:
        report = examine_all(targets_of([url(ports[kind][0], driver)]), QUICK)
    [server] = report.servers
    assert server.error
    assert "\n" not in server.error
    assert "hunter22" not in server.error
    assert server.findings == ()
    assert report.exit_code(Severity.WARNING) is ExitCode.UNREACHABLE


def test_a_dead_server_does_not_hide_what_another_has(dead_port):
    with fleet(faulty=1) as ports:
        report = examine_all(targets_of([url(dead_port), url(ports["faulty"][0])]), QUICK)
    assert "2003" in report.servers[0].error
    assert rules(report.servers[1]) == ["wait-timeout-short"]
    assert report.exit_code(Severity.ERROR) is ExitCode.UNREACHABLE


def test_a_frozen_server_delays_nobody():
    """The healthy ones are done while the frozen ones are still waited for."""
    done, order = threading.Lock(), []

    def note(server):
        with done:
            order.append(server.address)

    with fleet(frozen=3, healthy=5) as ports:
        frozen = [f"127.0.0.1:{port}" for port in ports["frozen"]]
        every = [*ports["frozen"], *ports["healthy"]]
        report = examine_all(targets_of(map(url, every)), PATIENT, done=note)
    assert [server.address for server in report.servers] == [f"127.0.0.1:{port}" for port in every]
    assert set(order[-3:]) == set(frozen)


def test_a_server_that_answers_each_question_late_is_given_up_as_a_whole():
    with fleet(slow=1) as ports:
        [server] = examine_all(
            targets_of([url(ports["slow"][0])]), Instructions(settings=Settings(), timeout=1.0)
        ).servers
    late = {one.reason for one in server.not_checked if "took more than" in one.reason}
    assert server.error == "the server answers too slowly" or late == {"the server took more than 1 s"}


@pytest.mark.slow
def test_a_fleet_of_two_hundred_is_looked_at_in_one_go(dead_port):
    wanted = {"healthy": 150, "faulty": 20, "slow": 14, "frozen": 10, "rude": 3, "foreign": 2}
    with fleet(**wanted) as ports:
        targets = targets_of([url(dead_port), *(url(one) for many in ports.values() for one in many)])
        report = examine_all(targets, Instructions(settings=Settings(), timeout=10.0))
    assert len(report.servers) == 200
    assert sum(1 for server in report.servers if server.error) == 10 + 3 + 2 + 1
    assert sum(1 for server in report.servers if rules(server) == ["wait-timeout-short"]) == 20
    assert sum(1 for server in report.servers if not server.error and not rules(server)) == 164
    assert {one.check for server in report.servers for one in server.not_checked} >= {"login-slow"}


def test_one_question_that_a_server_cannot_answer_spoils_no_other():
    with fleet(odd=1) as ports:
        [server] = examine_all(targets_of([url(ports["odd"][0])]), PATIENT).servers
    assert server.error == ""
    reasons = {one.check: one.reason for one in server.not_checked}
    assert reasons["host-near-block"] == "the server can't answer: no such table (1146)"
    assert rules(server) == []


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_a_full_server_comes_with_the_way_in(driver):
    with fleet(full=1) as ports:
        [server] = examine_all(targets_of([url(ports["full"][0], driver)]), PATIENT).servers
    assert "1040" in server.error
    assert "every place of max_connections is taken" in server.error


def test_an_application_that_connects_by_itself_is_told_to_give_a_url(dead_port):
    engine = EngineFacts(name="a:e", custom_creator=True)
    [target] = targets_of([url(dead_port)])
    [server] = examine_all([Target(target.address, target.url, (engine,))], PATIENT).servers
    assert server.error.endswith("(creator=), which is not used here; give a URL")


def test_no_server_and_no_finding_is_clean():
    assert Report(()).exit_code(Severity.WARNING) is ExitCode.CLEAN


def test_notes_never_change_the_exit_code():
    note = Finding(
        rule="a", severity=Severity.INFO, message="m", evidence=(Evidence("f", "s"),), remedy=Remedy("do nothing")
    )
    assert Report((Examination(address="x", findings=(note,)),)).exit_code(Severity.WARNING) is ExitCode.CLEAN


def test_one_server_by_two_urls_is_looked_at_once():
    assert [one.address for one in targets_of(["mysql+pymysql://a@h/x", "mysql+pymysql://b@h:3306/y"])] == ["h:3306"]


def test_a_url_for_asyncio_is_looked_at_with_a_driver_that_blocks():
    [one] = targets_of(["mysql+aiomysql://a:b@h/x?charset=utf8mb4"])
    assert one.url.drivername in ("mysql+pymysql", "mysql+mysqldb")
    assert one.url.password == "b"


@pytest.mark.parametrize("bad", ["postgresql://h/x", "shop", "mysql+nosuch://h/x"])
def test_what_is_no_url_of_ours_is_refused_before_anything_is_looked_at(bad):
    with pytest.raises(ConfigurationError):
        targets_of(["mysql+pymysql://h/x", bad])


def test_a_target_does_not_show_its_password():
    assert "hunter22" not in repr(targets_of([url(1)]))
