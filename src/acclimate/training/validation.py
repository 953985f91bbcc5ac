"""Early stopping: the weights that do best on source examples which no step has trained on.

Target labels have no part in it. Where a target differs much from its source, the source may still be right about
when a network begins to learn by heart, and it is all that may be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.data.domain import Domain
from acclimate.streams.order import Weigh
from acclimate.types import UNLABELLED, Outputs


class Validation:
    """Remembers the weights with the lowest loss on a validation set, and says when to stop waiting for better ones.

    Args:
        domain: source examples with labels, in stored form; others count for nothing.
        patience: looks without a lower loss after which to stop.
        weigh: gives labels their weights, as in training; None where all examples count alike.

    Class fact: `rule`, what choosing weights this way is called in a run's record.
    """

    rule: ClassVar[str] = "source-validation"

    def __init__(self, domain: Domain, patience: int, weigh: Weigh | None = None) -> None:
        self.domain = domain.take(domain.labels != UNLABELLED)
        self.patience = patience
        self._weights = None if weigh is None else torch.from_numpy(weigh(self.domain.labels))
        self.best: dict[str, Tensor] = {}
        self.best_loss, self.best_step, self.waited = float("inf"), 0, 0

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.waited >= self.patience

    def loss(self, outputs: Callable[[Domain, str], Outputs]) -> float:
        """Mean cross-entropy of the validation set; where classes count alike in training, the mean of theirs.

        Args:
            outputs: what the networks say about a domain of a role.
        """
        logits = torch.from_numpy(outputs(self.domain, "source").logits)
        labels = torch.from_numpy(np.array(self.domain.labels))
        if self._weights is None:
            return float(F.cross_entropy(logits, labels))
        return float((self._weights * F.cross_entropy(logits, labels, reduction="none")).mean())

    def numbers(self, loss: float) -> dict[str, float]:
        """What a look found, to record."""
        return {"source_validation_loss": loss}

    def note(self, step: int, loss: float, improved: bool, tensors: Mapping[str, Tensor]) -> None:
        """Take a look's outcome into account; copies the weights if they are the best so far."""
        self.waited += 1
        if improved:
            self.best = {name: value.detach().clone() for name, value in tensors.items()}
            self.best_loss, self.best_step, self.waited = loss, step, 0

    def restore(self, nets: Mapping[str, nn.Module]) -> None:
        """Put the best weights back, if there was a look at all."""
        for name, net in nets.items():
            start = f"nets/{name}/"
            own = {key.removeprefix(start): value for key, value in self.best.items() if key.startswith(start)}
            if own:
                net.load_state_dict(own)

    def tensors(self) -> dict[str, Tensor]:
        """The best weights, by their names in a checkpoint."""
        return {f"best/{name}": value for name, value in self.best.items()}

    def state_dict(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        loss = self.best_loss if self.best else None
        return {"loss": loss, "step": self.best_step, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any], best: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict` and `tensors` gave."""
        self.best = dict(best)
        self.best_loss = float("inf") if state["loss"] is None else state["loss"]
        self.best_step, self.waited = state["step"], state["waited"]


class NumberValidation(Validation):
    """The same by the mean squared error, for a model that answers numbers."""

    def loss(self, outputs: Callable[[Domain, str], Outputs]) -> float:
        """In units of the validation set's variance."""
        answers, numbers = outputs(self.domain, "source").logits[:, 0], self.domain.answers
        return float(np.square(answers - numbers).mean() / (numbers.var() or 1.0))
