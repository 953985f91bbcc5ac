"""Work that would hold up the event loop, done in threads: few of them, in order, and none that nobody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import Request

from acclimate.serving.problems import Problem

T = TypeVar("T")


class Workers:
    """Threads of their own for the model and for thumbnails, so that neither waits for the other.

    The model has one: it computes with several threads itself, and need not be safe to be called from two.

    Args:
        seconds: that an answer may take, waiting included.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._model = ThreadPoolExecutor(1, "model")
        self._pictures = ThreadPoolExecutor(2, "pictures")

    async def with_model(self, request: Request, work: Callable[[], T]) -> T:
        """Let the model do it; see `_carried_out`."""
        return await self._carried_out(request, self._model, work)

    async def with_pictures(self, request: Request, work: Callable[[], T]) -> T:
        """Read or write a picture; see `_carried_out`."""
        return await self._carried_out(request, self._pictures, work)

    def stop(self) -> None:
        """Take no more."""
        for pool in (self._model, self._pictures):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _carried_out(self, request: Request, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        """The result, unless it takes too long or whoever asked has gone: then work that has not begun never does.

        Raises:
            Problem: 504, or 400 that nobody reads.
        """
        future = asyncio.get_running_loop().run_in_executor(pool, work)
        gone = asyncio.ensure_future(_gone(request))
        either: set[asyncio.Future[Any]] = {future, gone}
        try:
            await asyncio.wait(either, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not future.done():
                future.cancel()
        if not future.cancelled():
            return future.result()
        if gone.done():
            raise Problem(400, "The connection ended before the answer was there. Ask again.")
        raise Problem(504, f"The answer took longer than {self._seconds:g} s. Try again, or a smaller picture.")


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
