"""Who may see the page: a check before anything is answered.

A page on loopback is reached by every web page that the user visits: by its Host header a request shows whether it
was meant for this one (DNS rebinding), and by its Origin whether this one sent it. Anything but loopback needs a token.
"""

from __future__ import annotations

import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "is_loopback"]

_COOKIE = "stillhere"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses what was not meant for this page, and sends what keeps a browser from adding to it.

    Args:
        application: the page.
        hosts: the values of the Host header that mean this page, such as ``"127.0.0.1:8306"``.
        token: must be shown once as ``?token=…``, then it is a cookie; none is needed where it is empty.
    """

    def __init__(self, application: ASGIApp, hosts: frozenset[str], token: str = "") -> None:
        self._application = application
        self._hosts = hosts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let the page answer."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._application)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            return PlainTextResponse("this page is not the one that was asked for\n", 421)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return PlainTextResponse("another page may not ask this one\n", 403)
        if not self._token or self._has_cookie(headers):
            return None
        shown = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token", "")
        if not hmac.compare_digest(shown.encode(), self._token.encode()):
            return PlainTextResponse("open the address that stillhere watch printed, with its token\n", 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(_COOKIE, self._token, httponly=True, samesite="strict")
        return answer

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self._token.encode())


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
