"""``stillhere maintain URL``: what is worth doing to tables, as a plan; run on request, one statement at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stillhere.errors import ConfigurationError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("maintain")(maintain)


def maintain(
    url: Annotated[str, typer.Argument(help="A SQLAlchemy URL; with a database, only that schema is looked at.")],
    plan: Annotated[bool, typer.Option("--plan", help="Only show what is worth doing; the default.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Run the steps, each after asking.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only this kind of maintenance; repeatable.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check tables without a sign of a crash.")] = False,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The server's error log, to see whether it crashed (MariaDB).")
    ] = None,
    min_free: Annotated[
        str, typer.Option(metavar="SIZE", help="Free space from where on a rebuild is worth it.")
    ] = "100M",
    min_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="The same as a share of the file.")
    ] = 0.25,
    stale_after: Annotated[
        str, typer.Option(metavar="DURATION", help="Age from where on statistics can be stale.")
    ] = "24h",
    unused_after: Annotated[
        str, typer.Option(metavar="DURATION", help="Uptime after which an index that was never used counts.")
    ] = "720h",
    max_running: Annotated[int, typer.Option(min=1, help="Stop when more threads than this are at work.")] = 25,
    max_lag: Annotated[
        str, typer.Option(metavar="DURATION", help="Stop when the server is further behind its source.")
    ] = "30s",
    lock_wait: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="How long to wait for a table's metadata lock.")
    ] = 5,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where --run notes how far it came, and goes on from.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Say what is worth doing to a server's tables, by what was measured; run it on request.

    Exits with 0 when there is nothing to do, or everything was done; with 1 when there is something to do, or some of
    it was not done; with 2 when the input or the surroundings are at fault.
    """
    from stillhere.cli.maintaining.flow import Wish, planning, running  # noqa: PLC0415 - keeps --help quick
    from stillhere.maintain.guard import Limits  # noqa: PLC0415 - same
    from stillhere.maintain.inventory import Thresholds  # noqa: PLC0415 - same
    from stillhere.maintain.kinds import KINDS  # noqa: PLC0415 - same
    from stillhere.policy import parse_bytes, parse_duration  # noqa: PLC0415 - same

    if plan and run:
        raise ConfigurationError("--plan only shows what --run would do; give one of them")
    if run and as_json and not yes:
        raise ConfigurationError("--run --json can't ask; add --yes")
    wish = Wish(
        kinds=tuple(KINDS.get(name) for name in only) if only else tuple(KINDS),
        thresholds=Thresholds(
            free=parse_bytes("--min-free", min_free),
            share=min_share,
            stale=parse_duration("--stale-after", stale_after),
            unused=parse_duration("--unused-after", unused_after),
            check=check,
        ),
        limits=Limits(running=max_running, lag=parse_duration("--max-lag", max_lag), lock_wait=lock_wait),
        log=log,
        state=state,
        yes=yes,
        as_json=as_json,
    )
    return running(url, wish) if run else planning(url, wish)
