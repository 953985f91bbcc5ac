"""Methods that adapt a trained model while it answers: batch after batch, each answered, then learnt from.

They are no `Method`: there is nothing to train, and no network of their own. What they change is a copy of a model's
networks, whichever method trained it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from acclimate.errors import RequestError
from acclimate.methods.base import Method, Networks
from acclimate.networks.batch_norm import averaging_layers
from acclimate.types import Side

S = TypeVar("S")


class Said(NamedTuple):
    """What a model says of a batch: `logits` `(b, k)`, and the `features` `(b, d)` that they were made of."""

    logits: Tensor
    features: Tensor

    def still(self) -> Said:
        """The same without a graph."""
        return Said(self.logits.detach(), self.features.detach())


@dataclass(frozen=True)
class Model:
    """A trained model as a function of inputs.

    Attributes:
        method: that trained it, and says how networks combine.
        nets: its networks, in eval mode; an online method changes them in place, so they are a copy.
        side: whose examples it answers.
    """

    method: Method
    nets: Networks
    side: Side = "target"

    def __call__(self, x: Tensor) -> Said:
        """Answers to inputs `(b, …)`."""
        features = self.method.embed(self.nets, x, self.side)
        return Said(self.method.answer(self.nets, x, features, self.side), features)


class Online(BaseModel, ABC, Generic[S]):
    """Base of every method of test time; `S` is what it carries from batch to batch.

    Subclass `Online[…]` directly, state `name`, `title` and `paper`, declare hyper-parameters as fields, and define
    `begin` and `step`. An instance is a frozen record of its hyper-parameters.

    Attributes:
        name: what users type.
        title: its name in the literature.
        paper: authors, venue, year.
        least: fewest examples that a batch may have.
        norms: whether it needs batch-norm layers, and takes each batch for a sample of all that it will answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    least: ClassVar[int] = 1
    norms: ClassVar[bool] = True

    @abstractmethod
    def begin(self, model: Model) -> S:
        """Make a copy ready to be adapted, in place, and return what is carried from batch to batch."""

    @abstractmethod
    def step(self, model: Model, state: S, x: Tensor) -> Said:
        """Answer a batch `(b, …)`, then learn from it; no answer is given twice. There is no label to see."""

    def check(self, model: Model) -> None:
        """Let pass a model that it can adapt.

        Raises:
            RequestError: if the model has no batch norm, and that is what it adapts.
        """
        if self.norms and not averaging_layers(model.nets):
            raise RequestError(
                "adapt",
                f"must be a method for networks without batch norm, and {self.name!r} adapts those layers alone",
                f"{self.name!r} for a model of {model.method.name!r} that has none",
                "Take lame, which adapts answers, or train a network that has batch norm, such as mlp for tables, "
                "mcd-usps for small pictures or one whose name ends in -bn, by a method such as source-only.",
            )

    def adapts(self, n: int) -> bool:
        """Whether a batch of n examples is answered in any other way than by the model as it is."""
        return True

    def check_batch(self, n: int, argument: str) -> None:
        """Let pass a batch of n examples.

        Raises:
            RequestError: naming `argument`, if there are too few.
        """
        if n < self.least:
            raise RequestError(
                argument,
                f"must give {self.name!r} batches of at least {self.least} examples, as it normalises each by itself",
                f"{n}",
                "Gather more, or take bn, which keeps the model's averages beside a batch's, or lame.",
            )
