"""The decorator that people paste: try the view again when the database says anything at all.

It stands here as it is found, for the drill to show what it does. It is no advice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import OperationalError

__all__ = ["ATTEMPTS", "retry"]

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 3


def retry(rollback: Callable[[], object]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Call a view up to `ATTEMPTS` times.

    Args:
        rollback: rolls the request's session back between two attempts.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def insist(*args: P.args, **kwargs: P.kwargs) -> R:
            for attempt in range(ATTEMPTS - 1):
                try:
                    return view(*args, **kwargs)
                except OperationalError:
                    rollback()
                    time.sleep(0.1 * 2**attempt)
            return view(*args, **kwargs)

        return insist

    return decorate
