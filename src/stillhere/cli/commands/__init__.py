"""One module a verb, each with ``register(app)``; `VERBS` is the one line that puts it on the command line.

A verb's module imports what is heavy (SQLAlchemy, a web framework, the lab) inside the function that needs
it, so that ``stillhere --help`` stays quick.
"""

from __future__ import annotations

__all__ = ["VERBS"]

VERBS: tuple[str, ...] = (
    "explain",
    "check",
    "incidents",
    "doctor",
    "tune",
    "lint",
    "maintain",
    "watch",
    "export",
    "probe",
    "drill",
    "witness",
    "lab",
)
"""The modules of this package, in the order of ``stillhere --help``."""
