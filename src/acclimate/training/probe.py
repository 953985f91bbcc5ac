"""A look at the networks between two steps: what a few hundred examples of each side show, without target labels.

Nothing that is looked at changes: no weight, no running average, no random state.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.methods.abilities import AfterTraining, HasHeads
from acclimate.methods.base import Method
from acclimate.networks.batch_norm import averaging_layers, batch_statistics, distance, watched
from acclimate.streams.order import ordered
from acclimate.types import UNLABELLED, Outputs, Side

_SAMPLE = 256
_LEAST = 16  # Fewer examples than this have no statistics worth the name.
_NOTHING = Outputs(np.empty((0, 1), np.float32), np.empty((0, 0), np.float32))


@dataclass(frozen=True, slots=True)
class Statistics:
    """How the batch-norm statistics in use fit the target.

    Attributes:
        layer: the layer where they fit worst.
        target: how far the target's activations lie from them there, in standard deviations (`batch_norm.distance`).
        source: the same for the source's.
        changed: share of the answers on the target that would be others with the target's own statistics.
        shares: how the answers would be spread over the k classes then.
    """

    layer: str
    target: float
    source: float
    changed: float
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Probed:
    """What was seen.

    Attributes:
        expected: `(k,)` how many labels of each class the source's sample holds; all 0 without a source.
        right: `(k,)` how many of these were found.
        target: `(k,)` how often each class was answered on the target's sample.
        disagreement: share of the target's sample on which the heads do not all answer alike; None without heads.
        told_apart: how often a linear classifier tells from the features which domain an unseen example is of, and
            how many examples it was tried on; None if that was not asked for.
        statistics: None without batch norm, or if not asked for.
    """

    expected: np.ndarray
    right: np.ndarray
    target: np.ndarray
    disagreement: float | None = None
    told_apart: tuple[float, int] | None = None
    statistics: Statistics | None = None


class Probe:
    """Looks at networks on a fixed sample of each side.

    Args:
        method: says how networks combine.
        nets: its networks.
        source: labelled source in stored form.
        target: the target likewise; its labels are not read.
        preprocess: turns stored arrays into input.
        device: where the networks are.
        at_once: examples that pass through them at once.
    """

    def __init__(
        self,
        method: Method,
        nets: Mapping[str, nn.Module],
        source: Domain,
        target: Domain,
        preprocess: AnyPreprocess,
        device: torch.device,
        at_once: int,
    ) -> None:
        self.method, self.nets, self.preprocess = method, nets, preprocess
        self.device, self._at_once = device, at_once
        self._ends_by_step = isinstance(method, AfterTraining)
        labelled = source.labels != UNLABELLED
        self.source = _sample(source if labelled.all() else source.take(labelled))
        self.target = _sample(target)

    @torch.no_grad()
    def __call__(self, *, apart: bool, final: bool) -> Probed | None:
        """Look once; the networks are left in eval mode.

        A method that ends with a step of its own, such as taking the target's batch-norm statistics, is looked
        at before it as the networks are while training: each side normalised by its own batch. Its running averages
        are not those it will answer with, and so are not judged.

        Args:
            apart: whether to try to tell the domains apart.
            final: whether that step is done.

        Returns:
            What was seen; None if an answer is not a finite number.
        """
        enough = min(len(self.source), len(self.target)) >= _LEAST
        for net in self.nets.values():
            net.eval()
        with _uncompiled():
            apart_by_side = enough and self._ends_by_step
            # What has been learnt shows on the source by its own statistics, whatever the method ends with.
            with batch_statistics(self.nets) if apart_by_side else nullcontext():
                source, from_source = self._seen("source") if len(self.source) else (_NOTHING, {})
            with batch_statistics(self.nets) if apart_by_side and not final else nullcontext():
                target, from_target = self._seen("target")
            if not (np.isfinite(source.logits).all() and np.isfinite(target.logits).all()):
                return None
            told_apart = self._told_apart() if apart and enough else None
            # A layer that one side alone passes through has averages of that side alone.
            shared = {name: value for name, value in from_target.items() if name in from_source}
            judged = enough and bool(shared) and not self._ends_by_step
            statistics = self._statistics(target, from_source, shared) if judged else None
        return Probed(
            np.bincount(self.source.labels, minlength=target.logits.shape[1]),
            _right(source, self.source.labels, target.logits.shape[1]),
            _answers(target),
            _disagreement(target),
            told_apart,
            statistics,
        )

    def _seen(self, side: Side) -> tuple[Outputs, dict[str, float]]:
        """The answers, and by layer how far what reached it lies from its running averages."""
        with watched(self.nets) as seen:
            outputs = self._outputs(side)
        layers = averaging_layers(self.nets)
        return outputs, {name: distance(layers[name], statistics) for name, statistics in seen.items()}

    def _outputs(self, side: Side) -> Outputs:
        """As `inference.outputs` for that side's sample, but in the modes that the layers are in."""
        method, parts = self.method, []
        domain = self.source if side == "source" else self.target
        for examples in ordered(domain, self.preprocess.of(side), self._at_once, self.device):
            features = method.embed(self.nets, examples.x, side)
            answers = method.answer(self.nets, examples.x, features, side)
            scores = {"": answers, **(method.heads(self.nets, features) if isinstance(method, HasHeads) else {})}
            parts.append([v.float().cpu().numpy() for v in (features, *scores.values())])
        features_, logits, *heads = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Outputs(logits, features_, {str(i): head for i, head in enumerate(heads)})

    def _statistics(
        self, target: Outputs, from_source: Mapping[str, float], from_target: Mapping[str, float]
    ) -> Statistics:
        with batch_statistics(self.nets):
            own = self._outputs("target")
        worst = max(from_target, key=lambda name: from_target[name])
        changed = float((own.logits.argmax(axis=1) != target.logits.argmax(axis=1)).mean())
        shares = tuple((_answers(own) / len(own.logits)).tolist())
        return Statistics(worst, from_target[worst], from_source[worst], changed, shares)

    def _told_apart(self) -> tuple[float, int]:
        # As in training, where each side is normalised by its own batch.
        with batch_statistics(self.nets):
            features = self._outputs("source").features, self._outputs("target").features
        return told_apart(*features)


def told_apart(source: np.ndarray, target: np.ndarray) -> tuple[float, int]:
    """How often ridge regression tells the domain of examples it was not fitted to.

    Fitted to every other example of equally many of each side, tried on the rest. The features are scaled to unit
    variance and the penalty is their number, so that any width is treated alike.

    Args:
        source: `(n, d)` features.
        target: `(m, d)` features.

    Returns:
        The share of examples told right, ½ by chance, and how many there were.
    """
    n = min(len(source), len(target))
    x = np.concatenate([source[:n], target[:n]]).astype(np.float64)
    y = np.repeat([-1.0, 1.0], n)
    fitted = np.tile(np.arange(n) % 2 == 0, 2)
    x = (x - x[fitted].mean(axis=0)) / (x[fitted].std(axis=0) + 1e-6)
    basis = x[fitted]
    dual = np.linalg.solve(basis @ basis.T + basis.shape[1] * np.eye(len(basis)), y[fitted])
    right = (x[~fitted] @ (basis.T @ dual) > 0) == (y[~fitted] > 0)
    return float(right.mean()), len(right)


def _sample(domain: Domain) -> Domain:
    """At most `_SAMPLE` examples, always the same ones; drawn, as data are often sorted by class."""
    if len(domain) <= _SAMPLE:
        return domain
    return domain.take(np.sort(np.random.default_rng(0).permutation(len(domain))[:_SAMPLE]))


def _answers(outputs: Outputs) -> np.ndarray:
    return np.bincount(outputs.logits.argmax(axis=1), minlength=outputs.logits.shape[1])


def _right(outputs: Outputs, labels: np.ndarray, k: int) -> np.ndarray:
    """How many examples of each class are answered by its number, `(k,)`."""
    return np.bincount(labels[outputs.logits.argmax(axis=1) == labels], minlength=k)


def _disagreement(outputs: Outputs) -> float | None:
    if len(outputs.heads) < 2:
        return None
    answers = np.stack([head.argmax(axis=1) for head in outputs.heads.values()])
    return float((answers != answers[0]).any(axis=0).mean())


def _uncompiled() -> AbstractContextManager[None]:
    """Hooks on layers would have compiled networks compiled anew."""
    if "torch._dynamo" not in sys.modules:  # nothing is compiled, and asking would load the compiler
        return nullcontext()
    stance = getattr(torch.compiler, "set_stance", None)  # since PyTorch 2.6
    return stance("force_eager") if stance else nullcontext()
