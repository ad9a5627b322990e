"""The login was refused."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import Reading
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["AccessDenied"]


class AccessDenied(CodedRule):
    """The server refused the account, its password, its plugin or its database. Nothing was lost.

    What happens:
        A wrong or expired password, an account without a right to connect from this host, an authentication plugin
        that one side lacks. The server refuses each attempt, and may lock the account or block the host after several.

    What shows it:
        1044, 1045, 1130, 1251, 1524, 1698, 1820, 1862, 3118, 3955, 2059, 2061 and their kin.

    What speaks against it:
        Nothing else is answered so.

    What to do:
        Mend the account. Never retry.

    Known limits:
        A proxy may refuse in the server's name.

    References:
        MySQL manual, "Troubleshooting Problems Connecting to MySQL" and "Access denied"; MariaDB manual,
        "Troubleshooting Connection Issues".
    """

    name = "access_denied"
    title = "Login refused"
    number = 26
    is_loss = False
    symbols = (
        "ER_ACCESS_DENIED_ERROR",
        "ER_DBACCESS_DENIED_ERROR",
        "ER_ACCESS_DENIED_NO_PASSWORD_ERROR",
        "ER_HOST_NOT_PRIVILEGED",
        "ER_NOT_SUPPORTED_AUTH_MODE",
        "ER_SERVER_IS_IN_SECURE_AUTH_MODE",
        "ER_PLUGIN_IS_NOT_LOADED",
        "ER_MUST_CHANGE_PASSWORD",
        "ER_MUST_CHANGE_PASSWORD_LOGIN",
        "ER_ACCOUNT_HAS_BEEN_LOCKED",
        "ER_USER_IS_BLOCKED",
        "ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK",
        "CR_SECURE_AUTH",
        "CR_AUTH_PLUGIN_CANNOT_LOAD",
        "CR_AUTH_PLUGIN_ERR",
    )
    kinds = (Kind.ACCESS_DENIED,)
    reference = (
        'MySQL manual, "Troubleshooting Problems Connecting to MySQL"; MariaDB manual, "Troubleshooting Connection'
        ' Issues"'
    )

    def sentence(self, reading: Reading) -> str:
        """With the number."""
        code = reading.met(*self.symbols)
        return "the server refused the login" + (f" ({code})" if code else "")

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """The account."""
        return Remedy(
            "Mend the account's password, plugin, host or rights. Don't retry: it may lock the account or block the"
            " host."
            " stillhere raises it at once.",
            ("SHOW CREATE USER app@'%'", "SHOW GRANTS FOR app@'%'"),
        )
