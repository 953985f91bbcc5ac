"""Running fitted networks over a domain."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess, OneSide, Preprocess
from acclimate.methods.abilities import Decodes, HasHeads, Monitors
from acclimate.methods.base import Method
from acclimate.runs.options import TrainingOptions
from acclimate.streams.order import ordered
from acclimate.types import Outputs, Side, other_side

_BATCH = 128


def examples_at_once(options: TrainingOptions) -> int:
    """How many examples networks answer at once: where memory is short, no more than they are trained on."""
    return min(_BATCH, options.batch_size) if options.activations == "recompute" else _BATCH


@torch.no_grad()
def outputs(
    method: Method,
    nets: Mapping[str, nn.Module],
    domain: Domain,
    preprocess: OneSide,
    device: torch.device,
    *,
    side: Side = "target",
    keep_features: bool = True,
    at_once: int = _BATCH,
) -> Outputs:
    """Logits, features and single heads' logits of every example, in order, in float32 and eval mode.

    Args:
        method: says how networks combine.
        nets: the networks; left in eval mode.
        domain: already in the stored form (`preprocess.fit`).
        preprocess: the run's own for that side.
        device: where the networks are.
        side: which side's networks to use, where each has its own.
        keep_features: False leaves them out, as `(n, 0)`: those of a large network weigh more than the images.
        at_once: examples in a batch, or a few more.
    """
    for net in nets.values():
        net.eval()
    logits: list[Tensor] = []
    features: list[Tensor] = []
    heads: dict[str, list[Tensor]] = {}
    for examples in ordered(domain, preprocess, at_once, device):
        embedded = method.embed(nets, examples.x, side)
        features.append(embedded if keep_features else embedded.new_empty(len(embedded), 0))
        logits.append(method.answer(nets, examples.x, embedded, side))
        for name, scores in (method.heads(nets, embedded) if isinstance(method, HasHeads) else {}).items():
            heads.setdefault(name, []).append(scores)
    return Outputs(_array(logits), _array(features), {name: _array(parts) for name, parts in heads.items()})


@torch.no_grad()
def logits(
    method: Method,
    nets: Mapping[str, nn.Module],
    domain: Domain,
    preprocess: OneSide,
    device: torch.device,
    ends: np.ndarray,
) -> np.ndarray:
    """Logits `(n, k)` of target examples, and nothing else, in batches from each of these rows to the next."""
    for net in nets.values():
        net.eval()
    batches = ordered(domain, preprocess, len(domain), device, ends=ends)
    return _array([method.logits(nets, examples.x) for examples in batches])


@dataclass(frozen=True, eq=False)
class Explanations:
    """An `Explanation` of every text of a domain, as arrays without padding.

    Attributes:
        weights: of each text `(words,)`.
        contributions: of each text `(words, k)`; None where there are none.
    """

    weights: list[np.ndarray]
    contributions: list[np.ndarray] | None


@torch.no_grad()
def explanations(
    method: Method,
    nets: Mapping[str, nn.Module],
    domain: Domain,
    preprocess: OneSide,
    device: torch.device,
    *,
    side: Side = "target",
) -> Explanations | None:
    """Which words carried the answer to every text, in order; None if the model cannot tell. As for `outputs`."""
    for net in nets.values():
        net.eval()
    lengths = iter(domain.rows.lengths.tolist() if domain.kind == "text" else ())
    weights: list[np.ndarray] = []
    contributions: list[np.ndarray] = []
    for examples in ordered(domain, preprocess, _BATCH, device):
        found = method.explain(nets, examples.x, side)
        if found is None:
            return None
        ends = list(itertools.islice(lengths, len(examples)))
        weights += [row[:end].copy() for row, end in zip(_array([found.weights]), ends, strict=True)]
        if found.contributions is not None:
            parts = _array([found.contributions])
            contributions += [row[:end].copy() for row, end in zip(parts, ends, strict=True)]
    return Explanations(weights, contributions if len(contributions) == len(weights) else None)


@dataclass(frozen=True, eq=False)
class Translated:
    """Images of one side as a translator sees them, each uint8 `(n, h, w, c)`.

    Attributes:
        inputs: the images themselves, in the size that networks see.
        reconstructed: decoded to their own side.
        translated: decoded to the other side.
        returned: translated, read as an image of the other side, and decoded to their own.
    """

    inputs: np.ndarray
    reconstructed: np.ndarray
    translated: np.ndarray
    returned: np.ndarray


@torch.no_grad()
def translated(
    method: Decodes,
    nets: Mapping[str, nn.Module],
    domain: Domain,
    preprocess: AnyPreprocess,
    device: torch.device,
    *,
    side: Side,
) -> Translated:
    """What a method of translation makes of every image of a side, in order and in eval mode; as for `outputs`."""
    for net in nets.values():
        net.eval()
    other = other_side(side)
    of_side, of_other = _for_images(preprocess, side), _for_images(preprocess, other)
    parts: list[tuple[np.ndarray, ...]] = []
    for examples in ordered(domain, of_side, _BATCH, device):
        codes = method.embed(nets, examples.x, side)
        there = method.decode(nets, codes, other)
        back = method.decode(nets, method.embed(nets, there, other), side)
        own = (of_side.pixels(x) for x in (examples.x, method.decode(nets, codes, side)))
        parts.append((*own, of_other.pixels(there), of_side.pixels(back)))
    return Translated(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@torch.no_grad()
def codes(
    method: Method,
    nets: Mapping[str, nn.Module],
    domain: Domain,
    preprocess: OneSide,
    device: torch.device,
    *,
    side: Side,
    at_once: int = _BATCH,
) -> np.ndarray:
    """Features `(n, d)` of every example, in order, and nothing else; as for `outputs`."""
    for net in nets.values():
        net.eval()
    return _array([method.embed(nets, e.x, side) for e in ordered(domain, preprocess, at_once, device)])


@torch.no_grad()
def decoded(
    method: Decodes,
    nets: Mapping[str, nn.Module],
    codes: np.ndarray,
    preprocess: AnyPreprocess,
    device: torch.device,
    *,
    to: Side,
) -> np.ndarray:
    """Images uint8 `(n, h, w, c)` of the side `to` that have these codes `(n, d)`; eval mode."""
    for net in nets.values():
        net.eval()
    of_side = _for_images(preprocess, to)
    batches = (torch.from_numpy(codes[i : i + _BATCH]).to(device) for i in range(0, len(codes), _BATCH))
    return np.concatenate([of_side.pixels(method.decode(nets, part, to)) for part in batches])


@torch.no_grad()
def monitored(
    method: Monitors,
    nets: Mapping[str, nn.Module],
    domain: Domain,
    preprocess: OneSide,
    device: torch.device,
    *,
    side: Side,
) -> dict[str, float]:
    """The method's `monitor` losses, means over a domain, in eval mode."""
    for net in nets.values():
        net.eval()
    sums: dict[str, float] = {}
    for examples in ordered(domain, preprocess, _BATCH, device):
        for name, loss in method.monitor(nets, examples.x, side).items():
            sums[name] = sums.get(name, 0.0) + float(loss) * len(examples)
    return {name: total / len(domain) for name, total in sums.items()}


def _for_images(preprocess: AnyPreprocess, side: Side) -> Preprocess:
    found = preprocess.of(side)
    assert isinstance(found, Preprocess)
    return found


def _array(parts: list[Tensor]) -> np.ndarray:
    return torch.cat(parts).float().cpu().numpy()
