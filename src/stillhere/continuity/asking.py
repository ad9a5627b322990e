"""Asking a server about losses, over a short connection of its own: counters, settings, threads, its error log."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stillhere.continuity.dossier import Answers, Dossier, Sample
from stillhere.continuity.facts import learn
from stillhere.drivers.base import as_text
from stillhere.errorlog.entry import Entry
from stillhere.masking import mask_sql
from stillhere.server.errorcodes import denied
from stillhere.server.versions import Flavour

if TYPE_CHECKING:
    from stillhere.continuity.endpoint import Endpoint
    from stillhere.drivers.base import Driver

__all__ = ["Question", "ask"]

_COUNTERS = (
    b"SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_kill', 'Aborted_clients', 'Aborted_connects',"
    b" 'Aborted_connects_preauth', 'Max_used_connections', 'Threads_connected', 'Uptime')"
    b" OR Variable_name LIKE 'Connection\\_errors\\_%'"
)
_VARIABLES = (
    b"SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wait_timeout', 'interactive_timeout', 'init_connect',"
    b" 'idle_transaction_timeout', 'idle_readonly_transaction_timeout', 'idle_write_transaction_timeout',"
    b" 'max_allowed_packet', 'max_connections', 'max_user_connections', 'max_connect_errors', 'connect_timeout',"
    b" 'net_read_timeout', 'net_write_timeout', 'read_only', 'super_read_only', 'hostname', 'log_error')"
)
_ENTRIES = (
    b"SELECT LOGGED, THREAD_ID, PRIO, ERROR_CODE, SUBSYSTEM, DATA FROM performance_schema.error_log"
    b" WHERE LOGGED >= NOW(6) - INTERVAL %d SECOND ORDER BY LOGGED DESC LIMIT 500"
)
_LONGEST = 900.0
_MARGIN = 5.0
_TAIL = 256 * 1024
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask.

    Attributes:
        threads: of the lost connections; empty where only counters are wanted.
        since: of the earliest moment that the error log is wanted from, in seconds of the Unix clock; 0 for no log.
    """

    threads: tuple[int, ...] = ()
    since: float = 0.0


def ask(endpoint: Endpoint, chain: Callable[[], Any], dossier: Dossier, question: Question) -> Answers:
    """Ask a server, at most seven short questions, and leave in order.

    Args:
        endpoint: whose server.
        chain: the user's connect chain.
        dossier: of the address; the counters are entered there.
        question: what to ask.

    Raises:
        Exception: the driver's own, where the server can't be reached.
    """
    driver, began = endpoint.driver, time.monotonic()
    side = endpoint.open_aside(chain)
    try:
        facts = learn(driver, side, began)
        own_kills = dossier.own_kills
        counters = _numbers(driver.fetch(side, _COUNTERS))
        sample = Sample(
            at=time.monotonic(),
            facts=facts,
            counters=counters,
            kills=counters.get("com_kill", -1),
            own_least=own_kills,
            own_most=dossier.own_kills,
        )
        variables = {key: mask_sql(value) for key, value in _pairs(driver.fetch(side, _VARIABLES)).items()}
        answers = Answers(sample=sample, variables=variables)
        if question.since:
            answers = _look_closer(driver, side, endpoint.name, answers, question)
    finally:
        driver.close(side)
    dossier.note_sample(sample)
    dossier.variables = answers.variables
    return answers


def _look_closer(driver: Driver, side: Any, name: str, seen: Answers, question: Question) -> Answers:
    gaps: dict[str, str] = {}
    log, log_from = _log(driver, side, name, seen.variables, seen.sample, question.since, gaps)
    return replace(
        seen,
        threads=_threads(driver, side, question.threads),
        log=log,
        log_from=log_from,
        gaps=gaps,
    )


def _threads(driver: Driver, side: Any, threads: Iterable[int]) -> frozenset[tuple[int, str, str]]:
    ids = b", ".join(b"%d" % thread for thread in threads if thread)
    if not ids:
        return frozenset()
    rows = driver.fetch(
        side, b"SELECT ID, USER, HOST, COMMAND FROM information_schema.PROCESSLIST WHERE ID IN (" + ids + b")"
    )
    # One that was killed and still rolls back is on the list, and gone for its client.
    return frozenset(
        (int(thread), as_text(user), as_text(host))
        for thread, user, host, command in rows
        if as_text(command) != "Killed"
    )


def _log(
    driver: Driver,
    side: Any,
    name: str,
    variables: Mapping[str, str],
    sample: Sample,
    since: float,
    gaps: dict[str, str],
) -> tuple[tuple[Entry, ...], float]:
    """The error log's entries since a moment, and since when it was read: from a table, else from a local file."""
    now = time.time()
    seconds = min(_LONGEST, now - since + _MARGIN)
    if sample.facts.flavour is Flavour.MYSQL:
        try:
            return _table(driver, side, int(seconds) + 1), now - seconds
        except driver.dbapi.Error as error:
            code = driver.errno(error)
            if code in range(2000, 3000):
                raise
            gaps["log"] = (
                "needs SELECT on performance_schema.error_log" if denied(code) else "no performance_schema.error_log"
            )
    path = _local_file(name, variables)
    if path is None:
        gaps.setdefault("log", "the error log is not a file that can be read here")
        return (), 0.0
    return _file(path, now - seconds, gaps)


def _table(driver: Driver, side: Any, seconds: int) -> tuple[Entry, ...]:
    from stillhere.errorlog.rows import entries_from_rows  # noqa: PLC0415 - for the thread that asks alone

    driver.fetch(side, b"SET time_zone = '+00:00'")
    rows = driver.fetch(side, _ENTRIES % seconds)
    return tuple(entries_from_rows(reversed(rows)))


def _local_file(name: str, variables: Mapping[str, str]) -> Path | None:
    """The log's file where the server runs on this machine; a path that another machine gave may be another's here."""
    local = name.startswith("/") or name.rpartition(":")[0] in _LOCAL
    path = Path(variables.get("log_error", ""))
    if not local or variables.get("hostname") != os.uname().nodename or not path.is_absolute():
        return None
    return path if path.is_file() else None


def _file(path: Path, since: float, gaps: dict[str, str]) -> tuple[tuple[Entry, ...], float]:
    from stillhere.errorlog.parser import parse  # noqa: PLC0415 - for the thread that asks alone

    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, io.SEEK_END) - _TAIL)
            file.seek(start)
            tail = file.read()
    except OSError as error:
        gaps["log"] = f"{path} can't be read: {error.strerror}"
        return (), 0.0
    if start:
        tail = tail.partition(b"\n")[2]
    zone = datetime.now().astimezone().tzinfo
    entries = list(parse(io.BytesIO(tail), zone=zone or UTC))
    reached = min((entry.at.timestamp() for entry in entries if entry.at is not None), default=0.0) if start else 1.0
    return tuple(entry for entry in entries if entry.at is None or entry.at.timestamp() >= since), max(reached, since)


def _pairs(rows: Iterable[tuple[Any, ...]]) -> dict[str, str]:
    return {as_text(name).lower(): as_text(value) for name, value in rows}


def _numbers(rows: Iterable[tuple[Any, ...]]) -> dict[str, int]:
    return {name: int(value) for name, value in _pairs(rows).items() if value.isdecimal()}
