"""A TCP proxy that knows MySQL's packets, and breaks connections on command."""

from __future__ import annotations

from stillhere.lab.wire.commands import Command
from stillhere.lab.wire.cuts import ArmedCut, By, Cut, When
from stillhere.lab.wire.proxy import ConnectionView, Wire

__all__ = ["ArmedCut", "By", "Command", "ConnectionView", "Cut", "When", "Wire"]
