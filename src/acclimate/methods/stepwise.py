"""Methods that learn by steps: batch after batch, one `Update` for each step of the paper."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from acclimate.methods.base import Method, Networks
from acclimate.types import Update

B = TypeVar("B")


class Stepwise(Method, Generic[B]):
    """A method that is trained; `B` is the form of its batches, such as `Batch`, which its problem's stream draws.

    Subclass `Stepwise[Batch]` (or another form) directly, state the facts of `Method`, and define `updates`.
    """

    @abstractmethod
    def updates(self, nets: Networks, batch: B) -> Iterator[Update]:
        """Yield the optimisation steps for one batch, in the paper's order.

        The weights have moved when a `yield` returns: anything computed before it belongs to a spent graph.
        """


def batches_of(method: Method) -> Any:
    """The form of a method's batches, B of its base `Stepwise[B]`; None for one that takes none."""
    for base in type(method).__mro__:
        found = getattr(base, "__pydantic_generic_metadata__", {})
        if found.get("origin") is Stepwise:
            return found["args"][0]
    return None
