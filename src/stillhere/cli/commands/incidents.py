"""``stillhere incidents``: why connections were lost on this machine, from the local file that applications keep."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stillhere.cli.render import messages, results
from stillhere.errors import ConfigurationError
from stillhere.policy import parse_duration

if TYPE_CHECKING:
    from rich.text import Text

    from stillhere.causes.groups import Group
    from stillhere.events import Incident

__all__ = ["register"]

_STEPS = 3  # of what to collect for an unknown cause, the most telling first
_TIMES = "\N{MULTIPLICATION SIGN}"


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("incidents")(incidents)


def incidents(
    url: Annotated[str | None, typer.Argument(help="Only of the server of this SQLAlchemy URL.")] = None,
    since: Annotated[
        str, typer.Option(metavar="DURATION", help="How far to look back, such as 90m, 24h or 168h.")
    ] = "24h",
    limit: Annotated[int, typer.Option(min=0, help="Show the latest so many one by one; 0 for none.")] = 5,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="All of them as a JSON list, newest first.")] = False,
) -> None:
    """Show why connections were lost, or could not be made, on this machine.

    Reads the file that applications under stillhere keep: $STILLHERE_STATE, else $XDG_STATE_HOME/stillhere, else
    ~/.local/state/stillhere. Nothing is asked of any server.

    Incidents are grouped by server and cause: how many, how many of them within the last hour, the first and the
    last, the latest one's sentence, what came of them, and what to do. The latest are then shown one by one.

    Exits with 0 also where there are none.
    """
    from stillhere.causes.incidents import Store, Unreadable, store_path  # noqa: PLC0415 - keeps --help quick

    now = datetime.now(UTC)
    start = now - timedelta(seconds=parse_duration("--since", since))
    server = _address(url) if url is not None else ""
    path = store_path()
    if path is None:
        raise ConfigurationError("this account has no home directory; set STILLHERE_STATE to the directory to look in")
    try:
        found = Store(path).read(since=start, server=server)
    except Unreadable as error:
        raise ConfigurationError(str(error)) from error
    if as_json:
        results.print_json(json.dumps([_object(one) for one in found]), indent=1)
    elif found:
        _show(found, now, limit)
    else:
        of = f" of {server}" if server else ""
        results.print(f"no incidents recorded{of} within {since}", soft_wrap=True)
    if not found:
        messages.print(f"looked in {path}" + ("" if path.exists() else ", which does not exist"), soft_wrap=True)


def _address(url: str) -> str:
    from stillhere.survey.login import address_of, target  # noqa: PLC0415 - keeps --help quick

    return address_of(target(url))


def _object(one: Incident) -> dict[str, Any]:
    """An incident as JSON has it; the documentation lists the keys."""
    return asdict(one) | {"at": one.at.isoformat()}


def _show(found: Sequence[Incident], now: datetime, limit: int) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help quick

    from stillhere.causes.groups import grouped  # noqa: PLC0415 - same

    for group in grouped(found, now):
        results.print(_head(group, now), soft_wrap=True)
        for text in _lines(group):
            results.print(text)
        results.print()
    if limit:
        results.print(Text(f"the latest {min(limit, len(found))} of {len(found)}", "bold"))
        for one in found[:limit]:
            results.print(_line(one), soft_wrap=True)


def _head(group: Group, now: datetime) -> Text:
    from rich.text import Text  # noqa: PLC0415 - keeps --help quick

    return Text.assemble(
        (f"{group.count} {_TIMES} ", "bold"),
        (group.cause, "bold yellow" if group.unknown else "bold"),
        f" on {group.server}: {group.last_hour} within the last hour, first {_ago(group.first, now)}, "
        f"last {_ago(group.last, now)}",
    )


def _lines(group: Group) -> Iterable[Any]:
    from rich.padding import Padding  # noqa: PLC0415 - keeps --help quick
    from rich.text import Text  # noqa: PLC0415 - same

    told = [Text(f"{group.sentence}.")]
    told += [Text(f"{count} {_TIMES} {done}.", "dim") for done, count in group.done]
    if group.remedy:
        told.append(Text.assemble(("to do: ", "green"), group.remedy))
    told += [Text(f"  {command}", "cyan") for command in group.commands]
    told += [Text.assemble(("to find out: ", "yellow"), step) for step in group.collect[:_STEPS]]
    return (Padding(text, (0, 0, 0, 4)) for text in told)


def _line(one: Incident) -> Text:
    from rich.text import Text  # noqa: PLC0415 - keeps --help quick

    at = one.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    got = f" ({one.error})" if one.error else ""
    return Text.assemble((at, "dim"), f"  {one.server}  ", (one.cause, "bold"), f"  {one.sentence}. {one.done}{got}.")


def _ago(moment: datetime, now: datetime) -> str:
    seconds = max(0.0, (now - moment).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
