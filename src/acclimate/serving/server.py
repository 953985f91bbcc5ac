"""The app on a port, until a signal stops it."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, cast

import uvicorn

from acclimate.errors import RequestError, WorkError
from acclimate.serving.connections import Connection
from acclimate.serving.searching import Limits

# Requests that are being answered when a stop is asked for get so many seconds.
_LAST_SECONDS = 10
_WAITING = 128


def listening(host: str, port: int) -> socket.socket:
    """A socket that hears connections from now on.

    Args:
        host: a name or an address of this machine.
        port: 0 for any free one.

    Raises:
        RequestError: if the two cannot be had.
        WorkError: if the system has no socket to give.
    """
    if not 0 <= port <= 65535:
        raise RequestError("port", "must be from 0 to 65,535", port, "Take --port 0 for a free one.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        fix = "Take 127.0.0.1, or 0.0.0.0 to be reached from other machines."
        raise RequestError("host", "must be a name or an address of this machine", repr(host), fix) from None
    try:
        heard = socket.socket(family, kind, protocol)
    except OSError as error:
        raise WorkError(f"No socket could be opened: {error.strerror}.") from None
    try:
        # A port whose last connections have just ended can be had at once. On Windows this would share it.
        if os.name == "posix":
            heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        heard.bind(address)
        heard.listen(_WAITING)
    except OSError as error:
        heard.close()
        raise _unusable(host, port, error) from None
    heard.setblocking(False)
    return heard


def _unusable(host: str, port: int, error: OSError) -> RequestError:
    if error.errno == errno.EADDRINUSE:
        fix = "Stop what uses it, or choose another: --port 0 takes a free one."
        return RequestError("port", "must be free", f"{port}, which is in use", fix)
    if error.errno == errno.EACCES:
        return RequestError("port", "must be one you may use", port, "Those from 1,024 on are everybody's.")
    fix = "Take 127.0.0.1, or 0.0.0.0 to be reached from other machines."
    return RequestError("host", "must be an address of this machine", f"{host!r} ({error.strerror})", fix)


def address_of(heard: socket.socket, host: str) -> str:
    """The URL to open in a browser on this machine."""
    port = heard.getsockname()[1]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/"


class _Server(uvicorn.Server):
    """Says when it answers, and keeps the signal to itself, where uvicorn raises it once more when all is over."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so when it is done: from now on a signal ends it in order."""
        await super().startup(sockets)
        self._on_start()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Turn Ctrl-C and SIGTERM into a stop in order; a second Ctrl-C does not wait."""
        before = {s: signal.signal(s, self.handle_exit) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def stopped_by(self) -> int | None:
        """The first signal that came."""
        return self._captured_signals[0] if self._captured_signals else None


def configured(app: Any, limits: Limits, grace: float) -> uvicorn.Config:
    """How uvicorn runs an app of ours.

    Args:
        app: what answers.
        limits: of connections.
        grace: seconds that requests in work have, once a stop is asked for.
    """
    return uvicorn.Config(
        app,
        http=cast("Any", partial(Connection, limits=_affordable(limits))),
        log_level="error",  # what strangers do wrong is told to them
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=cast("int", grace),
    )


def _affordable(limits: Limits) -> Limits:
    """No more connections than half of the files that this process may have open."""
    if os.name != "posix":
        return limits
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    few = limits.connections if most == resource.RLIM_INFINITY else min(limits.connections, max(8, most // 2))
    return replace(limits, connections=few)


def serve(
    app: Any,
    heard: socket.socket,
    started: Callable[[], None],
    limits: Limits | None = None,
    grace: float = _LAST_SECONDS,
) -> int | None:
    """Answer until a signal comes; what is in work then is finished.

    Args:
        app: what answers.
        heard: where it is asked.
        started: called as soon as it answers.
        limits: of connections; the default ones if None.
        grace: seconds that what is in work has.

    Returns:
        The signal.
    """
    server = _Server(configured(app, limits or Limits(), grace), started)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", module=r"PIL\b"
        )  # of odd metadata; what counts is whether the pixels are there
        server.run(sockets=[heard])
    return server.stopped_by


def leave(app: Any, code: int) -> None:
    """End the process if a thread still computes what nobody waits for; Python would wait for it.

    Args:
        app: of `create_app`, which has stopped.
        code: of the process.
    """
    if app.state.of_run.workers.at_work:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
