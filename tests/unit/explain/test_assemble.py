"""What a report, the logs and a look at the server become for the rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stillhere.apptrace.report import PoolFacts, Position
from stillhere.causes.answer import LogView, Look
from stillhere.causes.assemble import masked, observe_look, observe_report, scene
from stillhere.causes.windows import joined_lives
from stillhere.errorlog.entry import Kind
from stillhere.errorlog.summary import Ending, Life
from stillhere.server.versions import Flavour

HOUR = 3600.0


def looked(make, snapshot=None, **facts):
    return Look(address="db:3306", at=make.seconds(10), snapshot=snapshot, **facts)


def kinds(seen):
    return [one.kind for one in seen.log]


def test_a_report_fills_what_the_client_saw(make):
    pool = PoolFacts(5, 10, 30.0)
    seen = observe_report(make.report(statement="select 1", idle_ms=612_000, pool=pool), scene([]))
    assert seen.client.codes == (2006,)
    assert seen.client.driver == "mysqlclient"
    assert seen.statement.verb == "SELECT"
    assert seen.loss.idle == 612.0
    assert (seen.pool.size, seen.pool.overflow, seen.pool.timeout) == (5, 10, 30.0)
    assert seen.loss.at == make.seconds(0)


def test_a_time_without_a_zone_is_not_handed_on_as_exact(make):
    assert observe_report(make.report(zoned=False), scene([])).loss.at is None


def test_what_ends_connections_is_looked_for_a_day_back_and_all_else_near_the_loss(make):
    log = make.summary(
        make.entry(Kind.ABORTED, at=-30 * HOUR),
        make.entry(Kind.ABORTED, at=-20 * HOUR),
        make.entry(Kind.TOO_MANY_CONNECTIONS, at=-20 * HOUR),
        make.entry(Kind.TOO_MANY_CONNECTIONS, at=-60.0),
        make.entry(Kind.CRASH, at=HOUR),
    )
    known = scene([LogView(name="log", summary=log)])
    assert kinds(observe_report(make.report(), known)) == [Kind.ABORTED, Kind.TOO_MANY_CONNECTIONS]
    in_use = make.report(position=Position.FETCH)
    assert kinds(observe_report(in_use, known)) == [Kind.TOO_MANY_CONNECTIONS]


def test_a_report_without_a_time_is_laid_beside_the_whole_log(make):
    log = make.summary(make.entry(at=-900 * HOUR), make.entry(at=None), make.entry(at=900 * HOUR))
    seen = observe_report(make.report(at=None), scene([LogView(name="log", summary=log)]))
    assert len(seen.log) == 3
    assert not seen.log_covers


@pytest.mark.parametrize(
    ("first", "last", "omitted", "window", "covers"),
    [
        (-60, 60, 0, None, True),
        (-60, -1, 0, None, False),
        (1, 60, 0, None, False),
        (-60, 60, 7, None, False),
        (-60, 60, 7, (-10, 10), True),
        (-60, 60, 7, (5, 10), False),
    ],
)
def test_silence_means_something_only_where_the_log_reaches_over_the_loss(make, first, last, omitted, window, covers):
    log = make.summary(first=first, last=last, omitted=omitted)
    span = window and (make.seconds(window[0]), make.seconds(window[1]))
    seen = observe_report(make.report(), scene([LogView(name="log", summary=log, window=span)]))
    assert seen.log_covers is covers


@pytest.mark.parametrize(
    ("position", "uptime", "restarted"),
    [
        (Position.STATEMENT, 5, True),
        (Position.STATEMENT, 11, True),  # uptime counts whole seconds
        (Position.STATEMENT, 600, None),  # the pool may have kept what that start had cut
        (Position.STATEMENT, 90_000, False),
        (Position.FETCH, 600, False),
    ],
)
def test_uptime_tells_of_a_restart_after_the_loss(make, position, uptime, restarted):
    known = scene([], looked(make, make.snapshot(at=10, uptime=uptime)))
    assert observe_report(make.report(position=position), known).server.restarted is restarted


def test_a_server_that_lets_nobody_in_is_evidence(make):
    known = scene([], looked(make, code=2003, error="Can't connect", driver="PyMySQL"))
    seen = observe_look(known)
    assert seen.client.codes == (2003,)
    assert seen.loss.phase == "CONNECT"
    assert seen.server.unreachable
    assert observe_report(make.report(), known).server.unreachable


def test_a_server_that_refuses_the_password_was_reached(make):
    seen = observe_look(scene([], looked(make, code=1045, error="Access denied")))
    assert seen.server.unreachable is None


def test_variables_that_may_hold_passwords_are_masked(make):
    shown = masked(
        make.snapshot(
            init_connect="SET @key = 'hunter22', wait_timeout = 60",
            report_password="hunter22",
            default_password_lifetime="30",
            wait_timeout="600",
        )
    )
    assert shown.variables["init_connect"] == "SET @key = '***', wait_timeout = 60"
    assert shown.variables["report_password"] == "***"
    assert shown.variables["default_password_lifetime"] == "30"
    assert shown.variables["wait_timeout"] == "600"


def test_lives_run_on_from_one_rotated_file_to_the_next(make):
    old = make.summary(first=0, lives=(Life(ending=Ending.RUNNING, started=make.seconds(0), start_line=1),))
    new = make.summary(first=9, lives=(Life(ending=Ending.CRASH, ended=make.seconds(20), signal=11),))
    (life,) = joined_lives([new, old])
    assert (life.started, life.ending, life.ended) == (make.seconds(0), Ending.CRASH, make.seconds(20))


def test_the_kernel_says_why_a_server_died_without_a_word(make):
    killed = Life(ending=Ending.KILLED, started=make.seconds(0), start_line=1)
    again = Life(ending=Ending.RUNNING, started=make.seconds(100), start_line=9)
    log = make.summary(lives=(killed, again))
    kernel = make.summary(make.entry(Kind.OOM_KILL, at=95))
    assert [one.ending for one in joined_lives([log, kernel])] == [Ending.OOM, Ending.RUNNING]
    too_early = make.summary(make.entry(Kind.OOM_KILL, at=-5))
    assert joined_lives([log, too_early])[0].ending is Ending.KILLED


def test_lives_that_ended_days_before_are_no_reason(make):
    days = [Life(ending=Ending.CRASH, started=make.seconds(-h), ended=make.seconds(-h)) for h in (90 * HOUR, HOUR)]
    log = LogView(name="log", summary=make.summary(lives=tuple(days)))
    assert observe_report(make.report(), scene([log])).lives == (days[1],)
    assert observe_report(replace(make.report(), at=None), scene([log])).lives == tuple(days)


def test_a_counter_that_is_nought_was_so_over_the_connections_life(make):
    quiet = make.snapshot(at=10, uptime=90_000)
    quiet = replace(quiet, status={**quiet.status, "com_kill": "0", "aborted_clients": "0", "aborted_connects": "7"})
    server = observe_report(make.report(), scene([], looked(make, quiet))).server
    assert server.kills == 0
    assert server.deltas == {"aborted_clients": 0}
    busy = replace(quiet, status={**quiet.status, "com_kill": "3"})
    assert observe_report(make.report(), scene([], looked(make, busy))).server.kills is None
    restarted = replace(quiet, status={**quiet.status, "uptime": "5"})
    server = observe_report(make.report(), scene([], looked(make, restarted))).server
    assert (server.restarted, server.kills, server.deltas) == (True, None, {})


def test_the_log_tells_the_family_where_nobody_was_asked(make):
    lives = (Life(ending=Ending.RUNNING, started=make.seconds(-9), version="10.11.19-MariaDB-log"),)
    seen = observe_report(make.report(), scene([LogView(name="log", summary=make.summary(lives=lives))]))
    assert seen.server.flavour is Flavour.MARIADB
    assert seen.server.version == (10, 11, 19)


def test_a_server_that_refuses_writes_is_said_to(make):
    known = scene([], looked(make, make.snapshot(read_only="OFF", super_read_only="ON")))
    assert observe_report(make.report(), known).server.read_only_now is True
    known = scene([], looked(make, make.snapshot(read_only="OFF")))
    assert observe_report(make.report(), known).server.read_only_now is False
