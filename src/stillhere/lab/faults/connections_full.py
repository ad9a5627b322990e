"""All connections are lost, and the server has no room for new ones."""

from __future__ import annotations

from contextlib import ExitStack, closing

from stillhere.lab.faults.base import Fault, Scene

_ROOM = 10  # the least that MariaDB takes for max_connections
_OURS = _ROOM + 1  # one more than others may have: the lab's accounts are administrators
_SECONDS = 1.5


class ConnectionsFull(Fault):
    """All connections are lost, and the server has no room for new ones."""

    name = "connections_full"
    title = "too many connections"
    summary = "All connections are reset, and for 1.5 seconds the server refuses new ones (1040, too many)."
    cause = "too_many_connections"
    also = frozenset({"network_lost"})

    def strike(self, scene: Scene) -> None:
        """Occupy all places, reset, wait, and leave them."""
        with ExitStack() as stack:
            occupants = [stack.enter_context(closing(scene.server.admin())) for _ in range(_OURS)]
            with occupants[0].cursor() as cursor:
                cursor.execute("SELECT @@GLOBAL.max_connections")
                before = cursor.fetchone()
                cursor.execute("SET GLOBAL max_connections = %s", (_ROOM,))
                try:
                    for wire in scene.wires:
                        wire.reset_all()
                    scene.pause(_SECONDS)
                finally:
                    cursor.execute("SET GLOBAL max_connections = %s", before)
