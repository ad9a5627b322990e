"""The entry point: runs a command and turns what goes wrong into one line and an exit code.

Exit codes: 0 success, 1 a command's own "no" (it documents when) or a reader that went away, 2 the input or
the surroundings are at fault, 70 a bug, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.util import find_spec

from stillhere.cli.problems import Problem, mask, problem_of

__all__ = ["main"]

_NEEDED = ("typer", "rich", "sqlalchemy")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``stillhere`` with the given arguments, the process's own by default; the exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        _complain(f"the command line needs {', '.join(missing)}; run: pip install 'stillhere[cli]'")
        return Problem.USAGE
    debug = _take_debug(args)
    try:
        code = _run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return 1
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        return Problem.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: the user never sees a traceback
        if debug:
            sys.stderr.write(mask("".join(traceback.format_exception(error)), args))
        code, text = problem_of(error)
        if text:
            _complain(mask(text, args))
    return code


def _run(args: list[str]) -> int:
    if args[:1] == ["probe"]:
        from stillhere.cli.commands.probe import quick  # noqa: PLC0415 - beside what it spares

        if (answer := quick(args[1:])) is not None:
            print(answer[1], file=sys.stderr if answer[0] else sys.stdout)
            return answer[0]
    from stillhere.cli.app import command  # noqa: PLC0415 - only once its packages are known to be there

    result = command(args).main(args=args, prog_name="stillhere", standalone_mode=False)
    return result if isinstance(result, int) else 0


def _take_debug(args: list[str]) -> bool:
    """Remove ``--debug``, wherever it stands before a ``--``; whether tracebacks are wanted."""
    end = args.index("--") if "--" in args else len(args)
    wanted = "--debug" in args[:end]
    args[:end] = [arg for arg in args[:end] if arg != "--debug"]
    return wanted or os.environ.get("STILLHERE_DEBUG", "") not in {"", "0"}


def _silence_stdout() -> None:
    """Point stdout at nothing, so that the flush at exit doesn't complain about the closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(text: str) -> None:
    print(f"stillhere: {text}", file=sys.stderr)  # noqa: T201 - rich may not be installed here


if __name__ == "__main__":
    sys.exit(main())
