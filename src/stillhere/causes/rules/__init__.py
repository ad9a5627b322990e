"""The causes that stillhere knows, one file each."""

from __future__ import annotations

from stillhere.causes.rule import Rule
from stillhere.causes.rules.client_read_timeout import ClientReadTimeout
from stillhere.causes.rules.crash import Crash
from stillhere.causes.rules.idle_timeout import IdleTimeout
from stillhere.causes.rules.idle_transaction_timeout import IdleTransactionTimeout
from stillhere.causes.rules.killed import Killed
from stillhere.causes.rules.network_lost import NetworkLost
from stillhere.causes.rules.packet_too_large import PacketTooLarge
from stillhere.causes.rules.server_restart import ServerRestart
from stillhere.causes.rules.session_timeout import SessionTimeout
from stillhere.causes.rules.slow_work import SlowWork
from stillhere.causes.rules.too_many_connections import TooManyConnections
from stillhere.registry import Registry

__all__ = ["RULES"]

RULES: Registry[Rule] = Registry(
    "cause",
    [
        IdleTimeout(),
        SessionTimeout(),
        PacketTooLarge(),
        ClientReadTimeout(),
        Killed(),
        IdleTransactionTimeout(),
        ServerRestart(),
        Crash(),
        TooManyConnections(),
        SlowWork(),
        NetworkLost(),
    ],
)
"""All causes, in the order of the catalogue."""
