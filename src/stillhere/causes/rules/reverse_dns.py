"""The server could not look up the client's name."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import STATUS, VARIABLES, Reading
from stillhere.causes.weighing import Weighing
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["ReverseDns"]

_COUNTER = "connection_errors_peer_address"


class ReverseDns(CodedRule):
    """The server asked for the client's host name, and the answer was late or wrong.

    What happens:
        Unless ``skip_name_resolve`` is on, the server looks up each new client's address. A resolver that doesn't
        answer makes every connect slow, until a timeout on the way ends it (2013 while connecting); accounts that are
        given by host name then match no more.

    What shows it:
        1042; the log's ``IP address … could not be resolved`` at the moment of a failed or slow connect.

    What speaks against it:
        ``skip_name_resolve`` is on.

    What to do:
        Switch the lookup off, and name accounts by address.

    Known limits:
        The log's warning also comes where the lookup failed quickly and did no harm.

    References:
        MySQL manual, "DNS Lookups and the Host Cache"; MariaDB manual, "Server System Variables" (skip_name_resolve).
    """

    name = "reverse_dns"
    title = "Slow or failed reverse DNS"
    number = 25
    is_loss = False
    refines = ("handshake_lost",)
    symbols = ("ER_BAD_HOST_ERROR",)
    kinds = (Kind.NAME_RESOLUTION,)
    hinders_connecting = True
    reference = (
        'MySQL manual, "DNS Lookups and the Host Cache"; MariaDB manual, "Server System Variables", skip_name_resolve'
    )

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The counter and the switch."""
        grown = reading.server.deltas.get(_COUNTER, 0)
        weighing.pro(f"Connection_errors_peer_address grew by {grown}", STATUS, when=grown > 0)
        switch = reading.server.variables.get("skip_name_resolve", "").upper()
        weighing.con("skip_name_resolve is on", VARIABLES, when=switch in ("ON", "1"))

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "the server could not resolve the client's address"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """No lookup at all."""
        return Remedy(
            "Switch the lookup off; accounts must then be given by address or '%'.",
            ("[mysqld]\nskip_name_resolve = ON", "SELECT user, host FROM mysql.user"),
            "accounts that are given by host name no longer match; it takes a restart",
        )

    def settle(self, reading: Reading) -> tuple[str, ...]:  # noqa: ARG002 - the same for all
        """The log and the time that a lookup takes."""
        return ("the error log: 'could not be resolved' at that moment", "time dig -x CLIENT_ADDRESS, on the server")
