"""Bodies on their way: each has to keep up a pace, and of too many the one that is furthest behind goes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from acclimate.serving.searching import Limits


@dataclass(eq=False, slots=True)
class _Arrival:
    client: str
    begun: float
    time: asyncio.Timeout
    bytes: int = 0
    dropped: bool = False


class Arrivals:
    """What is being received, by whom.

    A body that stops coming costs memory and nothing else: no slot is taken before it is there. Whoever has the most
    on their way loses first, and of theirs what is furthest behind the pace, so a stranger who opens many connections
    and sends little over each pushes out their own.

    Args:
        limits: `seconds`, `patience`, `pace`, `arriving` and `arriving_bytes` count.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._coming: list[_Arrival] = []

    @asynccontextmanager
    async def one(self, client: str) -> AsyncIterator[Callable[[int], None]]:
        """A body from that address; what it yields is told of the bytes that have come.

        Raises:
            TimeoutError: if it comes too slowly, or makes room for others.
        """
        now = asyncio.get_running_loop().time()
        async with asyncio.timeout_at(self._due(now, 0)) as time:
            arrival = _Arrival(client, now, time)
            self._coming.append(arrival)
            self._make_room()
            try:
                yield partial(self._came, arrival)
            finally:
                self._coming.remove(arrival)

    def _due(self, begun: float, received: int) -> float:
        limits = self.limits
        return begun + min(limits.seconds, limits.patience + received / limits.pace)

    def _came(self, arrival: _Arrival, count: int) -> None:
        arrival.bytes += count
        if not arrival.dropped and not arrival.time.expired():
            arrival.time.reschedule(self._due(arrival.begun, arrival.bytes))
        self._make_room()

    def _make_room(self) -> None:
        while crowd := [arrival for arrival in self._coming if not arrival.dropped]:
            if len(crowd) <= self.limits.arriving and sum(a.bytes for a in crowd) <= self.limits.arriving_bytes:
                return
            ((busiest, _),) = Counter(arrival.client for arrival in crowd).most_common(1)
            theirs = [arrival for arrival in crowd if arrival.client == busiest]
            self._drop(min(theirs, key=lambda arrival: self._due(arrival.begun, arrival.bytes)))

    def _drop(self, arrival: _Arrival) -> None:
        arrival.dropped = True
        if not arrival.time.expired():  # else it is going already
            arrival.time.reschedule(asyncio.get_running_loop().time())
