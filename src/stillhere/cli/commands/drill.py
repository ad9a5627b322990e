"""``stillhere drill``: break connections in every way there is, and show who survives."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stillhere.cli.checking import Wish, checking
from stillhere.cli.render import messages, results
from stillhere.errors import ConfigurationError

if TYPE_CHECKING:
    from stillhere.lab.drill.progress import Progress
    from stillhere.lab.drill.records import Round
    from stillhere.lab.drill.run import Program

__all__ = ["register"]


class _Servers(StrEnum):
    MARIADB = "mariadb"
    MYSQL = "mysql"
    BOTH = "both"


class _Driver(StrEnum):
    MYSQLCLIENT = "mysqlclient"
    PYMYSQL = "pymysql"


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("drill")(drill)


def drill(
    server: Annotated[_Servers, typer.Option(help="Which private servers to start and break.")] = _Servers.BOTH,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this fault; may be given several times.")
    ] = None,
    arm: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this arm (stock, recipe, stillhere, witness); several times."),
    ] = None,
    driver: Annotated[_Driver, typer.Option(help="The applications' driver.")] = _Driver.MYSQLCLIENT,
    times: Annotated[int, typer.Option("--rounds", min=1, help="Play each fault so many times.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Shorter rounds, the most telling faults.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers to this file.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures to this file.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Serve a live page of the servers meanwhile.")] = False,
    list_faults: Annotated[bool, typer.Option("--list", help="List the faults, and leave.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Random cuts, and every client's history held against the database.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=1, help="With --check: how long each run takes.")] = 20.0,
    cuts: Annotated[int, typer.Option(min=0, help="With --check: end a run at so many cuts.")] = 0,
    seed: Annotated[int, typer.Option(help="With --check: of everything that is drawn.")] = 1,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="With --check: an option of stillhere, such as witness=on; several."),
    ] = None,
) -> None:
    """Cut an application's connections in every way there is, and show who survives.

    The same web application runs in three arms: stock SQLAlchemy, the usual recipe (pool_recycle,
    pool_pre_ping and a retry decorator), and stillhere. Each fault strikes all of them at once, under load;
    then the database is compared with what the clients were told, and the causes that stillhere named for its
    lost connections with what was done to them.

    Exits with 1 when stillhere lost or doubled a write, gave a wrong answer, let a raw driver error through or
    named a wrong cause, with 2 when a fault harmed no arm at all.

    With --check, clients with both drivers transfer money, append to lists and count, while their connections are
    cut at random packets and the server is restarted, crashed and told to KILL; then what each of them was told is
    held against what is stored. Exits with 1 for any violation. The same seed cuts the same connections at the same
    commands in the same way; which client each of them serves is left to the threads.
    """
    if list_faults:
        _list()
        return
    if check:
        servers = ("mariadb", "mysql") if server is _Servers.BOTH else (server.value,)
        wish = Wish(
            servers, arm or (), seconds=seconds, cuts=cuts, seed=seed, options=option or (), json_file=json_file
        )
        raise typer.Exit(checking(wish))
    program = _program(server, fault or (), arm or (), driver, times=times, quick=quick)
    for path in (json_file, html_file):
        if path is not None:
            path.open("a").close()  # a file that can't be written is a mistake to hear of before the drill
    from stillhere.lab.drill.progress import Progress  # noqa: PLC0415 - keeps --help quick
    from stillhere.lab.drill.run import drill as play  # noqa: PLC0415 - same

    start = time.monotonic()
    total = len(program.faults) * len(program.servers)
    with _page() if watch else nullcontext() as staged, Progress(messages, total, staged) as progress:
        rounds = play(program, progress)
    _write(rounds, json_file, html_file)
    raise typer.Exit(_conclude(rounds, progress, time.monotonic() - start))


@contextmanager
def _page() -> Iterator[Callable[[str, str, Sequence[Path]], None]]:
    """The live page while the drill runs; gives what adds a server to it."""
    try:
        from stillhere.cli.boarding import Page, incidents_of  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"--watch needs {error.name}; run: pip install 'stillhere[lab,monitor]'") from error
    from stillhere.cli.listening import bound  # noqa: PLC0415 - beside its use
    from stillhere.survey.login import address_of, target  # noqa: PLC0415 - same

    states: list[Path] = []

    def staged(_server: str, url: str, directories: Sequence[Path]) -> None:
        states.extend(directories)
        where = target(url)
        page.add(address_of(where), where)

    with Page(bound("127.0.0.1", 0), interval=0.5, incidents=incidents_of(states), title="stillhere drill") as page:
        messages.print(f"watch it: {page.address}", soft_wrap=True)
        yield staged


def _list() -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help quick

    from stillhere.lab.faults import FAULTS  # noqa: PLC0415 - same

    for one in FAULTS:
        results.print(Text.assemble((one.name, "bold"), f": {one.summary}"), soft_wrap=True)


def _program(
    server: _Servers, faults: Sequence[str], arms: Sequence[str], driver: _Driver, *, times: int, quick: bool
) -> Program:
    from stillhere.lab.drill.arms import ARMS  # noqa: PLC0415 - keeps --help quick
    from stillhere.lab.drill.run import FULL, QUICK, QUICK_FAULTS, Program  # noqa: PLC0415 - same
    from stillhere.lab.faults import FAULTS  # noqa: PLC0415 - same

    wanted = {name: FAULTS.get(name) for name in faults or (QUICK_FAULTS if quick else FAULTS.names())}
    chosen = {ARMS.get(name).name for name in arms}
    return Program(
        servers=("mariadb", "mysql") if server is _Servers.BOTH else (server.value,),
        faults=tuple(one for one in wanted.values() for _ in range(times)),
        arms=tuple(one for one in ARMS if (one.name in chosen if chosen else not one.extra)),
        driver=driver.value,
        pace=QUICK if quick else FULL,
    )


def _write(rounds: Sequence[Round], json_file: Path | None, html_file: Path | None) -> None:
    from stillhere.lab.drill.records import rows  # noqa: PLC0415 - keeps --help quick
    from stillhere.lab.drill.report import page  # noqa: PLC0415 - same

    if json_file is not None:
        json_file.write_text(json.dumps(rows(rounds), indent=1) + "\n", encoding="utf-8")
    if html_file is not None:
        html_file.write_text(page(rounds), encoding="utf-8")


def _conclude(rounds: Sequence[Round], progress: Progress, seconds: float) -> int:
    from stillhere.lab.drill.records import decide  # noqa: PLC0415 - keeps --help quick
    from stillhere.lab.drill.table import closing, table  # noqa: PLC0415 - same

    decision = decide(rounds)
    results.print(table(rounds, results.width))
    results.print(closing(rounds, decision))
    messages.print(f"{progress.done} rounds in {seconds:.0f} s")
    return int(decision.verdict)
