"""Losses become cases, the main one first."""

from __future__ import annotations

import pytest

from stillhere.apptrace.report import PoolFacts, Position
from stillhere.causes.answer import LogView, Look, Mark, Origin
from stillhere.causes.conclude import conclude
from stillhere.causes.engine import Explanation
from stillhere.causes.gather import Gathered, gather
from stillhere.causes.remedies import ASK_LOG, ASK_UPTIME
from stillhere.causes.rule import Certainty
from stillhere.errorlog.entry import Kind
from stillhere.errorlog.summary import AbortGroup, Aborts, Ending, Life, Noise

NOTHING = Explanation()


def gathered(*reports):
    found = Gathered()
    gather(reports, "app.log", found)
    return found


def by_code(make, **answers):
    """Explains each error number as told; what isn't told stays unknown."""

    def explain(seen):
        cause = answers.get(f"c{seen.client.errno}")
        return make.explanation(make.attribution(cause)) if cause else NOTHING

    return explain


def test_losses_with_the_same_cause_are_one_case_wherever_they_came(make):
    reports = [make.report(0), make.report(5, codes=(2013,), errno=2013), make.report(9)]
    answer = conclude(gathered(*reports), [], None, by_code(make, c2006="crash", c2013="crash"))
    (case,) = answer.cases
    assert case.count == 3
    assert (case.first, case.last) == (make.seconds(0), make.seconds(9))
    assert [(one.name.split()[1], one.count) for one in case.places] == [("2006", 2), ("2013", 1)]


def test_losses_without_a_cause_stay_apart_by_their_error(make):
    reports = [make.report(0), make.report(5, codes=(2013,), errno=2013)]
    assert len(conclude(gathered(*reports), [], None, by_code(make)).cases) == 2


def test_the_main_case_is_named_then_frequent_then_late(make):
    codes = {2006: 1, 2013: 3, 2055: 3, 1927: 9}
    reports = [
        make.report(index * 100 + at, codes=(code,), errno=code)
        for index, (code, count) in enumerate(codes.items())
        for at in range(count)
    ]
    answers = by_code(make, c2006="a", c2013="b", c2055="c")
    cases = conclude(gathered(*reports), [], None, answers).cases
    assert [case.explanation.cause for case in cases] == ["c", "b", "a", "unknown"]


def test_all_of_a_thousand_alike_are_counted(make):
    answer = conclude(gathered(*(make.report(at) for at in range(1000))), [], None, by_code(make, c2006="crash"))
    assert answer.main.count == 1000
    assert answer.main.examined == 40
    assert "1,000 reports" in answer.notes[0]


def test_an_error_that_leaves_the_connection_alive_is_no_loss(make):
    duplicate = make.report(codes=(1062,), errno=1062, exception="MySQLdb.IntegrityError")
    answer = conclude(gathered(duplicate, make.report()), [], None, by_code(make))
    assert answer.others == {"IntegrityError 1062": 1}
    assert len(answer.cases) == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"codes": (), "errno": None},
        {"codes": (), "errno": None, "pool": PoolFacts(5)},
        {"codes": (1045,), "errno": 1045, "position": Position.CONNECT},
        {"codes": (1062,), "errno": 1062, "os_error": 104},
    ],
)
def test_what_may_be_a_loss_is_not_left_out(make, facts):
    assert conclude(gathered(make.report(**facts)), [], None, by_code(make)).cases


def test_a_server_that_lets_nobody_in_is_a_case_of_its_own(make):
    look = Look(address="db:3306", at=make.seconds(0), code=2003, error="refused")
    answer = conclude(Gathered(), [], look, by_code(make, c2003="server_restart"))
    assert answer.main.origin is Origin.SERVER
    assert [one.mark for one in answer.timeline] == [Mark.LOOK]


def crashed(make):
    lives = (
        Life(ending=Ending.CRASH, started=make.seconds(-900), ended=make.seconds(0), start_line=1, end_line=9),
        Life(ending=Ending.RUNNING, started=make.seconds(5), start_line=12),
    )
    group = AbortGroup(kind=Kind.ABORTED, user="app", host="10.0.0.9", reason="Got an error", count=7)
    knocks = AbortGroup(kind=Kind.UNAUTHENTICATED, user="", host="10.0.0.2", reason="", count=900)
    return make.summary(
        make.entry(Kind.CRASH, at=0, line=9),
        make.entry(Kind.ABORTED, at=1, line=10, user="app", host="10.0.0.9", reason="Got an error"),
        make.entry(Kind.UNAUTHENTICATED, at=2, line=11, host="10.0.0.2"),
        make.entry(Kind.TOO_MANY_CONNECTIONS, at=3, line=11),
        lives=lives,
        aborts=Aborts(total=907, groups=(knocks, group)),
        noise=(Noise(host="10.0.0.2", period=10.0, count=900),),
    )


def test_a_log_alone_tells_endings_then_refusals_then_aborts_and_no_noise(make):
    asked = []

    def explain(seen):
        asked.append(seen)
        return NOTHING

    answer = conclude(Gathered(), [LogView(name="error.log", summary=crashed(make))], None, explain)
    assert [case.origin for case in answer.cases] == [Origin.LOG] * 3
    assert [case.subject for case in answer.cases] == [
        "the server crashed",
        "the log says 'too many connections'",
        "aborted connections of app@10.0.0.9: Got an error",
    ]
    assert [[one.kind for one in seen.log] for seen in asked] == [
        [Kind.CRASH],
        [Kind.TOO_MANY_CONNECTIONS],
        [Kind.ABORTED],
    ]
    assert [life.ending for life in asked[0].lives] == [Ending.CRASH, Ending.UNKNOWN]
    assert asked[2].session.user == "app"
    assert answer.cases[2].count == 7


def test_beside_a_report_the_log_is_evidence_and_no_case(make):
    answer = conclude(gathered(make.report()), [LogView(name="e", summary=crashed(make))], None, by_code(make))
    assert [case.origin for case in answer.cases] == [Origin.REPORT]


def test_the_timeline_has_losses_lives_and_refusals_in_order(make):
    answer = conclude(
        gathered(make.report(1), make.report(2)), [LogView(name="e", summary=crashed(make))], None, by_code(make)
    )
    assert [(one.mark, one.count) for one in answer.timeline] == [
        (Mark.START, 1),
        (Mark.CRASH, 1),
        (Mark.LOSS, 2),
        (Mark.REFUSED, 1),
        (Mark.START, 1),
    ]


def test_who_died_without_a_word_is_found_dead_by_the_next_start(make):
    lives = (
        Life(ending=Ending.KILLED, started=make.seconds(0), start_line=1),
        Life(ending=Ending.RUNNING, started=make.seconds(50), start_line=5),
    )
    answer = conclude(Gathered(), [LogView(name="e", summary=make.summary(lives=lives))], None, by_code(make))
    assert [(one.mark, one.at) for one in answer.timeline] == [
        (Mark.START, make.seconds(0)),
        (Mark.CRASH, make.seconds(50)),
        (Mark.START, make.seconds(50)),
    ]
    assert "found dead" in answer.timeline[1].text


def test_the_surest_explanation_speaks_for_its_case(make):
    sure = iter([Certainty.LIKELY, Certainty.PROVED, Certainty.LIKELY])

    def explain(_seen):
        return make.explanation(make.attribution("crash", next(sure)))

    answer = conclude(gathered(*(make.report(at) for at in range(3))), [], None, explain)
    assert answer.main.explanation.named.certainty is Certainty.PROVED
    assert answer.main.count == 3


def test_notes_tell_how_times_were_read(make):
    log = LogView(name="e", summary=make.summary())
    unzoned = conclude(gathered(make.report(zoned=False)), [log], None, by_code(make))
    assert "--zone" in unzoned.notes[0]
    timeless = conclude(gathered(make.report(at=None)), [log], None, by_code(make))
    assert "no report has a time" in timeless.notes[0]
    assert conclude(gathered(make.report()), [log], None, by_code(make)).notes == ()


def test_what_was_given_is_not_asked_for_again(make):
    asks = Explanation(causes=(make.attribution(certainty=Certainty.POSSIBLE),), collect=(ASK_LOG, ASK_UPTIME, "more"))
    log = LogView(name="e", summary=make.summary())
    look = Look(address="db:3306", at=make.seconds(5), snapshot=make.snapshot(at=5))
    asked = [
        conclude(gathered(make.report()), logs, seen, lambda _: asks).main.explanation.collect
        for logs, seen in (([], None), ([log], None), ([log], look))
    ]
    assert asked == [(ASK_LOG, ASK_UPTIME, "more"), (ASK_UPTIME, "more"), ("more",)]


def test_a_look_that_failed_comes_after_the_report_even_where_its_cause_is_sure(make):
    look = Look(address="db:3306", at=make.seconds(9), code=1045, error="denied")
    answer = conclude(gathered(make.report()), [], look, by_code(make, c1045="access_denied"))
    assert [case.origin for case in answer.cases] == [Origin.REPORT, Origin.SERVER]


def test_one_start_is_told_once_though_log_and_uptime_both_know_it(make):
    lives = (Life(ending=Ending.RUNNING, started=make.seconds(0), start_line=1),)
    log = LogView(name="e", summary=make.summary(lives=lives))

    def starts(uptime):
        look = Look(address="db:3306", at=make.seconds(500), snapshot=make.snapshot(at=500, uptime=uptime))
        return [one.mark for one in conclude(Gathered(), [log], look, by_code(make)).timeline].count(Mark.START)

    assert starts(499) == 1
    assert starts(300) == 2


def test_in_a_log_alone_groups_with_one_cause_are_one_case_and_refused_logins_come_last(make):
    groups = [
        AbortGroup(kind=Kind.ABORTED, user=user, host="h", reason="Got timeout reading", count=count)
        for user, count in (("a", 5), ("b", 3))
    ]
    entries = [make.entry(Kind.ABORTED, user=one.user, host="h", reason=one.reason) for one in groups]
    log = make.summary(make.entry(Kind.ACCESS_DENIED), *entries, aborts=Aborts(total=8, groups=tuple(groups)))

    def explain(seen):
        denied = seen.log[0].kind is Kind.ACCESS_DENIED
        return make.explanation(make.attribution("access_denied" if denied else "idle_timeout"))

    cases = conclude(Gathered(), [LogView(name="e", summary=log)], None, explain).cases
    assert [(case.explanation.cause, case.count) for case in cases] == [("idle_timeout", 8), ("access_denied", 1)]
    assert [one.count for one in cases[0].places] == [5, 3]
    assert cases[0].seen.log_omitted in {4, 2}
