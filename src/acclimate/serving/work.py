"""Work that would hold up the event loop, done in threads: few of them, in order, and none that nobody waits for."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import numpy as np
from fastapi import Request

from acclimate.data.readers.pictures import Form
from acclimate.serving.batches import Batches
from acclimate.serving.memory import give_back
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits
from acclimate.serving.slots import Slots, client_of
from acclimate.serving.uploads import open_upload, picture_of

T = TypeVar("T")
Q = TypeVar("Q")

# Of the system's −20 to 19: a tenth of what others get, for whatever holds Python's lock must run in the end.
_BEHIND = 10
# Of unpacked bytes. Drawings and photos of a telephone's screen are below it; what is above takes up to seconds.
_LARGE = 16_000_000


class Workers:
    """Threads of their own for the model, for thumbnails and for uploads, so that none waits for another.

    The model has one: it computes with several threads itself, and need not be safe to be called from two. Uploads
    have three: one is for large pictures, which come one after the other, behind everything else as far as the system
    allows; what each has taken is given back.

    Args:
        limits: of pictures, and `seconds` that an answer may take, waiting included.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._model = ThreadPoolExecutor(1, "model")
        self._batches = Batches(limits.batch)
        self._pictures = ThreadPoolExecutor(2, "pictures")
        self._uploads = ThreadPoolExecutor(2, "uploads")
        self._large = ThreadPoolExecutor(1, "large", _step_back)
        self._waiting = Slots(limits.large, "large pictures")
        self._counting = threading.Lock()
        self._at_work = 0

    @property
    def at_work(self) -> bool:
        """Whether a thread is computing, perhaps for somebody who no longer waits."""
        return self._at_work > 0

    @asynccontextmanager
    async def patience(self, request: Request) -> AsyncIterator[None]:
        """Give up what is awaited within when it takes too long or whoever asked has gone.

        Raises:
            Problem: 504, or 400 that nobody reads.
        """
        gone = asyncio.ensure_future(_gone(request))
        try:
            async with asyncio.timeout(self._limits.seconds) as time:

                def leave(_: asyncio.Future[None]) -> None:
                    if not time.expired():
                        time.reschedule(asyncio.get_running_loop().time())

                gone.add_done_callback(leave)
                try:
                    yield
                finally:
                    gone.remove_done_callback(leave)
        except TimeoutError:
            if not time.expired():
                raise
            if gone.done():
                raise Problem(400, "The connection ended before the answer was there. Ask again.") from None
            detail = f"The answer took longer than {self._limits.seconds:g} s. Try again, or a smaller picture."
            raise Problem(504, detail) from None
        finally:
            gone.cancel()

    async def with_model(self, work: Callable[[], T]) -> T:
        """Let the model do it; work that is given up before it has begun never does."""
        return await self._carried_out(self._model, work)

    async def together(self, kind: Hashable, question: Q, work: Callable[[list[Q]], Sequence[T]]) -> T:
        """Let the model answer it, in one go with others of its kind that wait; see `Batches.add`."""
        answer = self._batches.add(kind, question, work)
        self._model.submit(self._counted(self._batches.turn))
        return await asyncio.wrap_future(answer)

    async def with_pictures(self, work: Callable[[], T]) -> T:
        """Read or write a picture; the rest as for the model."""
        return await self._carried_out(self._pictures, work)

    async def parsed(self, work: Callable[[], T]) -> T:
        """Make sense of a body that is no picture; the rest as for the model."""
        return await self._carried_out(self._uploads, work)

    async def decoded(self, request: Request, content: bytes, form: Form) -> np.ndarray:
        """The picture of an upload, uint8 `(size, size, channels)`.

        Raises:
            Problem: what `open_upload` and `picture_of` raise; 429 or 503 if many large ones wait.
        """
        opened = await self._carried_out(self._uploads, lambda: open_upload(content, form, self._limits))
        if opened.bytes <= _LARGE:
            return await self._carried_out(self._uploads, lambda: picture_of(opened, content, self._limits))

        def work() -> np.ndarray:
            try:
                return picture_of(opened, content, self._limits)
            finally:
                give_back()

        with self._waiting.take(client_of(request.scope)):
            return await self._carried_out(self._large, work)

    def stop(self) -> None:
        """Take no more."""
        self._batches.stop()
        for pool in (self._model, self._pictures, self._uploads, self._large):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _carried_out(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, self._counted(work))

    def _counted(self, work: Callable[[], T]) -> Callable[[], T]:
        def counted() -> T:
            self._count(1)
            try:
                return work()
            finally:
                self._count(-1)

        return counted

    def _count(self, change: int) -> None:
        with self._counting:
            self._at_work += change


def _step_back() -> None:
    """Let this thread compute behind all others. Elsewhere than on Linux only whole processes can."""
    if sys.platform == "linux":
        with suppress(OSError):  # a pool whose thread cannot begin takes no work
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BEHIND)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
