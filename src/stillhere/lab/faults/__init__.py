"""The faults that the lab knows, one file each."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault
from stillhere.lab.faults.black_hole_to_client import BlackHoleToClient
from stillhere.lab.faults.black_hole_to_server import BlackHoleToServer
from stillhere.lab.faults.commit_not_forwarded import CommitNotForwarded
from stillhere.lab.faults.commit_reply_lost import CommitReplyLost
from stillhere.lab.faults.connections_full import ConnectionsFull
from stillhere.lab.faults.crash import Crash
from stillhere.lab.faults.delay import Delay
from stillhere.lab.faults.graceful_restart import GracefulRestart
from stillhere.lab.faults.half_close import HalfClose
from stillhere.lab.faults.idle_timeout import IdleTimeout
from stillhere.lab.faults.isolation_return import IsolationReturn
from stillhere.lab.faults.kill_idle import KillIdle
from stillhere.lab.faults.kill_in_flight import KillInFlight
from stillhere.lab.faults.outage import Outage
from stillhere.lab.faults.oversized_packet import OversizedPacket
from stillhere.lab.faults.reset import Reset
from stillhere.lab.faults.slow_call import SlowCall
from stillhere.registry import Registry

__all__ = ["FAULTS"]

FAULTS: Registry[Fault] = Registry(
    "fault",
    [
        IdleTimeout(),
        KillIdle(),
        KillInFlight(),
        OversizedPacket(),
        GracefulRestart(),
        Crash(),
        Reset(),
        HalfClose(),
        BlackHoleToServer(),
        BlackHoleToClient(),
        CommitReplyLost(),
        CommitNotForwarded(),
        Delay(),
        ConnectionsFull(),
        Outage(),
        SlowCall(),
        IsolationReturn(),
    ],
)
"""All faults, in the order in which a drill strikes them."""
