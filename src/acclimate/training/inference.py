"""Running fitted networks over a domain."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from acclimate.data.domain import Domain
from acclimate.data.preprocess import OneSide
from acclimate.data.streams import ordered
from acclimate.methods.base import Method
from acclimate.types import Outputs, Side

_BATCH = 128


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
    """
    for net in nets.values():
        net.eval()
    logits: list[Tensor] = []
    features: list[Tensor] = []
    heads: dict[str, list[Tensor]] = {}
    for examples in ordered(domain, preprocess, _BATCH, device):
        embedded = method.embed(nets, examples.x, side)
        features.append(embedded if keep_features else embedded.new_empty(len(embedded), 0))
        logits.append(method.answer(nets, examples.x, embedded, side))
        for name, scores in method.heads(nets, embedded).items():
            heads.setdefault(name, []).append(scores)
    return Outputs(_array(logits), _array(features), {name: _array(parts) for name, parts in heads.items()})


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


def _array(parts: list[Tensor]) -> np.ndarray:
    return torch.cat(parts).float().cpu().numpy()
