"""``stillhere explain``: why connections were lost, from whatever there is to show."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from datetime import tzinfo
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stillhere.cli.render import messages, results
from stillhere.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from stillhere.causes.answer import Answer

__all__ = ["register"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_LINT_ID = re.compile(r"[A-Z]{2}\d{3}\Z")


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("explain")(explain)


def explain(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|NAME]...",
            help="Tracebacks, application logs, error logs, kernel logs; - is standard input. Or the name of a cause "
            "or a lint rule, for its page.",
        ),
    ] = None,
    *,
    log: Annotated[
        list[str] | None,
        typer.Option("--log", metavar="ERRORLOG", help="A server's error log, or a kernel's; may be given again."),
    ] = None,
    url: Annotated[str, typer.Option(help="A SQLAlchemy URL of the server: it is asked once, politely.")] = "",
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Where times are local that name no zone: Europe/Berlin, +02:00. [UTC]")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the answer as one self-contained page.")
    ] = None,
) -> None:
    """Explain why connections were lost: the cause, the evidence, the remedy.

    Give it what you have: a traceback, the application's log, the server's error log, the kernel's log, the server's
    URL, in any mix. Each is recognised by what is in it.

    Exits with 0 when it has answered, also where the answer is "unknown" (the field named of --json tells), and with 2
    and one line for input that it can't use.
    """
    names, logs = list(files or ()), list(log or ())
    if as_json and html is not None:
        raise ConfigurationError("--json and --html are two answers; ask for one of them")
    where = _zone(zone)
    pages = _pages(names, alone=not (logs or url or as_json or html))
    if pages:
        results.print("\n\n".join(pages), markup=False, soft_wrap=True)
        return
    from stillhere.cli.inputs import piped  # noqa: PLC0415 - keeps --help quick

    if not names and piped():
        names = ["-"]
    if not (names or logs or url):
        raise ConfigurationError(
            "nothing to explain: name a file with a traceback or a log, pipe it in, or give --log or --url (see --help)"
        )
    _show(_answer(names, logs, url, where), as_json=as_json, html=html)


def _answer(files: Sequence[str], logs: Sequence[str], url: str, zone: tzinfo | None) -> Answer:
    from stillhere import causes  # noqa: PLC0415 - keeps --help quick
    from stillhere.causes.conclude import conclude  # noqa: PLC0415 - same
    from stillhere.cli.inputs import Materials, read_all  # noqa: PLC0415 - same
    from stillhere.cli.look import look  # noqa: PLC0415 - same

    # The look first: a URL that is none is an error at once, and Uptime is asked close to the loss.
    seen = look(url) if url else None
    with messages.status("reading"):
        found = read_all(files, logs, zone) if files or logs else Materials()
        return conclude(found.gathered, found.logs, seen, causes.explain, found.notes)


def _show(answer: Answer, *, as_json: bool, html: Path | None) -> None:
    from stillhere.causes.rules import RULES  # noqa: PLC0415 - keeps --help quick
    from stillhere.cli.explanation.facts import facts  # noqa: PLC0415 - same

    told = facts(answer, RULES)
    if as_json:
        sys.stdout.write(json.dumps(told, indent=1, allow_nan=False) + "\n")
    elif html is not None:
        from stillhere.cli.explanation.page import page  # noqa: PLC0415 - same

        html.write_text(page(told), encoding="utf-8")
        results.print(told["verdict"], markup=False, soft_wrap=True)
        messages.print(f"written to {html}", markup=False, soft_wrap=True)
    else:
        from stillhere.cli.explanation.text import show  # noqa: PLC0415 - same

        show(told, results)


def _pages(names: Sequence[str], *, alone: bool) -> list[str]:
    """The pages of causes and lint rules, where names of such were given and not files."""
    absent = [name for name in names if name != "-" and not Path(name).exists()]
    if not absent:
        return []
    if alone and len(absent) == len(names) and all(_NAME.match(name) for name in names):
        return [_page(name) for name in names]
    raise ConfigurationError(f"there is no file {absent[0]}")


def _page(name: str) -> str:
    from stillhere import causes  # noqa: PLC0415 - keeps --help quick

    lint = _lint()
    if _LINT_ID.match(name):
        if lint is None:
            raise ConfigurationError(f"{name} is a lint rule's name, and this installation has no linter")
        return str(lint.describe(name))
    try:
        return str(causes.describe(name))
    except UnknownName as error:
        raise ConfigurationError(
            f"there is no file {name}, and no cause of that name; the causes are: {', '.join(error.known)}"
        ) from error


def _lint() -> Any:
    try:
        return import_module("stillhere.lint")
    except ModuleNotFoundError:
        return None


def _zone(text: str) -> tzinfo | None:
    if not text:
        return None
    from stillhere.cli.zones import zone_of  # noqa: PLC0415 - keeps --help quick

    return zone_of(text)
