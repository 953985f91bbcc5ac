"""What methods of partial adaptation have in common: classes count as much as the target's answers name them."""

from __future__ import annotations

import torch

from acclimate.methods.base import Method, Networks
from acclimate.networks.class_weights import ClassWeights
from acclimate.types import Passes


def evenly(rounds: int) -> tuple[float, ...]:
    """So many moments between steps, evenly spaced, the first before the first step."""
    return tuple(i / rounds for i in range(rounds))


def weigh_classes(method: Method, nets: Networks, passes: Passes) -> None:
    """Let classes count as much as the answers on the whole target give them: γ = (1/n) Σ_i p_i.

    Source: Cao et al., "Partial Adversarial Domain Adaptation", ECCV 2018, equation 4.

    Args:
        method: says how networks combine.
        nets: its networks, with `class_weights`.
        passes: as `between_steps` got them.
    """
    weights = class_weights(nets)
    if not weights.counts.any():
        labels = torch.cat([examples.y for examples in passes.source()])
        weights.counts.copy_(torch.bincount(labels, minlength=len(weights.counts)))
    answers = [method.logits(nets, examples.x).float().softmax(dim=1) for examples in passes.target()]
    weights.set(torch.cat(answers).mean(dim=0))


def class_weights(nets: Networks) -> ClassWeights:
    """The weights among the networks."""
    found = nets["class_weights"]
    assert isinstance(found, ClassWeights)
    return found
