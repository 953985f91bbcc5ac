"""How many requests are in work at once, and how many of them for one address."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Self

from starlette.types import Scope

from acclimate.serving.problems import Problem

_AGAIN = {"Retry-After": "1"}


def client_of(scope: Scope) -> str:
    """The address that a request comes from. Behind a proxy it is the proxy's, for everybody."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def of_one(most: int) -> int:
    """How many of so many one address may have, so that others are always left some."""
    return max(1, most * 3 // 4)


@dataclass(slots=True)
class Slot:
    """A place that is held until it is released."""

    slots: Slots
    client: str
    held: bool = True

    def release(self) -> None:
        """Let go of it; a second time does nothing."""
        if self.held:
            self.held = False
            self.slots.free(self.client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Slots:
    """A number of places.

    Args:
        most: there are.
        what: is done there, for the sentence that says that there is none left.
    """

    def __init__(self, most: int, what: str = "requests") -> None:
        self._most, self._of_one, self._what = most, of_one(most), what
        self._held: Counter[str] = Counter()

    def take(self, client: str) -> Slot:
        """A place for that address.

        Raises:
            Problem: 503 if there is none left, 429 if the address has its share.
        """
        if self._held.total() >= self._most:
            detail = f"The server does {self._most} {self._what} at once and has as many. Try again in a second."
            raise Problem(503, detail, _AGAIN)
        if self._held[client] >= self._of_one:
            detail = f"This address has {self._of_one} of the {self._most} {self._what} that are done at once."
            raise Problem(429, f"{detail} Try again in a second.", _AGAIN)
        self._held[client] += 1
        return Slot(self, client)

    def free(self, client: str) -> None:
        """Give one back."""
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]
