"""Reports are counted by the million and kept by the dozen."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from stillhere.apptrace.report import Position
from stillhere.causes.gather import Bursts, Gathered, gather, subject_of


def gathered(*reports, zone=None):
    found = Gathered()
    gather(reports, "app.log", found, zone)
    return found


def test_reports_alike_in_all_but_their_time_are_one_group(make):
    found = gathered(*(make.report(at) for at in range(100)))
    (group,) = found.groups.values()
    assert group.count == 100
    assert (group.first, group.last) == (make.seconds(0), make.seconds(99))
    assert [one.at for one in group.kept] == [make.seconds(at) for at in (*range(20), *range(80, 100))]


@pytest.mark.parametrize(
    "other",
    [
        {"codes": (2013,)},
        {"position": Position.COMMIT},
        {"os_error": 32},
        {"driver": "PyMySQL"},
        {"frame": None},
        {"timed_out": True},
    ],
    ids=lambda other: next(iter(other)),
)
def test_reports_that_differ_in_what_tells_causes_apart_are_two_groups(make, other):
    assert len(gathered(make.report(), make.report(**other)).groups) == 2


def test_kinds_beyond_the_hundredth_are_only_counted(make):
    found = gathered(*(make.report(codes=(number,)) for number in range(103)))
    assert len(found.groups) == 100
    assert found.dropped == 3


def test_the_zone_is_for_times_that_name_none(make):
    berlin = timezone(timedelta(hours=2))
    local, zoned = make.report(0, zoned=False), make.report(0, codes=(2013,))
    groups = list(gathered(local, zoned, zone=berlin).groups.values())
    assert groups[0].kept[0].at == make.seconds(-7200)
    assert groups[0].kept[0].zoned
    assert groups[1].kept[0].at == make.seconds(0)


def test_losses_in_quick_succession_are_one_burst(make):
    bursts = Bursts()
    for at in (0, 5, 100, 9, 104):
        bursts.add(make.seconds(at))
    assert [(one.first, one.last, one.count) for one in bursts] == [
        (make.seconds(0), make.seconds(9), 3),
        (make.seconds(100), make.seconds(104), 2),
    ]


def test_bursts_stay_bounded_and_none_is_forgotten(make):
    bursts = Bursts()
    for at in range(0, 1_000_000, 997):
        bursts.add(make.seconds(at))
    found = list(bursts)
    assert len(found) <= 200
    assert sum(one.count for one in found) == len(range(0, 1_000_000, 997))
    assert found[0].first == make.seconds(0)


def test_a_subject_says_what_and_where(make):
    assert subject_of(make.report()) == "OperationalError 2006 (mysqlclient) at views.py:41 in match"
    bare = make.report(frame=None, request="GET /", driver="", errno=None)
    assert subject_of(bare) == "OperationalError in GET /"
