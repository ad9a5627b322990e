"""What ``stillhere drill --check`` does: a history under random cuts, and its judgement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stillhere.cli.render import messages, results
from stillhere.errors import ConfigurationError

__all__ = ["Wish", "checking"]


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line.

    Attributes:
        servers: flavours.
        arms: the arm stillhere where none is named.
        seconds: how long each run takes.
        cuts: end a run at so many cuts; 0 for its whole time.
        seed: of everything that is drawn.
        options: of stillhere, as ``name=value``.
        json_file: where to write the figures.
    """

    servers: Sequence[str]
    arms: Sequence[str]
    seconds: float
    cuts: int
    seed: int
    options: Sequence[str]
    json_file: Path | None


def checking(wish: Wish) -> int:
    """Run the check on each server and arm, and show what it found; the exit code, 1 for violations."""
    from stillhere.lab.check.run import Options, run_check  # noqa: PLC0415 - keeps --help quick
    from stillhere.lab.check.table import closing, table  # noqa: PLC0415 - same

    given = dict(_pair(option) for option in wish.options)
    reports = []
    for server in wish.servers:
        for arm in wish.arms or ("stillhere",):
            options = Options(
                server=server,
                arm=arm,
                seconds=wish.seconds,
                cuts=wish.cuts,
                seed=wish.seed,
                options=given,
            )
            with messages.status(f"{server}, {arm}, seed {wish.seed}") as status:
                report = run_check(options, progress=lambda text, s=server, a=arm: status.update(f"{s}, {a}: {text}"))  # type: ignore[misc]
            results.print(table(report))
            results.print(closing(report), soft_wrap=True)
            reports.append(report)
    if wish.json_file is not None:
        found = [report.as_json() for report in reports]
        wish.json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(any(report.violations for report in reports))


def _pair(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not equals or not name:
        raise ConfigurationError(f"--option wants NAME=VALUE, such as witness=on, not {option!r}")
    return name.removeprefix("stillhere."), value
