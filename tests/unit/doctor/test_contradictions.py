"""Whatever is wrong with a server at once, its findings don't contradict each other, and each rests on something."""

from __future__ import annotations

import re
from collections import defaultdict

from hypothesis import example, given
from hypothesis import strategies as st

from stillhere.doctor.check import Turn
from stillhere.doctor.checks import CHECKS

SET = re.compile(r"SET (?:GLOBAL|PERSIST) (\w+) = (.*);")
RECYCLE = re.compile(r"pool_recycle=(\d+)")


def numbers(*values):
    return st.sampled_from([str(value) for value in values])


VARIABLES = {
    "wait_timeout": numbers(1, 20, 59, 60, 300, 28800, 86401, 31536000),
    "interactive_timeout": numbers(1, 60, 28800, 31536000),
    "net_read_timeout": numbers(1, 10, 30),
    "net_write_timeout": numbers(1, 30, 60),
    "connect_timeout": numbers(2, 5, 10, 100),
    "idle_transaction_timeout": numbers(0, 1, 30, 100),
    "max_allowed_packet": numbers(1024, 4194304, 67108864, 1073741824),
    "max_connections": numbers(1, 10, 151, 100000),
    "max_connect_errors": numbers(1, 10, 100),
    "open_files_limit": numbers(10, 1000, 20000),
    "innodb_lock_wait_timeout": numbers(1, 50, 1000),
    "innodb_flush_log_at_trx_commit": numbers(0, 1, 2),
    "innodb_buffer_pool_size": numbers(67108864, 8 << 30),
    "log_warnings": numbers(0, 1, 2, 3),
    "log_error_verbosity": numbers(1, 2, 3),
    "skip_name_resolve": st.sampled_from(["ON", "OFF"]),
    "read_only": st.sampled_from(["ON", "OFF"]),
    "init_connect": st.sampled_from(["", "SET wait_timeout=5"]),
}
STATUS = {
    name: numbers(0, 1, 30, 200, 100000)
    for name in (
        "aborted_clients",
        "aborted_connects",
        "access_denied_errors",
        "com_kill",
        "connection_errors_accept",
        "connection_errors_internal",
        "connections",
        "max_used_connections",
        "slow_launch_threads",
        "threads_connected",
        "uptime",
    )
}
ERRORS = ("ER_CLIENT_INTERACTION_TIMEOUT", "ER_NET_PACKET_TOO_LARGE", "ER_ACCESS_DENIED_ERROR")
ENGINES = st.lists(
    st.fixed_dictionaries(
        {
            "recycle": st.sampled_from([-1.0, 0.0, 5.0, 29.0, 300.0, 7200.0]),
            "pre_ping": st.booleans(),
            "protected": st.booleans(),
            "overflow": st.sampled_from([-1, 0, 10, 500]),
            "read_timeout": st.sampled_from([None, 0.0, 3.0, 50.0]),
            "init_command": st.sampled_from(["", "SET wait_timeout=7"]),
            "interactive": st.booleans(),
        }
    ),
    max_size=3,
)
IDLE = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "watched": st.just(100.0),
            "lasted": st.sampled_from([0.0, 30.0]),
            "ended": st.sampled_from([40.0, 90.0]),
            "how": st.sampled_from(["FAREWELL", "CLOSED", "RESET", "SILENCE"]),
        }
    ),
)


@st.composite
def changes(draw):
    """A server with anything wrong."""
    found = {
        "variables": draw(st.fixed_dictionaries({}, optional=VARIABLES)),
        "status": draw(st.fixed_dictionaries({}, optional=STATUS)),
        "engines": [one | {"name": f"a:e{place}"} for place, one in enumerate(draw(ENGINES))],
        "errors": [
            {"code": 1, "name": name, "raised": draw(st.sampled_from([1, 500]))}
            for name in draw(st.sets(st.sampled_from(ERRORS)))
        ],
        "digests": [{"longest": draw(st.sampled_from([0.1, 60.0, 4000.0]))}],
        "sessions": [{"times": 12, "seconds": draw(st.sampled_from([1.0, 700.0, 40000.0]))}],
        "transactions": [{"thread_id": 100, "seconds": 900.0, "rows_locked": draw(st.integers(0, 2))}],
        "settings": {
            "processes": draw(st.sampled_from([1, 16])),
            "hop_idle": draw(st.sampled_from([None, 0.5, 50.0, 350.0])),
            "memory": draw(st.sampled_from([None, 1 << 28, 16 << 30])),
        },
    }
    idle = draw(IDLE)
    return found | ({"idle": idle} if idle is not None else {})


def judged(build, found, flavour):
    case = build(found, flavour)
    return case, [(check, one) for check in CHECKS if check.applies(case) for one in check.findings(case)]


@given(found=changes(), flavour=st.sampled_from(["mariadb", "mysql"]))
@example(found={"variables": {"wait_timeout": "31536000"}, "engines": [{"recycle": -1.0}]}, flavour="mysql")
def test_no_setting_is_both_raised_and_lowered(build, found, flavour):
    turns = defaultdict(set)
    for check, finding in judged(build, found, flavour)[1]:
        engine = finding.subject if finding.subject.startswith("a:") else ""
        for setting, turn in check.advises:
            turns[setting, engine if setting.startswith("pool_") else ""].add(turn)
    assert {key: both for key, both in turns.items() if len(both) > 1} == {}


@given(found=changes(), flavour=st.sampled_from(["mariadb", "mysql"]))
def test_no_variable_is_set_to_two_values_and_each_moves_as_declared(build, found, flavour):
    case, answers = judged(build, found, flavour)
    values = defaultdict(set)
    for check, finding in answers:
        for name, value in (match.groups() for text in finding.remedy.commands for match in SET.finditer(text)):
            values[name].add(value)
            if value.isdecimal() and (present := case.number(name)) is not None:
                turn = Turn.UP if float(value) > present else Turn.DOWN
                assert {(name, turn), (name, Turn.TO)} & set(check.advises), (
                    f"{finding.rule} moves {name} from {present} to {value}"
                )
    assert {name: several for name, several in values.items() if len(several) > 1} == {}


@given(found=changes(), flavour=st.sampled_from(["mariadb", "mysql"]))
def test_one_engine_is_not_told_two_recycle_times(build, found, flavour):
    times = defaultdict(set)
    for _, finding in judged(build, found, flavour)[1]:
        times[finding.subject].update(RECYCLE.findall(" ".join(finding.remedy.commands)))
    assert {subject: several for subject, several in times.items() if len(several) > 1} == {}


@given(found=changes(), flavour=st.sampled_from(["mariadb", "mysql"]))
def test_nothing_is_claimed_without_evidence_reason_and_remedy(build, found, flavour):
    for _, finding in judged(build, found, flavour)[1]:
        assert finding.evidence, finding.rule
        assert all(one.fact and one.source for one in finding.evidence), finding.rule
        assert finding.why, finding.rule
        assert finding.remedy.text, finding.rule
        assert not finding.message.endswith("."), finding.rule


@given(found=changes(), flavour=st.sampled_from(["mariadb", "mysql"]))
def test_the_same_case_gives_the_same_findings(build, found, flavour):
    assert judged(build, found, flavour)[1] == judged(build, found, flavour)[1]
