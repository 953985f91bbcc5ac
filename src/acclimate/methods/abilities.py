"""What some methods can do besides learning and answering. A method has an ability by defining what it takes."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from acclimate.methods.base import Networks
from acclimate.types import Passes, PseudoLabels, Side


@runtime_checkable
class BetweenSteps(Protocol):
    """Closed-form steps between training steps."""

    @property
    def between_steps_at(self) -> tuple[float, ...]:
        """When `between_steps` is called: shares of the training steps in (0, 1], rising."""

    def between_steps(self, nets: Networks, passes: Passes) -> None:
        """A closed-form step, in eval mode, without gradients, in place.

        It may draw no random number but from generators of its own.
        """


@runtime_checkable
class AfterTraining(Protocol):
    """A closed-form step after training."""

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """That step, in eval mode, without gradients, in place."""


@runtime_checkable
class PseudoLabelled(Protocol):
    """Training by labels of its own making."""

    def pseudo_labels(self, nets: Networks, passes: Passes) -> PseudoLabels | None:
        """What its updates would make of a batch of everything; None where there are none at this time.

        For reports alone. Whether a pseudo-label is right only a hidden label tells, which no method may see, so the
        trainer asks at evaluation points, in eval mode and without gradients, and `metrics` does the counting.
        """


@runtime_checkable
class Decodes(Protocol):
    """Features become inputs again, of either side."""

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """Features of inputs."""

    def decode(self, nets: Networks, features: Tensor, to: Side) -> Tensor:
        """Inputs of the side `to` that have these features: `decode(embed(x, side), to)` translates x."""


@runtime_checkable
class Monitors(Protocol):
    """Losses that need no label, for curves of training against unseen data."""

    def monitor(self, nets: Networks, x: Tensor, side: Side) -> dict[str, Tensor]:
        """Such losses, means over the batch."""


@runtime_checkable
class HasHeads(Protocol):
    """Several classifiers, which may disagree."""

    def heads(self, nets: Networks, features: Tensor) -> dict[str, Tensor]:
        """Logits of each by name."""
