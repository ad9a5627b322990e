"""What the faults that cut at statements have in common."""

from __future__ import annotations

import time

from stillhere.lab.faults.base import Scene
from stillhere.lab.wire import Cut

SECONDS = 2.0
PATIENCE = 8.0
_ENOUGH = 3
_STEP = 0.05


def cut_for_a_while(scene: Scene, cut: Cut) -> None:
    """Let the cut work on every wire for two seconds, longer where it has hardly found its statement.

    It ends after eight seconds even so.
    """
    start = time.monotonic()
    armed = [wire.cut(cut) for wire in scene.wires]
    try:
        while not scene.pause(_STEP):
            passed = time.monotonic() - start
            if passed >= (SECONDS if all(one.hits >= _ENOUGH for one in armed) else PATIENCE):
                break
    finally:
        for one in armed:
            one.disarm()
