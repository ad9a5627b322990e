"""What a refused login means: the server says a number, and this is what to do about it."""

from __future__ import annotations

from stillhere.server.errorcodes import lookup

__all__ = ["advice_for"]

# By the symbols of the one table of codes.
_ADVICE = {
    "ER_CON_COUNT_ERROR": "every place of max_connections is taken; an administrator's account has one more (MySQL: "
    "CONNECTION_ADMIN; MariaDB: CONNECTION ADMIN, or extra_port)",
    "ER_HOST_IS_BLOCKED": "this host is blocked for its connection errors; run FLUSH HOSTS from another, or "
    "TRUNCATE TABLE performance_schema.host_cache",
    "ER_TOO_MANY_USER_CONNECTIONS": "the account holds as many connections as it may",
    "ER_USER_LIMIT_REACHED": "the account has used up a limit of its own; see SHOW CREATE USER",
    "ER_SECURE_TRANSPORT_REQUIRED": "the server requires TLS; name the authority's certificate in the URL, such as "
    "?ssl_ca=/path/to/ca.pem",
    "ER_SERVER_OFFLINE_MODE": "the server is in offline mode, which lets administrators in only",
    "ER_MUST_CHANGE_PASSWORD_LOGIN": "the account's password has ended; set a new one with an administrator's account",
    "ER_ACCESS_DENIED_ERROR": "the password is wrong, or there is no such account for this host",
    "ER_CANT_CREATE_THREAD": "the server's machine lets it make no more threads; see the service's limits",
}


def advice_for(code: int) -> str:
    """What to do about a number that the server refused a login with; empty where there is nothing to say."""
    line = lookup(code, None)
    return _ADVICE.get(line.name, "") if line is not None else ""
