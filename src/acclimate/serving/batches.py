"""Questions of several visitors answered together: one pass through the network, one over the index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(slots=True, eq=False)
class _Asked(Generic[Q, A]):
    kind: Hashable
    question: Q
    work: Callable[[list[Q]], Sequence[A]]
    answer: Future[A] = field(default_factory=Future)


class Batches:
    """What waits while a thread computes is taken together by its next turn, so nobody waits for a batch to fill.

    A turn takes the oldest question and up to `most - 1` more of its kind. Whoever calls sees to it that there are as
    many turns as questions; a turn that finds none does nothing. Where a batch fails, halves of it are tried, so that
    what is wrong with one question is told to whoever asked it.

    Args:
        most: questions at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: list[_Asked[Any, Any]] = []
        self._changing = threading.Lock()

    def add(self, kind: Hashable, question: Q, work: Callable[[list[Q]], Sequence[A]]) -> Future[A]:
        """Let a question wait for a turn.

        Args:
            kind: questions of one kind may be answered together.
            question: to answer; one that is given up before its turn (`Future.cancel`) is never looked at.
            work: answers of one kind's questions, in their order.
        """
        asked = _Asked(kind, question, work)
        with self._changing:
            self._waiting.append(asked)
        return asked.answer

    def turn(self) -> None:
        """Answer the next few."""
        with self._changing:
            wanted = [one for one in self._waiting if not one.answer.cancelled()]
            chosen = [one for one in wanted if one.kind == wanted[0].kind][: self._most]
            self._waiting = [one for one in wanted if one not in chosen]
        _answer([one for one in chosen if one.answer.set_running_or_notify_cancel()])

    def stop(self) -> None:
        """Give up whatever waits."""
        with self._changing:
            for asked in self._waiting:
                asked.answer.cancel()
            self._waiting.clear()


def _answer(batch: list[_Asked[Any, Any]]) -> None:
    if not batch:
        return
    try:
        answers = list(zip(batch, batch[0].work([asked.question for asked in batch]), strict=True))
    except Exception as error:
        if len(batch) == 1:
            batch[0].answer.set_exception(error)
            return
        middle = len(batch) // 2
        _answer(batch[:middle])
        _answer(batch[middle:])
        return
    for asked, answer in answers:
        asked.answer.set_result(answer)
