"""SH203."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Severity
from stillhere.lint.flow import made_at_import, outlives_import
from stillhere.lint.project import Module
from stillhere.lint.rules.base import Options, Problem, Rule
from stillhere.lint.things import Kind, concerns, thing

__all__ = ["ModuleLevelConnection"]


class ModuleLevelConnection(Rule):
    """A driver's connection, opened at import and never replaced.

    What it does:
        Finds `connection = pymysql.connect(...)` and the like on the top level of a module or in the body of a
        class (mysqlclient, mysql-connector, mariadb as well), unless the module is a script that uses it by itself.

    Why it is bad:
        It is opened once, shared by all threads (a driver's connection may be used by one at a time), inherited by
        every forked worker, and dead after the first idle night or server restart: from then on each call fails
        with 2006, and after that with `(0, '')`.

    Known limits:
        A module with a `__main__` guard or with work on its top level counts as a script, unless a view or a task
        uses the connection.

    Example:
        ```python
        db = pymysql.connect(host="db.example", user="app", database="shop")


        @app.get("/orders")
        def orders():
            with db.cursor() as cursor:
                cursor.execute("SELECT id FROM orders")
                return cursor.fetchall()
        ```

    Use instead:
        ```python
        engine = create_engine("mysql+pymysql://app@db.example/shop?plugin=stillhere")


        @app.get("/orders")
        def orders():
            with engine.connect() as connection:
                return connection.execute(text("SELECT id FROM orders")).scalars().all()
        ```

    References:
        - PEP 249, `threadsafety`
    """

    id = "SH203"
    name = "module-level-connection"
    severity = Severity.ERROR
    remedy = "Use a pool, or open the connection where it is needed and close it there."

    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Connections among the names of the top level."""
        del options
        for name, binding in made_at_import(module):
            one = thing(module, binding.value)
            if one is None or one.kind is not Kind.RAW or one.node is not binding.value or one.origin is not None:
                continue
            if concerns(one) and outlives_import(module, binding, name):
                yield Problem(one.node, f"{name} is opened at import, shared by all threads, and never replaced")
