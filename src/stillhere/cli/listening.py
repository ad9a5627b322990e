"""Where a verb that serves a page listens."""

from __future__ import annotations

import ipaddress
import socket

from stillhere.errors import ConfigurationError

__all__ = ["bound", "listen_address"]


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        ConfigurationError: it can't.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # now, so that the address that is printed can be asked at once
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"can't listen on {host}:{port}: {error.strerror}") from error
    return listener


def listen_address(text: str) -> tuple[str, int]:
    """Address and port of ``--listen``; all addresses of the machine where it names none.

    Raises:
        ConfigurationError: it is neither.
    """
    host, colon, port = text.rpartition(":")
    host = host.strip("[]")
    if not colon or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the largest port there is
        raise ConfigurationError(f"--listen: {text!r} is no HOST:PORT, such as 127.0.0.1:9306")
    if host and host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError as error:
            raise ConfigurationError(f"--listen: {host!r} is no address of this machine; write its number") from error
    return host or "0.0.0.0", int(port)  # noqa: S104 - asked for, by leaving the host out
