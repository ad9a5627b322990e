"""A row larger than the client library takes."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import Reading
from stillhere.findings import Remedy

__all__ = ["ClientPacketLimit"]


class ClientPacketLimit(CodedRule):
    """The server's answer had a row larger than the client library's own packet limit.

    What happens:
        The C client library refuses a packet over its own ``max_allowed_packet``, with 2020, and the connection can't
        be used after it: the rest of the row is still on the wire.

    What shows it:
        2020, which the client library says of nothing else.

    What speaks against it:
        1153: then the server refused.

    What to do:
        Raise the client's limit, or read large columns in pieces.

    Known limits:
        PyMySQL and the asyncio drivers have no such limit and never say it.

    References:
        MySQL manual, "Packet Too Large" and "Client Error Message Reference" (2020).
    """

    name = "client_packet_limit"
    title = "Row over the client's packet limit"
    number = 5
    symbols = ("CR_NET_PACKET_TOO_LARGE",)
    reference = 'MySQL manual, "Packet Too Large" and "Client Error Message Reference", 2020'

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "a row was larger than the client library's own packet limit"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """An option of the client."""
        return Remedy(
            "Raise max_allowed_packet in the client's option file (and on the server, where it is the lower of the"
            " two), or"
            " read the column in pieces with SUBSTRING.",
            (
                "[client]\nmax_allowed_packet = 1G",
                "create_engine(url, connect_args={'read_default_file': '~/.my.cnf'})",
            ),
        )
