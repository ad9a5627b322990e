"""Asking a server for what the rules need: one login, a dozen statements, nothing of the application's."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from stillhere.errorlog.parser import parse
from stillhere.survey.cut_counts import AccountErrors, account_errors
from stillhere.survey.host_cache import HostEntry, host_cache
from stillhere.survey.origins import SettingFacts, setting_facts
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed, take
from stillhere.tune.knobs import KNOBS
from stillhere.tune.logged import cuts_logged, silence
from stillhere.tune.measured import Cut, Measured, Needs, Seen, age
from stillhere.tune.watching import Look, cuts_between, watch

__all__ = ["IDLE_LIMITS", "measure"]

IDLE_LIMITS = (
    "wait_timeout",
    "interactive_timeout",
    "idle_transaction_timeout",
    "idle_readonly_transaction_timeout",
    "idle_write_transaction_timeout",
)

# Which error of which connections speaks for which cut: of those that had logged in (True) and those that had not.
_ERRORS = {
    ("ER_CLIENT_INTERACTION_TIMEOUT", True): Cut.IDLE,
    ("ER_NET_PACKET_TOO_LARGE", True): Cut.PACKET,
    ("ER_NET_READ_INTERRUPTED", True): Cut.READ,
    ("ER_NET_READ_INTERRUPTED", False): Cut.HANDSHAKE,
    ("ER_NET_WRITE_INTERRUPTED", True): Cut.WRITE,
}
_IDLE_CODE_SINCE = (8, 0, 24)  # before it an idle cut is counted as an interrupted read


def measure(
    ask: Ask,
    address: str,
    needs: Needs,
    *,
    watched: float = 0.0,
    log: Path | None = None,
    clock: Callable[[], float],
    pause: Callable[[float], None],
) -> Measured:
    """Take everything in.

    Args:
        ask: runs a statement on a connection in autocommit mode.
        address: the server's, as text, without credentials.
        needs: what the user told.
        watched: seconds to watch the process list for; 0 for one look.
        log: the server's error log, asked for what the server doesn't count; ``None`` for none.
        clock: seconds, only forward.
        pause: waits.

    Raises:
        OSError: the log can't be read.
        Exception: the driver's own, where the connection fails.
    """
    snapshot = take(ask, address)
    gaps = dict(snapshot.gaps)
    cuts: dict[Cut, tuple[Seen, ...]] = {}
    try:
        cuts = _counted(account_errors(ask, snapshot, {name for name, _ in _ERRORS}), snapshot)
    except NotAllowed as error:
        gaps["cuts"] = str(error)
    if log is not None:
        cuts = _logged(ask, snapshot, log, gaps) | cuts
    if watched and "sessions" in gaps:
        gaps["cuts"] = f"to watch sessions, the account {gaps['sessions']}"
    elif watched:
        limits = {name: snapshot.number(name) or 0.0 for name in IDLE_LIMITS}
        seen = cuts_between(watch(lambda: _look(ask, clock), watched, pause), limits)
        cuts[Cut.IDLE] = (*cuts.get(Cut.IDLE, ()), seen)
    return Measured(
        snapshot=snapshot,
        facts=_facts(ask, snapshot, gaps),
        cuts=cuts,
        hosts=_hosts(ask, snapshot, gaps),
        named=_named(ask, snapshot, gaps),
        needs=needs,
        gaps=gaps,
    )


def _counted(errors: Iterable[AccountErrors], snapshot: Snapshot) -> dict[Cut, tuple[Seen, ...]]:
    errors = tuple(errors)
    cuts: dict[Cut, tuple[Seen, ...]] = {}
    for (name, logged_in), cut in _ERRORS.items():
        if snapshot.version.number < _IDLE_CODE_SINCE and cut in {Cut.IDLE, Cut.READ}:
            continue  # they can't be told apart
        found = [error for error in errors if error.name == name and bool(error.account) == logged_in]
        last = max((error.last for error in found if error.last), default=None)
        by = Counter({error.account: error.raised for error in found if error.account})
        cuts[cut] = (
            Seen(
                number=sum(error.raised for error in found),
                source=f"performance_schema.events_errors_summary_by_account_by_error, {name}",
                since=_since(last, snapshot),
                last=last,
                by=tuple(by.most_common()),
            ),
        )
    return cuts


def _logged(ask: Ask, snapshot: Snapshot, log: Path, gaps: dict[str, str]) -> dict[Cut, tuple[Seen, ...]]:
    reason = silence(snapshot)
    if reason is not None:
        gaps["cuts"] = reason
        return {}
    # MariaDB's log has local times without their zone.
    offset = ask(
        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) AS seconds"
    )
    zone = timezone(timedelta(seconds=int(offset[0]["seconds"] or 0)))
    # A start takes a moment, and the log has whole seconds: what a former life left behind ends before.
    start = snapshot.taken_at - timedelta(seconds=snapshot.count("uptime") or 0)
    return cuts_logged(parse(log, zone=zone), snapshot, start.replace(microsecond=0), str(log))


def _since(last: datetime | None, snapshot: Snapshot) -> str:
    text = f"in the {age(snapshot.count('uptime') or 0)} since the server's start"
    return f"{text}, last at {last:%Y-%m-%d %H:%M:%S} UTC" if last else text


def _look(ask: Ask, clock: Callable[[], float]) -> Look:
    now = take(ask, "", transactions=False)
    return Look(at=clock(), sessions=now.sessions or (), aborted=now.count("aborted_clients") or 0)


def _facts(ask: Ask, snapshot: Snapshot, gaps: dict[str, str]) -> dict[str, SettingFacts]:
    try:
        return setting_facts(ask, snapshot, KNOBS.names())
    except NotAllowed as error:
        gaps["facts"] = str(error)
        return {}


def _hosts(ask: Ask, snapshot: Snapshot, gaps: dict[str, str]) -> tuple[HostEntry, ...] | None:
    try:
        return host_cache(ask, snapshot)
    except NotAllowed as error:
        gaps["hosts"] = str(error)
        return None


def _named(ask: Ask, snapshot: Snapshot, gaps: dict[str, str]) -> tuple[str, ...] | None:
    if snapshot.switched_on("skip_name_resolve"):
        return None
    try:
        rows = ask("SELECT user, host FROM mysql.user")
    except NotAllowed as error:
        gaps["named"] = str(error)
        return None
    return tuple(f"{row['user']}@{row['host']}" for row in rows if _is_name(str(row["host"])))


def _is_name(host: str) -> bool:
    """Whether an account's host is a name; patterns of addresses, ``localhost`` and roles (no host) are not."""
    if host in {"", "localhost"} or not any(letter.isalpha() for letter in host):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return ":" not in host
    return False
