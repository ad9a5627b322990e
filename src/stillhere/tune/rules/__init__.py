"""One module a setting (or a pair that is judged alike), and its line in `RULES`."""

from __future__ import annotations

from stillhere.registry import Registry
from stillhere.tune.change import Rule
from stillhere.tune.rules import (
    connect_timeout,
    idle_transactions,
    interactive_timeout,
    max_allowed_packet,
    max_connect_errors,
    max_connections,
    net_timeouts,
    skip_name_resolve,
    wait_timeout,
)

__all__ = ["RULES"]

RULES = Registry(
    "tuning rule",
    (
        Rule(name="wait_timeout", judge=wait_timeout.judge),
        Rule(name="interactive_timeout", judge=interactive_timeout.judge),
        Rule(name="max_allowed_packet", judge=max_allowed_packet.judge),
        Rule(name="max_connections", judge=max_connections.judge),
        Rule(name="max_connect_errors", judge=max_connect_errors.judge),
        Rule(name="skip_name_resolve", judge=skip_name_resolve.judge),
        Rule(name="connect_timeout", judge=connect_timeout.judge),
        Rule(name="net_read_timeout", judge=net_timeouts.judge_read),
        Rule(name="net_write_timeout", judge=net_timeouts.judge_write),
        Rule(name="idle_transaction_timeout", judge=idle_transactions.judge),
    ),
)
