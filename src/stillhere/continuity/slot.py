"""Where a connection under construction is caught, so that it comes out continuous.

A user's connect chain (``do_connect`` listeners that mint tokens, a ``creator``, SQLAlchemy's own dialect)
ends in a call of the driver's ``Connection(…)``. To wrap innermost, that call itself must yield our
subclass; and to re-open a lost connection *in place*, it must yield the very object that the application
holds. So ``Connection.__new__`` of the driver is given one extra step, which acts only on a thread
that is inside `build`, and is otherwise the driver's own behaviour.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stillhere.continuity.connection import ContinuousConnection, continuous_class
from stillhere.errors import ConfigurationError

if TYPE_CHECKING:
    from stillhere.drivers.base import Driver

__all__ = ["build"]


class _Slot(threading.local):
    """What this thread is building; not active outside `build`."""

    active: bool = False
    target: Any = None
    driver: Driver | None = None


_slot = _Slot()
_prepared: set[type[Any]] = set()
# Guards _prepared: two threads preparing one class would wrap __new__ twice.
_preparing = threading.Lock()


def build(driver: Driver, chain: Callable[[], Any], target: Any = None) -> Any:
    """Run a connect chain and return the continuous connection that it opened.

    Args:
        driver: whose connections the chain opens.
        chain: what opens one; it may do anything before and after.
        target: the logical connection to re-open in place; None for a new one.

    Raises:
        ConfigurationError: the chain answered with an object that the driver's class didn't make during
            the call, such as a cached connection or a proxy of another library.
    """
    _prepare(driver)
    with _building(driver, target):
        connection = chain()
    if target is not None and connection is not target:
        raise ConfigurationError(
            f"the connect chain returned another {type(connection).__name__} than the one being re-opened; "
            "it must open its connection by calling the driver each time"
        )
    if not isinstance(connection, ContinuousConnection):
        raise ConfigurationError(
            f"the connect chain returned a {type(connection).__module__}.{type(connection).__qualname__}, "
            f"which is not a connection that {driver.name} opened during the call; stillhere can't protect it"
        )
    return connection


@contextmanager
def _building(driver: Driver, target: Any) -> Iterator[None]:
    before = (_slot.active, _slot.target, _slot.driver)
    _slot.active, _slot.target, _slot.driver = True, target, driver
    try:
        yield
    finally:
        _slot.active, _slot.target, _slot.driver = before


def _reset_after_fork() -> None:
    global _preparing  # noqa: PLW0603 - the parent's may be held by a thread that doesn't exist here
    _preparing = threading.Lock()


os.register_at_fork(after_in_child=_reset_after_fork)


def _prepare(driver: Driver) -> None:
    base = driver.connection_class
    if base in _prepared:
        return
    with _preparing:
        if base in _prepared:
            return
        original: Any = base.__new__
        plain: Any = object.__new__

        def __new__(cls: type[Any], *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - it becomes one
            if _slot.active and _slot.driver is not None and issubclass(cls, _slot.driver.connection_class):
                target = _slot.target
                if target is not None and not (target.open and isinstance(target, cls)):
                    return target
                cls = continuous_class(_slot.driver, cls)
            if original is plain:
                return original(cls)  # object's own refuses the arguments that __init__ takes
            return original(cls, *args, **kwargs)

        setattr(base, "__new__", __new__)  # noqa: B010 - mypy knows no assignment to a class's __new__
        _prepared.add(base)
