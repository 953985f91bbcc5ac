"""What stands between network and app: whose requests are heard, how many at once, and what no answer lacks."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acclimate.serving.problems import Problem, crashed
from acclimate.serving.searching import Limits
from acclimate.serving.slots import Slot, Slots, client_of

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
# A name or an address, and perhaps a port: nothing else can stand before or behind it.
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.%]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?", re.IGNORECASE | re.ASCII)
_PORTS = {"http": "80", "https": "443"}
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ANY_ADDRESS = ("0.0.0.0", "::")
# How a browser says that a request comes from the page itself, or from its user.
_OWN = ("same-origin", "none")


class Guard:
    """ASGI middleware.

    A name that is not expected in the Host header is refused: a web page elsewhere could have its own name lead to
    this machine (DNS rebinding) and would then read the answers. An address cannot be made to lead elsewhere, so
    where the server listens on every address, any of them will do.

    A slot is held from here to where the answer begins. A request that brings a body takes one only once that is
    there, by whoever reads it: else a few strangers who send a byte each would hold them all.

    Args:
        app: what is guarded.
        hosts: names and addresses under which the server is reached, besides this machine's own.
        slots: for requests at once.
        limits: `lingering` and `unwanted` count.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], slots: Slots, limits: Limits) -> None:
        self._app, self._slots, self._limits = app, slots, limits
        self._hosts = {_bare(host) for host in (*_LOCAL, *hosts)}
        self._any_address = bool(self._hosts & set(_ANY_ADDRESS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hear a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._limits)
        try:
            self._check(scope)
            slot = None if _is_free(scope) else self._slots.take(client_of(scope))
        except Problem as refusal:
            await refusal.response()(scope, body, _Answer(send, body))
            return
        answer = _Answer(send, body, slot)
        try:
            await self._app(scope, body, answer)
        except asyncio.CancelledError:  # the server stops, and whoever waits is told so
            if not answer.begun:
                await _stopped().response()(scope, body, answer)
        except Exception:
            logger.exception("Error: %s %s failed; the server goes on.", scope["method"], scope["path"])
            if answer.begun:
                raise
            await crashed().response()(scope, body, answer)
        finally:
            answer.release()

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._knows(host):
            names = ", ".join(sorted(self._hosts))
            detail = f"The Host header must be one of {names}; got {host!r:.100}. Start the server with --allow-host."
            raise Problem(400, detail)
        if not _is_own(headers, scope["method"]) and scope["path"].startswith("/api"):
            raise Problem(403, "Only the server's own page may ask from within a browser; got another site's page.")

    def _knows(self, header: str) -> bool:
        found = _HOST.fullmatch(header)
        host = _bare(found["name"]) if found else ""
        return host in self._hosts or (self._any_address and _is_address(host))


def _is_free(scope: Scope) -> bool:
    """Whether a request takes no slot here: the word that the server lives, and what brings a body."""
    return scope["path"] == "/api/health" or scope["method"] in ("POST", "PUT")


def _stopped() -> Problem:
    return Problem(503, "The server stops. Ask again once it is back.", {"Retry-After": "10", "Connection": "close"})


class _Body:
    """A request's body, and whether all of it has been taken in.

    Args:
        scope: of the request.
        receive: where it comes from.
        limits: of what is read though nobody wants it.
    """

    def __init__(self, scope: Scope, receive: Receive, limits: Limits) -> None:
        headers = Headers(scope=scope)
        self._receive, self._limits = receive, limits
        # Whoever waits to be told to go on, and is told not to, sends nothing.
        sends = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self.coming = sends and "expect" not in headers

    async def __call__(self) -> Message:
        message = await self._receive()
        self.coming = message["type"] == "http.request" and bool(message.get("more_body"))
        return message

    async def throw_away(self) -> None:
        """Read on, though nobody wants it.

        A connection that is closed while bytes arrive is reset, and the answer with it: its sender would see a broken
        connection in place of our sentence.
        """
        left = self._limits.unwanted
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.lingering):
                while self.coming and left > 0:
                    left -= len((await self()).get("body", b""))


class _Answer:
    """Adds what no answer lacks, and ends only after the question has ended."""

    def __init__(self, send: Send, body: _Body, slot: Slot | None = None) -> None:
        self._send, self._body, self._slot = send, body, slot
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self.release()  # whoever reads slowly computes nothing here
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        elif self._body.coming and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await self._body.throw_away()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    def release(self) -> None:
        """Let go of the slot, if there is one."""
        if self._slot is not None:
            self._slot.release()


def _is_own(headers: Headers, method: str) -> bool:
    """Whether a request comes from the page itself, from its user or from a program, as far as a browser tells."""
    site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode", "")
    if site is None:
        return _is_same_origin(headers)
    return site in _OWN or (mode == "navigate" and method == "GET")


def _is_same_origin(headers: Headers) -> bool:
    """What a browser says that says no more: the origin of its page, where it is none that the user opened.

    A Host header without a port, as a proxy may pass it on, leaves the port open.
    """
    origin, host = headers.get("origin"), _HOST.fullmatch(headers.get("host", ""))
    if origin is None or host is None:
        return origin is None
    try:
        parts = urlsplit(origin)
        own = _HOST.fullmatch(parts.netloc)
    except ValueError:
        return False
    if own is None or own["name"].lower() != host["name"].lower():
        return False
    return host["port"] is None or (own["port"] or _PORTS.get(parts.scheme)) == host["port"]


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]").rstrip(".").lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
