"""Runs the rules over files: read, parse once, ask each rule, leave out what is switched off, mend what can be."""

from __future__ import annotations

import ast
import contextlib
import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stillhere.errors import ConfigurationError
from stillhere.findings import Finding, Location, Remedy, Severity
from stillhere.lint.config import Config
from stillhere.lint.files import STDIN, discover
from stillhere.lint.fixes import apply, write
from stillhere.lint.project import Module, Project
from stillhere.lint.rules import RULES
from stillhere.lint.rules.base import Edit, Problem, Rule
from stillhere.lint.source import MAX_BYTES, Source, Unreadable, decode, parse
from stillhere.lint.suppress import read_suppressions
from stillhere.lint.tree import terminal

__all__ = ["UNREADABLE", "Found", "Report", "lint_paths", "lint_source"]

UNREADABLE = "SH001"
"""The id of the finding about a file that can't be checked."""

_WORDS = (
    *(
        b"sqlalchemy",
        b"sqlmodel",
        b"mysql",
        b"mariadb",
        b"asyncmy",
        b"django",
        b"celery",
        b"engine",
        b"session",
        b"cursor",
    ),
    *(
        b"databases",
        b"conn_max_age",
        b"preload_app",
        b"operationalerror",
        b"postfork",
        b"result_backend",
        b"connection",
    ),
)
"""A file without any of these has nothing for a rule."""
_PASSES = 10
_FILES_A_COLLECTION = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and what mends it.

    Attributes:
        finding: what is reported.
        edits: what ``--fix`` does; empty where only a person can mend it.
    """

    finding: Finding
    edits: tuple[Edit, ...] = ()

    @property
    def fixable(self) -> bool:
        """Whether ``--fix`` mends it."""
        return bool(self.edits)


@dataclass(slots=True)
class Report:
    """What a run found.

    Attributes:
        found: in the order of files and lines; with ``fix``, what is left.
        files: how many files were checked.
        lines: how many lines they have.
        fixed: how many findings were mended.
        text: standard input after its fixes, where it was among the paths.
    """

    found: list[Found] = field(default_factory=list)
    files: int = 0
    lines: int = 0
    fixed: int = 0
    text: str | None = None


def lint_paths(paths: Sequence[str], config: Config, *, fix: bool = False) -> Report:
    """Check files, folders, and standard input for ``-``.

    Raises:
        ConfigurationError: a path can't be read, or written with `fix`.
    """
    report = Report()
    files = discover([path for path in paths if path != STDIN], config)
    folders = [Path(path).resolve() for path in paths if path != STDIN and Path(path).is_dir()]
    project = Project(_roots([*folders, config.root]), files)
    if STDIN in paths:
        _standard_input(project, config, report, fix=fix)
    with _rare_collections() as collect:
        for count, given in enumerate(files, 1):
            file = given.resolve()
            try:
                raw = file.read_bytes()
            except OSError as error:
                raise ConfigurationError(f"{given}: {error.strerror or error}") from error
            found, fixed, after = _one(project, file, str(given), raw, config, fix=fix)
            if fixed and after is not None:
                write(file, after)
            report.found += found
            report.fixed += fixed
            report.files += 1
            report.lines += raw.count(b"\n")
            if count % _FILES_A_COLLECTION == 0:
                collect()
    return report


def lint_source(text: str, config: Config | None = None, *, path: str = "<text>", roots: Iterable[Path] = ()) -> Report:
    """Check one text that is in no file; imports are followed from `roots`."""
    settings = config or Config()
    found, _, _ = _one(Project(roots), None, path, text.encode(), settings, fix=False)
    return Report(found, 1, text.count("\n"))


@contextlib.contextmanager
def _rare_collections() -> Iterator[Callable[[], int]]:
    """Collect garbage only when told: syntax trees are millions of objects; looking through them takes long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield gc.collect
    finally:
        if was_on:
            gc.enable()


def _roots(folders: list[Path]) -> list[Path]:
    return list(dict.fromkeys(folders))


def _standard_input(project: Project, config: Config, report: Report, *, fix: bool) -> None:
    raw = sys.stdin.buffer.read()
    found, fixed, after = _one(project, None, "<stdin>", raw, config, fix=fix)
    report.found += found
    report.fixed += fixed
    report.files += 1
    report.lines += raw.count(b"\n")
    if fix:
        report.text = (after if after is not None else raw).decode("utf-8", "replace")


def _one(
    project: Project, file: Path | None, shown: str, raw: bytes, config: Config, *, fix: bool
) -> tuple[list[Found], int, bytes | None]:
    """A file's findings, how many were mended, and its new bytes where any were."""
    try:
        source = _readable(shown, raw)
        found = _check(project, file, source, config, relevant=_is_relevant(raw))
    except Unreadable as error:
        return [one for one in [_unreadable(shown, error)] if config.chosen(UNREADABLE, file or Path(shown))], 0, None
    fixed = 0
    if fix:
        for _ in range(_PASSES):
            text, count = apply(source.text, [one.edits for one in found])
            if not count:
                break
            fixed += count
            source = Source(source.path, text, source.encoding, source.bom)
            found = _check(project, file, source, config, relevant=True)
    return found, fixed, source.encoded(source.text) if fixed else None


def _is_relevant(raw: bytes) -> bool:
    low = raw.lower()
    return any(word in low for word in _WORDS)


def _readable(shown: str, raw: bytes) -> Source:
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"not checked: {len(raw):,} bytes, more than {MAX_BYTES:,}")
    return decode(shown, raw)


def _check(project: Project, file: Path | None, source: Source, config: Config, *, relevant: bool) -> list[Found]:
    root = parse(source)
    if not relevant:
        return []
    module = Module(project, source, file, root)
    if file is not None:
        project.put(file, module)
    place = file or Path(source.path)
    suppressed = None
    found = []
    try:
        for rule in RULES:
            if not config.chosen(rule.id, place):
                continue
            for problem in rule.check(module, config.options):
                if _is_provoked(module, problem.node):
                    continue
                if suppressed is None:
                    suppressed = read_suppressions(source.text)
                first = int(getattr(problem.node, "lineno", 1))
                if not suppressed.covers(rule.id, first, getattr(problem.node, "end_lineno", None) or first):
                    found.append(_found(rule, problem, source))
    except RecursionError as error:
        raise Unreadable("nested too deeply to be checked") from error
    return sorted(found, key=lambda one: (_place(one), one.finding.rule))


def _is_provoked(module: Module, node: ast.AST) -> bool:
    """Whether it stands in ``with pytest.raises(...)`` or its like: a test that makes the mistake on purpose."""
    for one in module.tree.ancestors(node):
        if isinstance(one, ast.With | ast.AsyncWith):
            called = [item.context_expr.func for item in one.items if isinstance(item.context_expr, ast.Call)]
            if any(terminal(func) in {"raises", "assertRaises", "assertRaisesRegex", "warns"} for func in called):
                return True
    return False


def _place(one: Found) -> tuple[int, int]:
    where = one.finding.location
    return (where.line, where.column) if where is not None else (0, 0)


def _found(rule: Rule, problem: Problem, source: Source) -> Found:
    line = int(getattr(problem.node, "lineno", 1))
    column = source.column(line, int(getattr(problem.node, "col_offset", 0)))
    finding = Finding(
        rule=rule.id,
        severity=rule.severity,
        message=problem.message,
        remedy=Remedy(problem.remedy or rule.remedy, problem.suggestion),
        location=Location(source.path, line, column),
    )
    return Found(finding, problem.edits)


def _unreadable(shown: str, error: Unreadable) -> Found:
    finding = Finding(
        rule=UNREADABLE,
        severity=Severity.ERROR,
        message=str(error),
        location=Location(shown, error.line, error.column),
    )
    return Found(finding)
