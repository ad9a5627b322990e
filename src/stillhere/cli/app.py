"""The typer application, put together from the verbs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from stillhere import __version__
from stillhere.cli.commands import VERBS

__all__ = ["application", "command"]


def command(args: Sequence[str] = ()) -> Any:
    """The click command that runs these arguments.

    Only the verb that is called is imported; all of them are where none is, as in ``--help``.
    """
    called = next((arg for arg in args if not arg.startswith("-")), None)
    return typer.main.get_command(application((called,) if called in VERBS else VERBS))


def application(verbs: Sequence[str] = VERBS) -> typer.Typer:
    """The application with these verbs; one that has no module or no ``register`` is an error, not a gap."""
    app = typer.Typer(
        name="stillhere",
        help='Ends "MySQL server has gone away".',
        no_args_is_help=False,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    for verb in verbs:
        import_module(f"stillhere.cli.commands.{verb}").register(app)
    return app


def _root(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
    debug: Annotated[  # taken out of the arguments by main, and declared for --help
        bool,
        typer.Option("--debug", envvar="STILLHERE_DEBUG", help="Show where an error comes from."),
    ] = False,
) -> None:
    del debug
    if version:
        typer.echo(f"stillhere {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
