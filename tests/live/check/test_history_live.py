"""The check on real servers: stillhere passes it, and it sees what stillhere's guards prevent."""

from __future__ import annotations

import logging

import pytest
from guards import FENCE, GUARDS, forget_classes

from stillhere.lab.check.chaos import Mix
from stillhere.lab.check.checker import Wrong
from stillhere.lab.check.run import Options, run_check

CUTS = 500
ENOUGH = Mix(commands=12, ghosts=0.2, kills=1, outage_every=8)
SEEDS = range(1, 13)


@pytest.fixture(autouse=True)
def _quiet():
    """Thousands of warnings, one for each loss, are no help in a test's output."""
    logger = logging.getLogger("stillhere")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    forget_classes()
    yield
    forget_classes()
    logger.setLevel(level)


def told(report) -> str:
    return "\n".join(f"{one.wrong.name} {one.operation} {one.says}" for one in report.violations[:20])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("arm", ["stillhere", "witness"])
def test_five_hundred_cuts_and_nothing_is_wrong(server, arm):
    options = Options(server=server.flavour.value, arm=arm, seconds=150, cuts=CUTS, seed=20, mix=ENOUGH, stall_after=10)
    report = run_check(options, server=server)
    assert not report.violations, told(report)
    assert report.struck >= CUTS
    assert report.raw == 0
    assert (report.settled > 0) is (arm == "witness")
    assert report.continued > report.replayed > 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_transactions_that_count_as_long_are_told_no_wrong_either(mariadb):
    """As after an outage of more than obey_kill_after, which takes a slow server."""
    mix = Mix(commands=15, ghosts=0.2, kills=2, outage_every=4)
    short = {"obey_kill_after": "20ms"}
    report = run_check(
        Options(arm="witness", seconds=100, cuts=300, seed=3, mix=mix, options=short, stall_after=10), server=mariadb
    )
    assert not report.violations, told(report)
    assert report.errors["TransactionKilled"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_recipe_applies_twice_what_it_retries(mariadb):
    seen = set()
    for seed in SEEDS:
        mix = Mix(commands=20, ghosts=0, kills=0, outage_every=0)
        report = run_check(Options(arm="recipe", seconds=4, seed=seed, mix=mix), server=mariadb)
        seen |= report.wrong.keys()
        if {Wrong.DOUBLED, Wrong.RAW} <= seen:
            return
    pytest.fail(f"only {seen} in {len(SEEDS)} runs")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name.replace(" ", "_"))
def test_without_a_guard_the_check_sees_what_it_prevents(mariadb, monkeypatch, guard):
    guard.also(monkeypatch)
    guard.off(monkeypatch)
    seen = set()
    for seed in SEEDS:
        report = run_check(Options(arm=guard.arm, seconds=4, seed=seed, mix=guard.mix), server=mariadb)
        seen |= report.wrong.keys()
        if seen & guard.shows:
            return
    pytest.fail(f"only {seen} in {len(SEEDS)} runs without {guard.name}")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("guard", [one for one in GUARDS if one.name == "witness kind"], ids=["witness_kind"])
def test_with_the_guard_the_same_lost_replies_do_no_harm(mariadb, monkeypatch, guard):
    guard.also(monkeypatch)
    report = run_check(Options(arm=guard.arm, seconds=4, mix=guard.mix, stall_after=10), server=mariadb)
    assert not report.violations, told(report)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_without_the_fence_clients_wait_for_ghosts(server, monkeypatch):
    FENCE.off(monkeypatch)
    seen = set()
    for seed in SEEDS:
        limits = {"seconds": 5, "lock_wait": 1, "stall_after": 0.9}
        options = Options(server=server.flavour.value, seed=seed, mix=FENCE.mix, **limits)
        report = run_check(options, server=server)
        seen |= report.wrong.keys()
        if seen >= FENCE.shows:
            return
    pytest.fail(f"only {seen} in {len(SEEDS)} runs")


def test_the_pools_places_are_counted(mariadb):
    quiet = Mix(commands=0, kills=0, outage_every=0)
    report = run_check(Options(arm="stock", seconds=1, mix=quiet, stall_after=30), server=mariadb)
    assert not report.violations, told(report)
    assert report.struck == 0
    assert report.total
