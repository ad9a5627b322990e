"""The encrypted connection could not be made."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import VARIABLES, Reading
from stillhere.causes.weighing import Weighing
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["Tls"]


class Tls(CodedRule):
    """The TLS handshake failed, or the server takes only encrypted connections.

    What happens:
        The certificate isn't trusted or names another host, the two sides share no protocol version, or the client
        didn't encrypt where the server demands it (3159).

    What shows it:
        2026 while connecting; 3159; the log's ``Connections using insecure transport are prohibited``.

    What speaks against it:
        2026 on an open connection: then it is a cut, which mysqlclient reports so under TLS.

    What to do:
        Mend the certificate, the versions or the client's TLS options. Waiting mends nothing.

    Known limits:
        A peer that hangs up in the middle of the TLS handshake gives 2026 too.

    References:
        MySQL manual, "Configuring MySQL to Use Encrypted Connections"; MariaDB manual, "Securing Connections for
        Client and Server".
    """

    name = "tls"
    title = "TLS refused or failed"
    number = 27
    is_loss = False
    symbols = ("CR_SSL_CONNECTION_ERROR", "ER_SECURE_TRANSPORT_REQUIRED")
    kinds = (Kind.INSECURE_TRANSPORT,)
    reference = (
        'MySQL manual, "Configuring MySQL to Use Encrypted Connections"; MariaDB manual, "Securing Connections'
        " for Client"
        ' and Server"'
    )

    def applies(self, reading: Reading) -> bool:
        """2026 in mid-life is a cut, not a refusal."""
        return reading.connecting or reading.has("ER_SECURE_TRANSPORT_REQUIRED")

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The server's demand."""
        switch = reading.server.variables.get("require_secure_transport", "").upper()
        weighing.pro("require_secure_transport is on", VARIABLES, when=switch in ("ON", "1") and weighing.supported)

    def sentence(self, reading: Reading) -> str:
        """Which of the two."""
        if reading.has("CR_SSL_CONNECTION_ERROR"):
            return "the TLS handshake failed while connecting"
        return "the server takes only encrypted connections"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """The client's TLS options."""
        return Remedy(
            "Give the client the CA that signed the server's certificate, and a protocol version that both have.",
            (
                "create_engine(url, connect_args={'ssl': {'ca': '/etc/ssl/certs/db-ca.pem'}})",
                "openssl s_client -starttls mysql -connect HOST:PORT",
            ),
        )
