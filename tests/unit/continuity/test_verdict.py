"""Every combination of arguments against the four proofs, written a second time and differently."""

from __future__ import annotations

import itertools

from stillhere.continuity.verdict import Liveness, Phase, Verdict, verdict
from stillhere.drivers.base import DriverTraits
from stillhere.server.versions import Flavour

PLAIN = DriverTraits("MySQLdb", frozenset({2006}))
MUTE = DriverTraits("asyncmy")
CODES = (None, 0, 1053, 1153, 1205, 1213, 1317, 1927, 2006, 2013, 2014, 2026, 2055, 3024, 4031)
SENT = (Phase.SEND, Phase.AWAIT, Phase.COMMIT)

# (code, flavour) -> proof in a server's reply, for a statement that takes effect wholly or not at all
WHOLE = {
    (1053, Flavour.MYSQL),
    (1053, Flavour.MARIADB),
    (1053, None),
    (1153, Flavour.MYSQL),
    (1153, Flavour.MARIADB),
    (1153, None),
    (1927, Flavour.MARIADB),
    (1927, None),
    (4031, Flavour.MYSQL),
}
PARTIAL = {proof for proof in WHOLE if proof[0] in (1153, 4031)}


def test_every_combination_has_a_proof_or_is_maybe_executed() -> None:
    seen = 0
    for traits, phase, code, flavour, liveness, replied, atomic, bulk in itertools.product(
        (PLAIN, MUTE), Phase, CODES, (*Flavour, None), Liveness, (False, True), (False, True), (False, True)
    ):
        proofs = (
            phase in (Phase.CONNECT, Phase.IDLE),
            phase in SENT and liveness is Liveness.DEAD,
            phase in SENT and traits is PLAIN and code == 2006 and not replied and not bulk,
            phase in SENT and replied and (code, flavour) in (WHOLE if atomic else PARTIAL),
        )
        got = verdict(
            traits,
            phase,
            code,
            flavour=flavour,
            liveness=liveness,
            replied=replied,
            atomic=atomic,
            bulk_upload=bulk,
        )
        assert got is (Verdict.NOT_SENT if any(proofs) else Verdict.MAYBE_EXECUTED)
        seen += 1
    assert seen == 2 * 6 * len(CODES) * 3 * 3 * 8


def test_a_write_error_and_a_read_error_differ_only_by_the_code() -> None:
    assert verdict(PLAIN, Phase.AWAIT, 2006) is Verdict.NOT_SENT
    assert verdict(PLAIN, Phase.AWAIT, 2013) is Verdict.MAYBE_EXECUTED


def test_2026_in_mid_life_proves_nothing() -> None:
    assert verdict(PLAIN, Phase.COMMIT, 2026) is Verdict.MAYBE_EXECUTED


def test_a_write_error_in_load_data_local_may_follow_a_read_command() -> None:
    assert verdict(PLAIN, Phase.SEND, 2006, bulk_upload=True) is Verdict.MAYBE_EXECUTED


def test_a_socket_that_was_dead_before_commit_proves_that_commit_was_not_sent() -> None:
    assert verdict(MUTE, Phase.COMMIT, 2013, liveness=Liveness.DEAD) is Verdict.NOT_SENT
    assert verdict(MUTE, Phase.COMMIT, 2013, liveness=Liveness.ALIVE) is Verdict.MAYBE_EXECUTED


def test_an_alive_peek_is_no_proof_that_it_was_sent_nor_that_it_was_not() -> None:
    assert verdict(PLAIN, Phase.SEND, 2006, liveness=Liveness.ALIVE) is Verdict.NOT_SENT


def test_a_code_the_library_made_up_is_no_reply() -> None:
    assert verdict(PLAIN, Phase.AWAIT, 2006, replied=True) is Verdict.MAYBE_EXECUTED


def test_rows_already_read_outweigh_every_proof() -> None:
    assert verdict(PLAIN, Phase.FETCH, 2006, liveness=Liveness.DEAD) is Verdict.MAYBE_EXECUTED
