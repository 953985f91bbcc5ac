"""What every method has in common: facts about itself, networks by name, and how they answer.

A method is `Stepwise`, and yields one `Update` for each step of the paper, or a `ClosedForm`, and solves. The trainer
owns everything else: gradients, precision, devices, optimizers, schedules, logs, checkpoints. So a method holds no
state. It is a frozen record of its hyper-parameters, and its file reads like the paper.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.facts import Facts
from acclimate.networks.batch_norm import batch_norm_layers, estimate_statistics
from acclimate.networks.memory import MemoryNetwork, explanation, together
from acclimate.types import Batch, Examples, Explanation, Passes, Side

Networks = Mapping[str, nn.Module]


class Method(Facts, BaseModel, ABC):
    """Base of every method, through `Stepwise` or `ClosedForm`.

    A class states its `Facts`; what more a method can do is in `abilities`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def networks(self, architecture: Any, num_classes: int) -> dict[str, nn.Module]:
        """Build the networks by name; by default one feature extractor and one classifier.

        Args:
            architecture: what builds them; a method that needs another family than `Architecture` annotates it.
            num_classes: k, how many classes there are.
        """
        return {"features": architecture.features(), "classifier": architecture.classifier(num_classes)}

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """Features `(b, d)` of inputs: of the network `features`, or of a side's own, such as `source_features`."""
        name = "features" if "features" in nets else f"{side}_features"
        return nets[name](x)  # type: ignore[no-any-return]

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Final logits `(b, k)` of features."""
        return nets["classifier"](features)  # type: ignore[no-any-return]

    def logits(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """Final logits `(b, k)` of inputs of that side."""
        return self.answer(nets, x, self.embed(nets, x, side), side)

    def answer(self, nets: Networks, x: Tensor, features: Tensor, side: Side = "target") -> Tensor:
        """Final logits `(b, k)` of inputs whose features are known; by default these alone decide."""
        return self.classify(nets, features)

    def explain(self, nets: Networks, x: Tensor, side: Side = "target") -> Explanation | None:
        """Which words carried the answers to texts `(b, n)`; None if the model cannot tell.

        By default a memory network's attention, with each word's contribution to the logits where these are the
        linear function `nets["classifier"]` of its features.
        """
        features = nets.get("features")
        if not isinstance(features, MemoryNetwork):
            return None
        classifier, read = nets.get("classifier"), features(x)
        plain = classifier is not None and torch.equal(self.classify(nets, read), classifier(read))
        return explanation(features, classifier if plain else None, x)


def both_sides(batch: Batch) -> Tensor:
    """Source and target inputs as one batch, in this order.

    Batch norm then takes neither side for a whole: where their classes differ, sides that are each normalised by
    their own batch are moved apart.
    """
    source, target = batch.source.x, batch.target.x
    return torch.cat([source, target]) if source.is_floating_point() else together(source, target)


def take_target_statistics(method: Method, nets: Networks, passes: Passes) -> None:
    """Take batch-norm statistics, where there are any, from the target's training examples, in place.

    Where source and target pass through batch norm apart, each is normalised by its own batch while training, and
    running averages mix both. A model for the target should see it as it did in training.

    Args:
        method: says how networks combine.
        nets: its networks.
        passes: as `after_training` got them.
    """
    if batch_norm_layers(nets):
        estimate_statistics(nets, (method.logits(nets, examples.x) for examples in passes.target()))


def collected(
    embed: Callable[[Tensor], Tensor], batches: Callable[[], Iterator[Examples]]
) -> tuple[np.ndarray, np.ndarray]:
    """Features `(n, d)` in double precision and labels `(n,)` of one pass, for a conclusion in closed form."""
    with torch.no_grad():
        parts = [(embed(e.x).float().cpu().numpy(), e.y.cpu().numpy()) for e in batches()]
    features, labels = (np.concatenate(side) for side in zip(*parts, strict=True))
    return features.astype(np.float64), labels


def sample_weights(*batches: Callable[[], Iterator[Examples]]) -> np.ndarray | None:
    """How much each example of these passes counts, `(n,)`, for a fit in closed form; None where all count alike."""
    parts = [examples.weights for side in batches for examples in side()]
    given = [part.double().cpu().numpy() for part in parts if part is not None]
    return np.concatenate(given) if given else None


def of_rows(weights: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    """Those weights, if there are any."""
    return None if weights is None else weights[rows]


def class_loss(logits: Tensor, *labelled: Examples) -> Tensor:
    """Cross-entropy averaged over examples, each counting as much as its weight says.

    Args:
        logits: `(b, k)` of all the examples, in their order.
        labelled: with labels; of several sets, one after the other.
    """
    labels = torch.cat([examples.y for examples in labelled])
    weights = [examples.weights for examples in labelled if examples.weights is not None]
    if not weights:
        return F.cross_entropy(logits, labels)
    return (F.cross_entropy(logits, labels, reduction="none") * torch.cat(weights)).mean()


def label_loss(classify: Callable[[Tensor], Tensor], *labelled: Examples) -> Tensor:
    """Cross-entropy of labelled sets, each averaged over its own examples, added up; 0 if there are none.

    Args:
        classify: inputs to logits.
        labelled: usually `*batch.labelled`, or `*batch.labelled[1:]` where the source's logits are at hand.
    """
    losses = (class_loss(classify(examples.x), examples) for examples in labelled)
    return sum(losses, torch.zeros(()))
