"""Connections as uvicorn has them, with an end to every wait for whoever is at the other end."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from acclimate.serving.guard import HEADERS
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits
from acclimate.serving.slots import of_one


class Connection(H11Protocol):
    """One connection.

    uvicorn waits without end for the head of a request, for the rest of a body that nobody wants, and for a reader
    who does not read. Here each of the three has its time, however many drops come meanwhile, and when there are too
    many connections the one that has been waiting longest without a request makes room. What is no HTTP gets a
    problem, as any other mistake does.

    Args:
        limits: `head_seconds`, `read_seconds` and `connections` count.
        args, options: uvicorn's own.
    """

    def __init__(self, *args: Any, limits: Limits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._waiting: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self.idle_since = self.loop.time()

    @property
    def answering(self) -> bool:
        """Whether a request has come that is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._make_room()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take it in; a head that is not whole by now still has the time it had."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        for timer in (self._waiting, self._unread):
            _cancel(timer)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; where another answer has begun, only the connection's end can tell of it."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            problem = Problem(400, "The request must be HTTP/1.1; got something else. Ask with a browser or curl.")
            response = problem.response(HEADERS | {"Connection": "close"})
            events: list[h11.Event] = [h11.Response(status_code=400, headers=response.raw_headers)]
            if self.conn.our_state is h11.IDLE or self.scope["method"] != "HEAD":
                events.append(h11.Data(data=bytes(response.body)))
            for event in (*events, h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:  # whoever still answers the broken request is told that nobody listens
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def on_response_complete(self) -> None:
        """Become idle."""
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close, and do not wait for what has still not been read."""
        super().timeout_keep_alive_handler()
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def pause_writing(self) -> None:
        """Begin to wait for the reader."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(self._limits.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The reader reads."""
        _cancel(self._unread)
        self._unread = None
        super().resume_writing()

    def _watch(self) -> None:
        if self.answering:
            _cancel(self._waiting)
            self._waiting = None
        elif self._waiting is None:
            self._waiting = self.loop.call_later(self._limits.head_seconds, self.transport.abort)

    def _make_room(self) -> None:
        everybody = [
            one for one in self.connections if isinstance(one, Connection) and not one.transport.is_closing()
        ]
        same = [one for one in everybody if one._address == self._address]
        crowd = same if len(same) > of_one(self._limits.connections) else everybody
        if crowd is everybody and len(everybody) <= self._limits.connections:
            return
        idle = [one for one in crowd if one is not self and not one.answering]
        min(idle, key=lambda one: one.idle_since, default=self).transport.abort()

    @property
    def _address(self) -> str | None:
        return self.client[0] if self.client else None


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
