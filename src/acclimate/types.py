"""The plain objects that flow from data to methods to the trainer.

Shape letters used everywhere:

    n  examples in a data set          b  examples in a batch
    h, w, c  image height, width, channels
    d  features                        k  classes

Images travel as `(b, c, h, w)` float tensors, feature tables as `(b, d)`; labels as `(b,)` int64, where −1
means "unlabelled".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor


UNLABELLED = -1

Side = Literal["source", "target"]


def side_of(role: str) -> Side:
    """The side of a role: `"source_test"` is of the source, `"target"` and anything else of the target."""
    return "source" if role.startswith("source") else "target"


def other_side(side: Side) -> Side:
    """The side that a translation from `side` leads to."""
    return "target" if side == "source" else "source"


@dataclass(frozen=True, slots=True)
class Examples:
    """Inputs `x` of shape `(b, …)` with labels `y` of shape `(b,)`; −1 where there is no label.

    Of a source whose numbers are asked for, y are these, float64.

    `weights` `(b,)` say how much each example counts in the loss of its label, 1 on average over the labelled ones of
    its side; None where all count alike.
    """

    x: Tensor
    y: Tensor
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device) -> Examples:
        """The same on that device."""
        return Examples(
            self.x.to(device), self.y.to(device), None if self.weights is None else self.weights.to(device)
        )

    def at(self, rows: Tensor) -> Examples:
        """Those of the rows: indices, or a mask."""
        return Examples(self.x[rows], self.y[rows], None if self.weights is None else self.weights[rows])


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of adaptation may see. No field of any batch holds a hidden target label.

    Attributes:
        source: labelled source examples.
        target: target examples; their labels are −1 throughout.
        labelled_target: target examples whose labels the user gave (the label budget), if any.
        labelled_share: share of the target's training examples whose labels the user gave, in [0, 1].
        progress: how far training has come, in [0, 1).
    """

    source: Examples
    target: Examples
    progress: float
    labelled_target: Examples | None = None
    labelled_share: float = 0.0

    @property
    def labelled(self) -> tuple[Examples, ...]:
        """The labelled sets a supervised loss adds up: the source, then the labelled target if there is one."""
        return (self.source,) if self.labelled_target is None else (self.source, self.labelled_target)


@dataclass(frozen=True, slots=True)
class InterleavedBatch:
    """What one step may see where labelled target batches take turns with the others.

    Attributes:
        source: labelled source examples.
        target: target examples; their labels are −1 throughout.
        labelled_target: in every r-th step the examples of `target` again, with their labels; else None.
        labelled_share: as in `Batch`.
        progress: likewise.
    """

    source: Examples
    target: Examples
    progress: float
    labelled_target: Examples | None = None
    labelled_share: float = 0.0


@dataclass(frozen=True, slots=True)
class DisjointBatch:
    """What one step may see of two sides with features of their own.

    Attributes:
        source: labelled source examples.
        target: target examples for which no label was given; their labels are −1 throughout.
        labelled_target: target examples whose labels the user gave, none of them in `target`.
        progress: as in `Batch`.
    """

    source: Examples
    target: Examples
    labelled_target: Examples
    progress: float


@dataclass(frozen=True, slots=True)
class GalleryBatch:
    """What one step may see where queries of the source are to find items of the target.

    Attributes:
        queries: b labelled source examples.
        items: n labelled target examples; the first b are the queries' counterparts, in their order: the photo that a
            sketch was drawn from, or one of its class.
        counterparts: bool `(b, n)`: which items are the query's very own, as far as that is known.
        progress: as in `Batch`.
    """

    queries: Examples
    items: Examples
    counterparts: Tensor
    progress: float


@dataclass(frozen=True, slots=True)
class TargetBatch:
    """What one step may see where there is no source.

    Attributes:
        target: target examples; their labels are −1 throughout.
        progress: as in `Batch`.
    """

    target: Examples
    progress: float


@dataclass(frozen=True, slots=True)
class SeveralBatch:
    """What one step may see of several sources and a target.

    Attributes:
        sources: labelled examples of each source, in the sources' order, as many of each.
        target: target examples; their labels are −1 throughout.
        progress: as in `Batch`.
        labelled_target: likewise.
        labelled_share: likewise.
    """

    sources: tuple[Examples, ...]
    target: Examples
    progress: float
    labelled_target: Examples | None = None
    labelled_share: float = 0.0

    @property
    def labelled(self) -> tuple[Examples, ...]:
        """The labelled sets a supervised loss adds up: each source, then the labelled target if there is one."""
        return self.sources if self.labelled_target is None else (*self.sources, self.labelled_target)


@dataclass(frozen=True, slots=True)
class Update:
    """One optimisation step of a method: minimise `loss` over the networks named in `trains`.

    Attributes:
        loss: a scalar with a graph. The graph is spent once the update has been yielded.
        trains: names of the networks whose weights move; no other gradient is computed.
        logs: detached scalars to record, keyed by the paper's names for them.
    """

    loss: Tensor
    trains: tuple[str, ...]
    logs: Mapping[str, Tensor | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passes:
    """One ordered pass over each side's training data, for a method's closed-form conclusion.

    Each call starts a new pass; batches come in the stored order, without augmentation.
    """

    source: Callable[[], Iterator[Examples]]
    target: Callable[[], Iterator[Examples]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which words carried a model's answers to a batch of texts.

    Attributes:
        weights: `(b, n)` weight ≥ 0 of each word; those of a text sum to 1, or to 0 where no word counts. Padding
            has 0.
        contributions: `(b, n, k)` what each word adds to each logit: with what the model answers to no words at all
            they add up to the logits. None where logits are no sums over words.
    """

    weights: Tensor
    contributions: Tensor | None = None


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """Labels that a method gives the target's n training examples itself, in stored order.

    Attributes:
        labels: `(n,)` class indices.
        kept: `(n,)` bool: which of them the method trains on.
    """

    labels: np.ndarray
    kept: np.ndarray


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a fitted model says about a set of examples, as arrays.

    Attributes:
        logits: `(n, k)` float32 scores before the softmax; the method's final answer.
        features: `(n, d)` float32 features; `(n, 0)` where they were not asked for.
        heads: logits of single heads, by name, where a method has several.
    """

    logits: np.ndarray
    features: np.ndarray
    heads: Mapping[str, np.ndarray] = field(default_factory=dict)
