"""``stillhere tune URL``: server settings from what was measured, with their cost, and a way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stillhere.errors import ConfigurationError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("tune")(tune)


def tune(
    url: Annotated[str, typer.Argument(help="A SQLAlchemy URL, best of an account with PROCESS and SELECT.")],
    cnf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The server's option file, to be patched; includes are read.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", "--for", metavar="NAME=VALUE", help="Ask for a value, such as wait_timeout=10m; repeatable."
        ),
    ] = None,
    idle: Annotated[
        str | None, typer.Option(metavar="DURATION", help="The longest pause between two statements of a session.")
    ] = None,
    packet: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The largest statement or row, such as 40M.")
    ] = None,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory that the server may use, such as 8G.")
    ] = None,
    watch: Annotated[
        str, typer.Option(metavar="DURATION", help="Watch for idle sessions that are cut, such as 60s.")
    ] = "0",
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The server's error log, for what it doesn't count (MariaDB).")
    ] = None,
    managed: Annotated[
        str | None, typer.Option(metavar="SERVICE", help="A parameter list for rds, aurora, cloudsql or azure.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Carry the changes out, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    undo_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where --apply writes how to take it back.")
    ] = None,
    undo: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take back what an --apply that wrote this file did.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Say which settings of a server should change, by what was measured; change them on request.

    Exits with 0 when there is nothing to change or it was changed, with 1 when there are changes to make (or some
    were left alone by --undo), with 2 when the input or the surroundings are at fault.
    """
    from stillhere.cli.tuning.flow import Wish, take_it_back, tuning  # noqa: PLC0415 - keeps --help quick
    from stillhere.policy import parse_bytes, parse_duration  # noqa: PLC0415 - same
    from stillhere.tune.measured import Needs  # noqa: PLC0415 - same

    if undo is not None:
        if apply or settings or cnf or managed:
            raise ConfigurationError("--undo stands alone: it takes back what its file says")
        return take_it_back(url, undo, yes=yes, as_json=as_json)
    if apply and managed:
        raise ConfigurationError("--apply can't reach a managed service's parameters; run the commands that are shown")
    if apply and as_json and not yes:
        raise ConfigurationError("--apply --json can't ask; add --yes")
    needs = Needs(
        idle=None if idle is None else parse_duration("--idle", idle),
        packet=None if packet is None else parse_bytes("--packet", packet),
        memory=None if memory is None else parse_bytes("--memory", memory),
    )
    wish = Wish(
        settings=dict(_pair(one) for one in settings or ()),
        needs=needs,
        cnf=cnf,
        watched=parse_duration("--watch", watch),
        log=log,
        managed=managed,
        apply=apply,
        yes=yes,
        undo_file=undo_file,
        as_json=as_json,
    )
    return tuning(url, wish)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ConfigurationError(f"--set wants NAME=VALUE, such as wait_timeout=10m, not {text!r}")
    return name.strip().replace("-", "_").lower(), value.strip()
