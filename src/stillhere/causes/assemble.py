"""From a report, the logs and a look at the server to the observations that the rules read. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from stillhere.apptrace.report import Position, Report
from stillhere.causes.answer import LogView, Look
from stillhere.causes.observations import (
    ClientFacts,
    LossFacts,
    Observations,
    PoolSettings,
    ServerFacts,
    StatementFacts,
)
from stillhere.causes.windows import LONG_AGO, NEAR, around, joined_entries, joined_lives, recent
from stillhere.errorlog.entry import Entry
from stillhere.errorlog.summary import Life
from stillhere.masking import MASK, mask_sql
from stillhere.server.errorcodes import waitable_at_connect
from stillhere.server.versions import parse_version
from stillhere.survey.snapshot import Snapshot

__all__ = ["Scene", "masked", "observe_look", "observe_report", "scene"]

_SECRET_NAMES = ("password", "passwd", "secret", "passphrase", "auth_string", "sst_auth")
_LITERALS = re.compile(r"""'(?:[^'\\]|''|\\.)*(?:'|\\Z)|"(?:[^"\\]|""|\\.)*(?:"|\\Z)""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known beside the reports, made ready once for all of them.

    Attributes:
        logs: what each of them says.
        entries: of all logs, in order of time.
        lives: of the server, out of all logs.
        server: the server as the look shows it, without what depends on the time of a loss.
        look: the look itself; ``None`` where none was taken.
    """

    logs: tuple[LogView, ...] = ()
    entries: tuple[Entry, ...] = ()
    lives: tuple[Life, ...] = ()
    server: ServerFacts = field(default_factory=ServerFacts)
    look: Look | None = None

    def covers(self, at: datetime | None) -> bool:
        """Whether the silence of one of the logs about that time means something."""
        return at is not None and any(log.covers(at) for log in self.logs)


def scene(logs: Sequence[LogView], look: Look | None = None) -> Scene:
    """Make ready what all losses share.

    Args:
        logs: those that were given.
        look: at the live server; a log that it brought counts as one more.
    """
    if look is not None and look.log is not None:
        logs = (*logs, LogView(name=look.address, summary=look.log))
    if look is not None and look.snapshot is not None:
        look = replace(look, snapshot=masked(look.snapshot))
    summaries = [log.summary for log in logs]
    lives = joined_lives(summaries)
    return Scene(tuple(logs), joined_entries(summaries), lives, _server(look) if look else _of_lives(lives), look)


def observe_report(report: Report, known: Scene) -> Observations:
    """Everything that is known of one reported error."""
    at = report.at
    return Observations(
        client=_client(report),
        loss=LossFacts(
            # The rules trust this moment to the second, and less that of a report which doesn't name its zone.
            at=at if report.zoned else None,
            position=report.position.name,
            idle=None if report.idle_ms is None else report.idle_ms / 1000,
            in_transaction=report.in_transaction,
        ),
        statement=StatementFacts(
            verb=report.statement.split(maxsplit=1)[0].upper() if report.statement.strip() else "",
            text=report.statement,
            size=report.statement_bytes,
            size_at_least=report.statement_at_least,
            executemany=report.executemany or None,
        ),
        server=_server_at(known, at, at_once=cut_in_use(report)),
        pool=PoolSettings.of_report(report.pool) if report.pool is not None else PoolSettings(),
        log=around(known.entries, at, at_once=cut_in_use(report)),
        log_covers=known.covers(at),
        lives=recent(known.lives, at),
        report=report,
        snapshot=known.look.snapshot if known.look is not None else None,
    )


def observe_look(known: Scene) -> Observations | None:
    """What a look that failed says by itself; ``None`` where it succeeded, or none was taken."""
    look = known.look
    if look is None or look.snapshot is not None:
        return None
    return Observations(
        client=ClientFacts(
            driver=look.driver,
            codes=() if look.code is None else (look.code,),
            message=look.error,
        ),
        loss=LossFacts(at=look.at, phase="CONNECT", position=Position.CONNECT.name),
        server=known.server,
        log=around(known.entries, look.at, at_once=True),
        log_covers=known.covers(look.at),
        lives=recent(known.lives, look.at),
    )


def cut_in_use(report: Report) -> bool:
    """Whether the connection was at work when it was cut: rows were being read, or it was just being opened."""
    return report.position in {Position.CONNECT, Position.FETCH} or report.timed_out


def masked(snapshot: Snapshot) -> Snapshot:
    """The snapshot without what `init_connect` and its like may tell: they can hold passwords."""
    return replace(
        snapshot,
        variables={name: _masked(name, value) for name, value in snapshot.variables.items()},
        session_variables={name: _masked(name, value) for name, value in snapshot.session_variables.items()},
    )


def _masked(name: str, value: str) -> str:
    if name.startswith("init_"):  # statements that every session, or every replica, runs: they may set anything
        return _LITERALS.sub(f"'{MASK}'", value)
    if value and any(part in name for part in _SECRET_NAMES) and not value.isdecimal() and value not in {"ON", "OFF"}:
        return MASK
    return mask_sql(value)


def _client(report: Report) -> ClientFacts:
    return ClientFacts(
        driver=report.driver,
        exception=report.exception.rpartition(".")[2],
        codes=report.codes or (() if report.errno is None else (report.errno,)),
        os_error=report.os_error,
        timed_out=True if report.timed_out else None,
        message=report.message,
    )


def _of_lives(lives: Sequence[Life]) -> ServerFacts:
    """The family and version that the log's last start tells."""
    text = next((life.version for life in reversed(lives) if life.version), "")
    try:
        version = parse_version(text)
    except ValueError:
        return ServerFacts()
    return ServerFacts(flavour=version.flavour, version=version.number)


def _server(look: Look) -> ServerFacts:
    if look.snapshot is None:
        unreachable = look.code is None or (waitable_at_connect(look.code, None) and look.code >= _CLIENT_SIDE)
        return ServerFacts(address=look.address, unreachable=unreachable or None)
    snapshot = look.snapshot
    uptime = snapshot.count("uptime")
    return ServerFacts(
        address=look.address,
        flavour=snapshot.version.flavour,
        version=snapshot.version.number,
        variables=snapshot.variables,
        uptime=None if uptime is None else float(uptime),
        kills=0 if snapshot.count("com_kill") == 0 else None,
        deltas={name: 0 for name in _COUNTERS if snapshot.count(name) == 0},
        read_only_now=_read_only(snapshot),
    )


def _server_at(known: Scene, at: datetime | None, *, at_once: bool) -> ServerFacts:
    """The server's facts with what the time of the loss adds: whether the server was started after it."""
    server, look = known.server, known.look
    if at is None or look is None or look.snapshot is None or server.uptime is None:
        return server
    started = look.snapshot.taken_at - timedelta(seconds=server.uptime)
    if started >= at - _CLOCKS:
        return replace(server, restarted=True, kills=None, deltas={})  # the counters began anew
    # A pool may have kept a connection that a restart had ended long before anybody used it again: a start shortly
    # before the error is neither a yes nor a no.
    return replace(server, restarted=False) if started < at - (NEAR if at_once else LONG_AGO) else server


def _read_only(snapshot: Snapshot) -> bool | None:
    switches = [snapshot.switched_on(name) for name in ("read_only", "super_read_only", "innodb_read_only")]
    known = [switch for switch in switches if switch is not None]
    return any(known) if known else None


_COUNTERS = (
    "aborted_clients",
    "aborted_connects",
    "connection_errors_internal",
    "connection_errors_max_connections",
    "connection_errors_peer_address",
    "max_execution_time_exceeded",
)
"""What is nought since the server began was so over the lost connection's life; of what is not, nothing is known."""
_CLIENT_SIDE = 2000
_CLOCKS = timedelta(seconds=2)
"""Uptime counts whole seconds, and clocks differ."""
