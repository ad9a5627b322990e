"""Whose code a frame is: the application's, a framework's, a driver's, Python's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from stillhere.apptrace.chains import Seen

__all__ = ["framework_of", "is_library", "own_frame", "package_path"]

_INSTALLED = re.compile(r"(?:^|[/\\])(?:site|dist)-packages[/\\]|\.zip[/\\]|\.egg[/\\]")
_PYTHON = re.compile(
    r"[/\\]lib(?:64)?[/\\]python\d(?:\.\d{1,2})?[/\\]|[/\\]python\d{2,3}[/\\]lib[/\\]"
    r"|^<(?:frozen |string>|sqlalchemy |decorator-gen|attrs |template>|__array)",
    re.IGNORECASE,
)
_LIBRARIES = frozenset(
    """
    MySQLdb aiohttp aiomysql airflow alembic amqp anyio apscheduler asgiref asyncio asyncmy backoff billiard
    bottle.py celery channels cheroot cherrypy click concurrent contextlib.py daphne databases ddtrace django
    dramatiq elasticapm encode eventlet falcon fastapi flask flask_login flask_migrate flask_sqlalchemy
    functools.py gevent gino graphene greenlet gunicorn huey hypercorn jinja2 kombu litestar loguru luigi mariadb
    multiprocessing mysql newrelic opentelemetry ormar pandas peewee.py pony pymysql pyramid quart queue.py raven
    rest_framework retrying rich rq sanic selectors.py sentry_sdk socket.py socketserver.py sqlalchemy sqlmodel
    ssl.py stamina starlette stillhere strawberry structlog tenacity threading.py tornado tortoise uvicorn uwsgi
    vine waitress werkzeug wsgiref zope
    """.split()  # noqa: SIM905 - one word each, in alphabetical order
)
_FRAMEWORKS = (
    ("airflow/", "Airflow"),
    ("celery/", "Celery"),
    ("dramatiq/", "Dramatiq"),
    ("huey/", "Huey"),
    ("rq/", "RQ"),
    ("apscheduler/", "APScheduler"),
    ("luigi/", "Luigi"),
    ("fastapi/", "FastAPI"),
    ("quart/", "Quart"),
    ("flask/", "Flask"),
    ("django/core/", "Django"),
    ("django/db/", "Django"),
    ("litestar/", "Litestar"),
    ("starlette/", "Starlette"),
    ("pyramid/", "Pyramid"),
    ("sanic/", "Sanic"),
    ("aiohttp/web", "aiohttp"),
    ("tornado/", "Tornado"),
    ("bottle.py", "Bottle"),
    ("falcon/", "Falcon"),
    ("cherrypy/", "CherryPy"),
)


def package_path(path: str) -> str:
    """The path from the package on, with slashes: ``flask/app.py`` for ``…/site-packages/flask/app.py``."""
    plain = path.replace("\\", "/")
    for mark in ("site-packages/", "dist-packages/"):
        _, found, rest = plain.rpartition(mark)
        if found:
            return rest
    plain = plain.removeprefix("./")
    return plain.removeprefix("lib/") if plain.startswith("lib/sqlalchemy/") else plain


def is_library(path: str) -> bool:
    """Whether a frame at that path is not the application's own code."""
    if _INSTALLED.search(path) or _PYTHON.search(path):
        return True
    short = package_path(path)
    return not short.startswith(("/", "<")) and short.partition("/")[0] in _LIBRARIES


def own_frame(frames: Sequence[Seen]) -> Seen | None:
    """The innermost frame of the application's own code.

    Where the report says itself what is the application's, it is believed.
    """
    told = any(frame.at.in_app for frame in frames)
    for frame in reversed(frames):
        if frame.at.path and (frame.at.in_app if told else not is_library(frame.at.path)):
            return frame
    return None


def framework_of(frames: Iterable[Seen]) -> str:
    """The framework that called the application: the first of `_FRAMEWORKS` that has a frame."""
    paths = [package_path(frame.at.path) for frame in frames]
    for prefix, name in _FRAMEWORKS:
        if any(path.startswith(prefix) for path in paths):
            return name
    return ""
