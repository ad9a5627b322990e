"""What the rules propose, and above all what they don't: nothing measured, nothing proposed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stillhere.findings import Evidence, Finding, Severity
from stillhere.survey.host_cache import HostEntry
from stillhere.survey.origins import Origin, SettingFacts
from stillhere.tune.change import Change, Gap, change
from stillhere.tune.measured import Cut, Needs, Seen, session_memory
from stillhere.tune.rules import RULES

from .conftest import MARIADB, NOW, session


def answers(measured):
    return [answer for rule in RULES for answer in rule.judge(measured)]


def changes(measured):
    return {answer.name: answer.after for answer in answers(measured) if isinstance(answer, Change)}


def notes(measured):
    return [answer.message for answer in answers(measured) if isinstance(answer, Finding)]


def gaps(measured):
    return {answer.name: answer.reason for answer in answers(measured) if isinstance(answer, Gap)}


def host(**more):
    values = {
        "ip": "10.0.0.9",
        "host": "",
        "connect_errors": 0,
        "blocked_attempts": 0,
        "name_errors": 0,
        "handshake_errors": 0,
        "denied": 0,
    }
    return HostEntry(**values | more)


def test_a_healthy_default_server_gets_no_answer_at_all(server):
    assert answers(server()) == []


def test_a_short_limit_alone_is_no_reason(server):
    assert changes(server(variables={"wait_timeout": "5", "net_write_timeout": "2", "connect_timeout": "2"})) == {}


def test_a_server_that_counts_nothing_says_what_it_could_not_check(server):
    found = gaps(server(MARIADB))
    assert set(found) == {"wait_timeout", "max_allowed_packet"}
    assert "keeps no count" in found["wait_timeout"]


def test_every_change_and_note_has_evidence(server, cut):
    measured = server(
        variables={"wait_timeout": "5", "interactive_timeout": "5", "net_write_timeout": "2", "connect_timeout": "2"},
        cuts={kind: seen for one in Cut for kind, seen in cut(one).items()},
    )
    found = [answer.finding if isinstance(answer, Change) else answer for answer in answers(measured)]
    assert len(found) >= 6
    assert all(finding.evidence for finding in found)
    assert all(any("server's own count" in one.source for one in finding.evidence) for finding in found)


def test_a_change_without_a_measurement_can_not_be_made(server):
    with pytest.raises(ValueError, match="without a measurement"):
        change(server(), "wait_timeout", 600, message="", why="", evidence=(), cost="")


class TestIdleCuts:
    """wait_timeout and interactive_timeout."""

    def test_cut_at_a_few_seconds_it_is_raised_to_ten_minutes_and_the_assumption_is_told(self, server, cut):
        measured = server(variables={"wait_timeout": "5"}, cuts=cut(Cut.IDLE))
        assert changes(measured) == {"wait_timeout": "600"}
        (answer,) = answers(measured)
        assert any(one.source == "assumption" for one in answer.finding.evidence)
        assert "16.25 MiB" not in answer.finding.remedy.cost
        assert "1.016 MiB each" in answer.finding.remedy.cost

    def test_cut_at_an_ordinary_limit_the_client_is_to_be_mended(self, server, cut):
        measured = server(variables={"wait_timeout": "600"}, cuts=cut(Cut.IDLE))
        assert changes(measured) == {}
        assert "mend the client" in notes(measured)[0]

    def test_at_eight_hours_nobody_is_told_to_wait_for_a_day(self, server, cut):
        measured = server(cuts=cut(Cut.IDLE), needs=Needs(idle=86400))
        assert changes(measured) == {}
        assert "mend the client" in notes(measured)[0]

    @pytest.mark.parametrize(("limit", "idle", "value"), [(120, 300, "450"), (5, 10, "60"), (299, 300, "450")])
    def test_below_the_pause_that_was_named_it_is_raised_over_it(self, server, cut, limit, idle, value):
        measured = server(variables={"wait_timeout": str(limit)}, cuts=cut(Cut.IDLE), needs=Needs(idle=idle))
        assert changes(measured) == {"wait_timeout": value}

    def test_the_named_pause_is_a_reason_by_itself(self, server):
        measured = server(variables={"wait_timeout": "120"}, needs=Needs(idle=300))
        assert changes(measured) == {"wait_timeout": "450"}

    def test_above_the_named_pause_a_cut_is_the_clients(self, server, cut):
        measured = server(variables={"wait_timeout": "40"}, cuts=cut(Cut.IDLE), needs=Needs(idle=30))
        assert changes(measured) == {}

    def test_only_the_limit_that_was_met_is_raised(self, server, cut):
        seen = cut(Cut.IDLE, at=(5.0, 6.0))
        variables = {"wait_timeout": "30", "interactive_timeout": "5"}
        assert changes(server(variables=variables, cuts=seen)) == {"interactive_timeout": "600"}

    def test_without_idle_times_the_shorter_limit_is_the_one(self, server, cut):
        variables = {"wait_timeout": "30", "interactive_timeout": "5"}
        assert changes(server(variables=variables, cuts=cut(Cut.IDLE))) == {"interactive_timeout": "600"}

    def test_cuts_from_before_the_present_value_say_nothing_about_it(self, server, cut):
        facts = {"wait_timeout": SettingFacts(origin=Origin.SQL, changed=NOW)}
        older = server(
            variables={"wait_timeout": "5"}, facts=facts, cuts=cut(Cut.IDLE, last=NOW - timedelta(seconds=2))
        )
        newer = server(
            variables={"wait_timeout": "5"}, facts=facts, cuts=cut(Cut.IDLE, last=NOW + timedelta(seconds=2))
        )
        assert changes(older) == {}
        assert changes(newer) == {"wait_timeout": "600"}

    def test_mariadbs_limit_for_open_transactions_is_named_where_it_was_met(self, server, cut):
        seen = cut(Cut.IDLE, at=(5.0,))
        variables = {"idle_transaction_timeout": "5"}
        assert changes(server(MARIADB, variables=variables, cuts=seen)) == {"idle_transaction_timeout": "60"}
        assert changes(server(MARIADB, cuts=seen)) == {}


class TestPackets:
    """max_allowed_packet."""

    def test_refused_below_the_default_it_is_raised_to_the_default(self, server, cut):
        measured = server(variables={"max_allowed_packet": "4194304"}, cuts=cut(Cut.PACKET))
        assert changes(measured) == {"max_allowed_packet": str(64 << 20)}
        measured = server(MARIADB, variables={"max_allowed_packet": "4194304"}, cuts=cut(Cut.PACKET))
        assert changes(measured) == {"max_allowed_packet": str(16 << 20)}

    def test_refused_at_the_default_it_is_doubled(self, server, cut):
        assert changes(server(cuts=cut(Cut.PACKET))) == {"max_allowed_packet": str(128 << 20)}

    def test_a_size_that_was_named_is_enough_with_its_overhead(self, server, cut):
        measured = server(cuts=cut(Cut.PACKET), needs=Needs(packet=80 << 20))
        assert changes(measured) == {"max_allowed_packet": str(81 << 20)}
        assert changes(server(needs=Needs(packet=80 << 20))) == {"max_allowed_packet": str(81 << 20)}
        assert changes(server(needs=Needs(packet=60 << 20))) == {}

    def test_at_the_protocols_own_limit_statements_must_be_split(self, server, cut):
        measured = server(variables={"max_allowed_packet": str(1 << 30)}, cuts=cut(Cut.PACKET))
        assert changes(measured) == {}
        assert "no server takes more" in notes(measured)[0]


class TestConnections:
    """max_connections."""

    STATUS = {"connection_errors_max_connections": "9", "max_used_connections": "152"}  # noqa: RUF012 - never changed

    def busy(self, number):
        return [session(at, idle=False) for at in range(number)]

    def test_refused_while_sessions_work_a_quarter_more_is_let_in(self, server):
        measured = server(status=self.STATUS, sessions=self.busy(150))
        assert changes(measured) == {"max_connections": "200"}
        (answer,) = answers(measured)
        assert "1.891 MiB each" in answer.finding.remedy.cost

    def test_refused_while_pools_hold_idle_sessions_nothing_is_raised_and_the_holders_are_named(self, server):
        sessions = [session(at, "web") for at in range(140)] + self.busy(10)
        measured = server(status=self.STATUS, sessions=sessions)
        assert changes(measured) == {}
        (answer,) = answers(measured)
        assert "140 sessions do nothing" in answer.message
        assert any("web@10.0.0.7 holds 140 idle" in one.fact for one in answer.evidence)

    def test_where_threads_can_not_be_made_more_are_no_help(self, server):
        status = self.STATUS | {"connection_errors_internal": "3"}
        assert changes(server(status=status, sessions=self.busy(150))) == {}

    def test_memory_that_was_named_is_not_exceeded(self, server):
        measured = server(status=self.STATUS, sessions=self.busy(150), needs=Needs(memory=300 << 20))
        assert changes(measured) == {}
        assert "300 MiB hold no more" in notes(measured)[0]

    def test_open_files_are_a_limit_too(self, server):
        measured = server(variables={"open_files_limit": "5000"}, status=self.STATUS, sessions=self.busy(150))
        assert changes(measured) == {}
        assert "open_files_limit = 5000" in notes(measured)[0]

    def test_on_mariadb_a_peak_over_the_limit_is_the_sign(self, server):
        status = {"connection_errors_max_connections": "0", "max_used_connections": "152"}
        assert changes(server(MARIADB, status=status, sessions=self.busy(150))) == {"max_connections": "200"}
        full = {"connection_errors_max_connections": "0", "max_used_connections": "151"}
        assert changes(server(MARIADB, status=full, sessions=self.busy(150))) == {}

    def test_refused_under_another_limit_says_nothing_about_this_one(self, server):
        status = self.STATUS | {"max_used_connections": "60"}
        assert answers(server(status=status, sessions=self.busy(5))) == []

    def test_without_everybodys_sessions_it_can_not_be_judged(self, server):
        measured = server(status=self.STATUS, sessions=self.busy(1), gaps={"sessions": "needs PROCESS"})
        assert "needs PROCESS" in gaps(measured)["max_connections"]


class TestHosts:
    """max_connect_errors and skip_name_resolve."""

    def test_a_host_that_is_shut_out_raises_the_limit(self, server):
        measured = server(hosts=(host(connect_errors=100, blocked_attempts=4),))
        assert changes(measured) == {"max_connect_errors": "10000"}
        assert answers(measured)[0].finding.severity is Severity.ERROR

    def test_a_host_half_way_to_it_is_a_warning_and_one_far_from_it_nothing(self, server):
        assert answers(server(hosts=(host(connect_errors=50),)))[0].finding.severity is Severity.WARNING
        assert answers(server(hosts=(host(connect_errors=49),))) == []

    def test_without_look_ups_no_host_is_shut_out(self, server):
        measured = server(variables={"skip_name_resolve": "ON"}, hosts=(host(connect_errors=100),))
        assert answers(measured) == []

    def test_failing_look_ups_are_switched_off_where_no_account_needs_them(self, server):
        assert changes(server(hosts=(host(name_errors=3),))) == {"skip_name_resolve": "ON"}

    def test_an_account_bound_to_a_name_keeps_look_ups_on(self, server):
        measured = server(hosts=(host(name_errors=3),), named=("app@web.example",))
        assert changes(measured) == {}
        assert "app@web.example" in notes(measured)[0]

    def test_who_needs_look_ups_must_be_known(self, server):
        measured = server(hosts=(host(name_errors=3),), named=None, gaps={"named": "needs SELECT on mysql.user"})
        assert changes(measured) == {}
        assert "mysql.user" in gaps(measured)["skip_name_resolve"]

    def test_hosts_that_could_not_be_asked_are_a_gap(self, server):
        measured = server(hosts=None, gaps={"hosts": "needs performance_schema=ON"})
        assert gaps(measured) == dict.fromkeys(
            ("max_connect_errors", "skip_name_resolve"), "needs performance_schema=ON"
        )


class TestNetTimeouts:
    """net_read_timeout, net_write_timeout, connect_timeout."""

    @pytest.mark.parametrize(
        ("name", "kind", "low", "default"),
        [
            ("net_read_timeout", Cut.READ, "2", "30"),
            ("net_write_timeout", Cut.WRITE, "2", "60"),
            ("connect_timeout", Cut.HANDSHAKE, "2", "10"),
        ],
    )
    def test_below_the_default_it_is_raised_to_it_and_never_over_it(self, server, cut, name, kind, low, default):
        assert changes(server(variables={name: low}, cuts=cut(kind))) == {name: default}
        assert changes(server(cuts=cut(kind))) == {}

    def test_at_the_default_the_client_is_to_be_mended(self, server, cut):
        assert "left its result unread" in notes(server(cuts=cut(Cut.WRITE)))[0]

    def test_mariadb_counts_broken_handshakes_by_itself(self, server):
        measured = server(MARIADB, variables={"connect_timeout": "2"}, status={"aborted_connects_preauth": "4"})
        assert changes(measured) == {"connect_timeout": "10"}


def test_what_a_session_costs_comes_from_the_servers_own_buffers(server):
    found = session_memory(server(variables={"log_bin": "ON", "binlog_cache_size": "32768"}).snapshot)
    assert found.idle == 1048576 + 16384
    assert found.busy == found.idle + 131072 + 262144 * 3 + 32768
    assert found.largest == found.busy - 16384 + 67108864


def test_counts_of_zero_are_no_evidence(server):
    measured = server(variables={"wait_timeout": "5"}, cuts={Cut.IDLE: (Seen(number=0, source="watched"),)})
    assert answers(measured) == []
    assert measured.evidence(Cut.IDLE, "wait_timeout") == ()


def test_evidence_names_who_was_cut(server, cut):
    measured = server(
        cuts=cut(Cut.IDLE, 9, by=(("app@a", 5), ("app@b", 2), ("app@c", 1), ("app@d", 1)), since="in 2 h")
    )
    assert measured.evidence(Cut.IDLE, "wait_timeout") == (
        Evidence(
            "9 connections ended: idle for longer than its limit (app@a 5, app@b 2, app@c 1, …), in 2 h",
            "the server's own count",
        ),
    )
