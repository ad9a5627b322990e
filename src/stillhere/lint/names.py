"""One name for one thing: packages export a function from several modules, and drivers under several spellings."""

from __future__ import annotations

import sys

__all__ = ["DRIVERS", "canonical", "is_foreign", "root_of"]

DRIVERS = frozenset({"MySQLdb", "pymysql", "mysql.connector", "mariadb", "aiomysql", "asyncmy", "cymysql", "oursql"})
"""The modules that drivers for MySQL and MariaDB are imported as."""

_ROOTS = (
    "sqlalchemy",
    "sqlmodel",
    "flask_sqlalchemy",
    "flask.ext.sqlalchemy",
    "django.db",
    "celery",
    "tenacity",
    "backoff",
    "retrying",
    "stamina",
    "fastapi",
    "starlette",
    *DRIVERS,
)
_SAME = {
    "sqlmodel": "sqlalchemy",
    "flask.ext.sqlalchemy": "flask_sqlalchemy",
    "cymysql": "pymysql",
    "starlette": "fastapi",
}
_CONNECT = frozenset({"connect", "Connect", "Connection", "MySQLConnection"})
_KNOWN = frozenset(
    {
        "aiohttp",
        "asyncio",
        "boto3",
        "django",
        "eventlet",
        "flask",
        "func_timeout",
        "gevent",
        "gunicorn",
        "httpx",
        "kombu",
        "mysql",
        "pandas",
        "psycopg2",
        "requests",
        "rq",
        "timeout_decorator",
        "uwsgidecorators",
        *(root.partition(".")[0] for root in _ROOTS),
    }
)


def is_foreign(dotted: str) -> bool:
    """Whether an absolute import of this name is never the project's own, although it may have a file of that name."""
    root = dotted.partition(".")[0]
    return root in _KNOWN or root in sys.stdlib_module_names


def root_of(dotted: str) -> str:
    """The package that a canonical name belongs to: ``mysql.connector`` for ``mysql.connector.connect``."""
    return next((root for root in _ROOTS if dotted == root or dotted.startswith(f"{root}.")), dotted.partition(".")[0])


def canonical(dotted: str) -> str:
    """The one spelling of a dotted name: ``sqlalchemy.orm.session.Session`` is ``sqlalchemy.Session``.

    A class keeps its method, as in ``sqlalchemy.URL.create``. What opens a connection is ``<driver>.connect``.
    """
    root = root_of(dotted)
    if root not in _ROOTS or dotted == root:
        return dotted
    parts = dotted[len(root) + 1 :].split(".")
    kept = parts[-2:] if len(parts) > 1 and parts[-2][:1].isupper() else parts[-1:]
    root = _SAME.get(root, root)
    if root in DRIVERS and kept[0] in _CONNECT:
        kept[0] = "connect"
    return ".".join((root, *kept))
