"""What every method has in common: facts about itself, networks by name, and how they answer.

A method is `Stepwise`, and yields one `Update` for each step of the paper, or a `ClosedForm`, and solves. The trainer
owns everything else: gradients, precision, devices, optimizers, schedules, logs, checkpoints. So a method holds no
state. It is a frozen record of its hyper-parameters, and its file reads like the paper.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.networks.architecture import Architecture
from acclimate.networks.batch_norm import batch_norm_layers, estimate_statistics
from acclimate.networks.memory import MemoryNetwork, explanation
from acclimate.types import Examples, Explanation, Passes, PseudoLabels, Side

Networks = Mapping[str, nn.Module]


class Method(BaseModel, ABC):
    """Base of every method, through `Stepwise` or `ClosedForm`; state the facts below.

    Class facts, readable without importing torch:

    - `name`: what users type.
    - `also`: further names in Python, where `name` and the class's own differ in more than case and hyphens.
    - `title`: its name in the literature.
    - `paper`: authors, venue, year.
    - `recipe`: training options the paper states, by the names of `TrainingOptions`; users can override each.
    - `needs_target_labels`: True if it learns from target labels only (upper bounds).
    - `uses_target`: False if it never looks at the target.
    - `problem`: what is given and asked, by the name of a file in `problems`. `"heterogeneous"`: each side has
      features, preprocessing and networks of its own, and some target examples must be labelled (the label budget).
      `"translation"`: the method has `decode`. `"retrieval"`: `embed` maps both sides into one space, where cosine
      ranks; the target's training examples must be labelled.
    - `by_name`: True if it learns from columns that both sides have by name (`Projectors.shared`), and needs some.
    - `needs_few_labels`: False if its sides have features of their own, and it yet can do without any target label.
    - `interleaved`: True if labelled target batches take turns with unlabelled ones (`InterleavedBatch`).
    - `network`: name of the one architecture it is made for, such as a VAE's; None if any classifier's will do.
    - `nameless`: True if, without any target label, its answers group target examples but name no group.
    - `kinds`: the kinds of input it is made for, as `Domain.kind` has them.
    - `signs`: the signs that it reads as words; see `data.words.words`.
    - `weighs_classes`: False if it cannot let classes count otherwise than by their examples (`weights` of the
      training options): every other takes `class_loss` or `label_loss` for its losses of labels, or `sample_weights`.
    - `batch_statistics`: True if a loss is a statistic of a batch as a whole, not a mean over its examples; processes
      that share a batch then compute something else than one would.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    paper: ClassVar[str]
    recipe: ClassVar[Mapping[str, Any]] = {}
    needs_target_labels: ClassVar[bool] = False
    uses_target: ClassVar[bool] = True
    problem: ClassVar[str] = "adaptation"
    by_name: ClassVar[bool] = False
    needs_few_labels: ClassVar[bool] = True
    interleaved: ClassVar[bool] = False
    network: ClassVar[str | None] = None
    nameless: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ("images", "features", "text")
    signs: ClassVar[str] = "!"
    weighs_classes: ClassVar[bool] = True
    batch_statistics: ClassVar[bool] = False

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Build the networks by name; by default one feature extractor and one classifier."""
        return {"features": architecture.features(), "classifier": architecture.classifier(num_classes)}

    @property
    def interludes(self) -> tuple[float, ...]:
        """When `interlude` is called: shares of the training steps in (0, 1], rising; never by default."""
        return ()

    def interlude(self, nets: Networks, passes: Passes) -> None:
        """A closed-form step between two training steps, in eval mode, without gradients, in place; see `interludes`.

        It may draw no random number but from generators of its own.
        """

    def conclude(self, nets: Networks, passes: Passes) -> None:
        """A closed-form step after training, in place; nothing by default."""

    def pseudo_labels(self, nets: Networks, passes: Passes) -> PseudoLabels | None:
        """What its updates would make of a batch of everything; None, by default, where there are no pseudo-labels.

        For reports alone. Whether a pseudo-label is right only a hidden label tells, which no method may see, so the
        trainer asks at evaluation points, in eval mode and without gradients, and `metrics` does the counting.
        """
        return None

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

    def decode(self, nets: Networks, features: Tensor, to: Side) -> Tensor:
        """Inputs of the side `to` that have these features: `decode(embed(x, side), to)` translates x.

        Raises:
            NotImplementedError: unless its problem is translation.
        """
        raise NotImplementedError(f"{self.name} does not translate")

    def monitor(self, nets: Networks, x: Tensor, side: Side) -> dict[str, Tensor]:
        """Losses on inputs without labels, means over the batch, for curves of training against unseen data."""
        return {}

    def heads(self, nets: Networks, features: Tensor) -> dict[str, Tensor]:
        """Logits of single heads by name, where there are several; empty by default."""
        return {}

    def explain(self, nets: Networks, x: Tensor, side: Side = "target") -> Explanation | None:
        """Which words carried the answers to texts `(b, n)`; None if the model cannot tell.

        By default a memory network's attention, with each word's contribution to the logits where these are the
        linear function `nets["classifier"]` of its features.
        """
        features = nets.get("features")
        if not isinstance(features, MemoryNetwork):
            return None
        plain = type(self).classify is Method.classify  # else the answer need not be linear in the features
        return explanation(features, nets["classifier"] if plain else None, x)


def take_target_statistics(method: Method, nets: Networks, passes: Passes) -> None:
    """Take batch-norm statistics, where there are any, from the target's training examples, in place.

    Where source and target pass through batch norm apart, each is normalised by its own batch while training, and
    running averages mix both. A model for the target should see it as it did in training.

    Args:
        method: says how networks combine.
        nets: its networks.
        passes: as `conclude` got them.
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
