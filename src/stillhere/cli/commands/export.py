"""``stillhere export URL…``: servers' connections as Prometheus metrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stillhere.cli.listening import bound, listen_address
from stillhere.cli.render import messages
from stillhere.errors import ConfigurationError
from stillhere.policy import parse_duration

if TYPE_CHECKING:
    from stillhere.observe.exporter.targets import Targets

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("export")(export)


def export(
    urls: Annotated[list[str] | None, typer.Argument(metavar="[URL]...", help="SQLAlchemy URLs of servers.")] = None,
    *,
    targets: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file of servers, for /probe?target=NAME and /targets.")
    ] = None,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "127.0.0.1:9306",
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="The most that one scrape may take.")] = "5s",
    rules: Annotated[bool, typer.Option("--rules", help="Print alert rules for Prometheus, and leave.")] = False,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="Print a dashboard for Grafana, and leave.")] = False,
) -> None:
    """Serve servers' connections as Prometheus metrics, until Ctrl-C.

    /metrics has all servers that are named here, each with the label "server". /probe?target=NAME has one of the file,
    and /targets lists those for Prometheus's http_sd_configs. Each scrape logs in once and logs out properly.
    """
    if rules or dashboard:
        typer.echo(_shipped(rules=rules), nl=False)
        return
    from stillhere.observe.exporter.targets import Targets, TargetsFile  # noqa: PLC0415 - keeps --help quick

    seconds = parse_duration("--timeout", timeout)
    host, port = listen_address(listen)
    if bool(urls) == (targets is not None):
        raise ConfigurationError("name servers by their URLs, or in a file with --targets; one of the two")
    if targets is not None:
        source: Callable[[], Targets] = TargetsFile(targets).targets
    else:
        fixed = Targets.of_urls(urls or [])
        source = lambda: fixed  # noqa: E731 - one line beside the other
    _serve(source, host, port, seconds)


def _shipped(*, rules: bool) -> str:
    if rules:
        return resources.files("stillhere.observe").joinpath("alerts.yml").read_text(encoding="utf-8")
    from stillhere.observe.dashboard import dashboard  # noqa: PLC0415 - keeps --help quick

    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def _serve(source: Callable[[], Targets], host: str, port: int, seconds: float) -> None:
    try:
        import uvicorn  # noqa: PLC0415 - of the extra

        from stillhere.observe.exporter.app import make_app  # noqa: PLC0415 - same
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the exporter needs {error.name}; run: pip install 'stillhere[cli,monitor]'"
        ) from error
    listener = bound(host, port)
    number = len(source().named)
    what = "1 server" if number == 1 else f"{number} servers"
    messages.print(f"http://{host}:{listener.getsockname()[1]}/metrics: {what}; Ctrl-C ends it", soft_wrap=True)
    config = uvicorn.Config(make_app(source, timeout=seconds), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])
