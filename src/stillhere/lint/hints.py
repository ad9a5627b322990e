"""What a project's files say in passing: which databases it knows, and whether a URL somewhere carries stillhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Hints", "gather", "read"]

_OTHERS = (
    *(b"postgres", b"psycopg", b"asyncpg", b"sqlite", b"mssql", b"oracle+", b"cx_oracle", b"snowflake", b"redshift"),
    *(b"clickhouse", b"duckdb"),
)
_PLUGIN = re.compile(rb"plugin=stillhere|plugins\s*=\s*\[[^\]]*[\"']stillhere[\"']")
_LISTENS = re.compile(rb"(?s)listen(?:s_for)?\([^()]{0,200}?[\"'](?:checkout|engine_connect)[\"']|\bPoolListener\b")
_FLASK_SQLALCHEMY = re.compile(rb"(?i)flask[-_]sqlalchemy\s*(?:==|~=|<=?)\s*[\"']?\s*(\d+)")
_PRELOADS = re.compile(rb"(?m)gunicorn\b[^\n]*--preload\b|^\s*preload_app\s*=\s*True")
_UWSGI = re.compile(rb"(?m)^\[uwsgi\]")
_LAZY = re.compile(rb"(?m)^\s*lazy(?:-apps)?\s*=\s*(?:true|1)|^\s*need-app\s*=\s*never")
_WORKERS = re.compile(rb"(?m)^\s*(?:processes|workers|cheaper)\s*=\s*(?:[2-9]|[1-9]\d+|%|\$)")
_BESIDE = (
    "Procfile*",
    "*.sh",
    "*.conf",
    "requirements*.txt",
    "requirements/*.txt",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "Pipfile",
    ".env*",
    "*.env",
    "docker-compose*.y*ml",
    "compose*.y*ml",
    "Dockerfile*",
    "alembic.ini",
    "*.ini",
)
_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Hints:
    """What was found.

    Attributes:
        mysql: MySQL or MariaDB is named.
        other: another database is named.
        protected: a URL or an engine with the plugin stillhere is named.
        flask_sqlalchemy: the major version of Flask-SQLAlchemy that is asked for; ``None`` where none is.
        forks: what forks its workers after the import, such as ``gunicorn``; empty where nothing does.
        listens: a listener to checkouts is named, by which connections can be pinged by hand.
    """

    mysql: bool = False
    other: bool = False
    protected: bool = False
    flask_sqlalchemy: int | None = None
    forks: str = ""
    listens: bool = False

    @property
    def not_mysql(self) -> bool:
        """Whether everything that is said speaks of another database."""
        return self.other and not self.mysql

    def __or__(self, more: Hints) -> Hints:
        return Hints(
            self.mysql or more.mysql,
            self.other or more.other,
            self.protected or more.protected,
            self.flask_sqlalchemy if self.flask_sqlalchemy is not None else more.flask_sqlalchemy,
            self.forks or more.forks,
            self.listens or more.listens,
        )


def read(raw: bytes) -> Hints:
    """The hints in one file."""
    low = raw.lower()
    flask = _FLASK_SQLALCHEMY.search(raw) if b"sqlalchemy" in low and b"flask" in low else None
    return Hints(
        mysql=b"mysql" in low or b"mariadb" in low,
        other=any(word in low for word in _OTHERS),
        protected=b"stillhere" in low and _PLUGIN.search(raw) is not None,
        flask_sqlalchemy=int(flask[1]) if flask else None,
        forks=_forks(raw) if b"preload" in low or b"[uwsgi]" in low else "",
        listens=b"listen" in low and _LISTENS.search(raw) is not None,
    )


def _forks(raw: bytes) -> str:
    if _PRELOADS.search(raw):
        return "gunicorn"
    if _UWSGI.search(raw) and _WORKERS.search(raw) and not _LAZY.search(raw):
        return "uWSGI"
    return ""


def gather(roots: Iterable[Path], sources: Iterable[Path]) -> Hints:
    """The hints in all sources, and in the files of settings and requirements beside them."""
    found = Hints()
    beside = [file for root in roots if root.is_dir() for pattern in _BESIDE for file in sorted(root.glob(pattern))]
    for file in (*beside, *sources):
        try:
            if file.is_file() and file.stat().st_size <= _MAX:
                found |= read(file.read_bytes())
        except OSError:
            continue
    return found
