"""From answers and wishes to changes, statements and parameters."""

from __future__ import annotations

import pytest

from stillhere.errors import ConfigurationError
from stillhere.findings import Severity
from stillhere.server.versions import parse_version
from stillhere.survey.origins import Origin, SettingFacts
from stillhere.tune.change import shown
from stillhere.tune.managed import SERVICES, parameters
from stillhere.tune.measured import Cut
from stillhere.tune.plan import plan, wished
from stillhere.tune.rules import RULES
from stillhere.tune.statements import Step, Way, option_line, steps_for, undo_statements

from .conftest import MARIADB


def wish(measured, **settings):
    return wished(measured, settings)


@pytest.mark.parametrize(
    ("name", "value", "after"),
    [
        ("wait_timeout", "600", "600"),
        ("wait_timeout", "10m", "600"),
        ("max_allowed_packet", "64M", "67108864"),
        ("skip_name_resolve", "yes", "ON"),
        ("max_connections", "500", "500"),
    ],
)
def test_a_wish_is_read_in_its_own_unit(server, name, value, after):
    assert wish(server(), **{name: value})[0].after == after


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("wait_timeout", "0", "outside what the server takes, 1 to 1073741824"),
        ("wait_timeout", "500ms", "no whole number"),
        ("wait_timeout", "soon", "is not a duration"),
        ("skip_name_resolve", "perhaps", "neither on nor off"),
        ("max_connections", "-1", "not a whole number"),
        ("max_allowed_packet", "5000", "multiple of 1024"),
        ("innodb_buffer_pool_size", "1G", "there are: "),
        ("idle_transaction_timeout", "60", "MySQL 9.7.0 has no such setting"),
    ],
)
def test_a_wish_that_the_server_would_not_take_is_refused(server, name, value, said):
    facts = {"max_allowed_packet": SettingFacts(low=1024, high=1 << 30, step=1024)}
    with pytest.raises(ConfigurationError, match=said):
        wish(server(facts=facts), **{name: value})


def test_a_wish_for_a_day_is_granted_with_a_warning(server):
    found = wish(server(), wait_timeout="24h")[0]
    assert found.after == "86400"
    assert found.finding.severity is Severity.WARNING
    assert "hides leaks" in found.finding.remedy.cost


def test_a_wish_takes_the_place_of_a_rules_answer(server, cut):
    measured = server(variables={"wait_timeout": "5"}, cuts=cut(Cut.IDLE))
    assert [one.after for one in plan(measured, RULES).changes] == ["600"]
    assert [one.after for one in plan(measured, RULES, wish(measured, wait_timeout="120")).changes] == ["120"]


def test_a_wish_for_what_is_there_is_no_change(server):
    measured = server()
    assert plan(measured, RULES, wish(measured, wait_timeout="8h")).changes == ()


MYSQL_8, MYSQL_57, MARIA = (parse_version(text) for text in ("8.0.36", "5.7.44", MARIADB))


@pytest.mark.parametrize(
    ("version", "name", "in_file", "persisted", "statement", "back"),
    [
        (
            MYSQL_8,
            "wait_timeout",
            False,
            None,
            "SET PERSIST wait_timeout = 600",
            ("RESET PERSIST IF EXISTS wait_timeout", "SET GLOBAL wait_timeout = 28800"),
        ),
        (
            MYSQL_8,
            "wait_timeout",
            False,
            "90",
            "SET PERSIST wait_timeout = 600",
            ("SET PERSIST wait_timeout = 90", "SET GLOBAL wait_timeout = 28800"),
        ),
        (MYSQL_8, "wait_timeout", True, None, "SET GLOBAL wait_timeout = 600", ("SET GLOBAL wait_timeout = 28800",)),
        (
            MYSQL_8,
            "wait_timeout",
            True,
            "90",
            "SET PERSIST wait_timeout = 600",
            ("SET PERSIST wait_timeout = 90", "SET GLOBAL wait_timeout = 28800"),
        ),
        (MYSQL_57, "wait_timeout", False, None, "SET GLOBAL wait_timeout = 600", ("SET GLOBAL wait_timeout = 28800",)),
        (MARIA, "wait_timeout", False, None, "SET GLOBAL wait_timeout = 600", ("SET GLOBAL wait_timeout = 28800",)),
        (
            MYSQL_8,
            "skip_name_resolve",
            False,
            None,
            "SET PERSIST_ONLY skip_name_resolve = ON",
            ("RESET PERSIST IF EXISTS skip_name_resolve",),
        ),
        (MYSQL_8, "skip_name_resolve", True, None, "", ()),
        (MARIA, "skip_name_resolve", False, None, "", ()),
    ],
)
def test_each_server_is_told_in_its_own_way_and_back(server, version, name, in_file, persisted, statement, back):
    found = wish(server(), **{name: "600" if name == "wait_timeout" else "on"})[0]
    step = steps_for(found, version, SettingFacts(persisted=persisted), in_file=in_file)
    assert step.statement == statement
    assert undo_statements(step) == back


def test_the_option_file_gets_a_line(server):
    assert option_line(wish(server(), wait_timeout="10m")[0]) == "wait_timeout = 600"


def test_a_step_of_a_restart_has_no_statement():
    assert Step(name="skip_name_resolve", before="OFF", after="ON", way=Way.RESTART).statement == ""


@pytest.mark.parametrize("service", list(SERVICES), ids=lambda one: one.name)
def test_a_managed_service_gets_parameters_and_commands(server, service):
    wanted = parameters(wish(server(), wait_timeout="600", skip_name_resolve="on"))
    assert [(one.name, one.after, one.restart) for one in wanted] == [
        ("wait_timeout", "600", False),
        ("skip_name_resolve", "1", True),
    ]
    text = "\n".join(service.commands(wanted))
    assert "wait_timeout" in text
    assert "600" in text
    assert "skip_name_resolve" in text


def test_rds_is_told_which_parameter_waits_for_a_reboot(server):
    wanted = parameters(wish(server(), wait_timeout="600", skip_name_resolve="on"))
    (command,) = SERVICES.get("rds").commands(wanted)
    assert "ParameterName=wait_timeout,ParameterValue=600,ApplyMethod=immediate" in command
    assert "ParameterName=skip_name_resolve,ParameterValue=1,ApplyMethod=pending-reboot" in command


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("wait_timeout", "600", "600 s"),
        ("max_allowed_packet", "67108864", "64 MiB"),
        ("max_allowed_packet", str(1 << 30), "1 GiB"),
        ("max_connections", "151", "151"),
        ("skip_name_resolve", "ON", "ON"),
    ],
)
def test_values_are_shown_with_their_unit(name, value, text):
    assert shown(name, value) == text


def test_an_origin_is_part_of_the_evidence(server):
    measured = server(facts={"wait_timeout": SettingFacts(origin=Origin.FILE, path="/etc/my.cnf")})
    assert measured.setting("wait_timeout").fact == "wait_timeout is 28800, from an option file /etc/my.cnf"
