"""What stands between network and app: whose requests are heard, how many at once, and what no answer lacks."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acclimate.serving.problems import Problem, crashed

logger = logging.getLogger("acclimate.serving")

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ANY_ADDRESS = ("0.0.0.0", "::")
# How a browser says that a request comes from the page itself, or from its user.
_OWN = ("", "same-origin", "none")


class Guard:
    """ASGI middleware.

    A name that is not expected in the Host header is refused: a web page elsewhere could have its own name lead to
    this machine (DNS rebinding) and would then read the answers. An address cannot be made to lead elsewhere, so
    where the server listens on every address, any of them will do.

    Args:
        app: what is guarded.
        hosts: names and addresses under which the server is reached, besides this machine's own.
        most: requests at once.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], most: int) -> None:
        self._app, self._most, self._in_work = app, most, 0
        self._hosts = {_bare(host) for host in (*_LOCAL, *hosts)}
        self._any_address = bool(self._hosts & set(_ANY_ADDRESS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hear a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal.response()(scope, receive, answer)
            return
        self._in_work += 1
        try:
            await self._app(scope, receive, answer)
        except Exception:
            logger.exception("Error: %s %s failed; the server goes on.", scope["method"], scope["path"])
            if answer.begun:
                raise
            await crashed().response()(scope, receive, answer)
        finally:
            self._in_work -= 1

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._knows(host):
            names = ", ".join(sorted(self._hosts))
            detail = f"The Host header must be one of {names}; got {host!r:.100}. Start the server with --allow-host."
            return Problem(400, detail)
        if not _is_own(headers, scope["method"]) and scope["path"].startswith("/api"):
            return Problem(403, "Only the server's own page may ask from within a browser; got another site's page.")
        if self._in_work >= self._most and scope["path"] != "/api/health":
            detail = f"The server does {self._most} requests at once and has as many. Try again in a second."
            return Problem(503, detail, {"Retry-After": "1"})
        return None

    def _knows(self, header: str) -> bool:
        host = _bare(_without_port(header))
        return host in self._hosts or (self._any_address and _is_address(host))


class _Answer:
    """Adds what no answer lacks."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await self._send(message)


def _is_own(headers: Headers, method: str) -> bool:
    site, mode = headers.get("sec-fetch-site", ""), headers.get("sec-fetch-mode", "")
    return site in _OWN or (mode == "navigate" and method == "GET")


def _without_port(header: str) -> str:
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]").rstrip(".").lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
