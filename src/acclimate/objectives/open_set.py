"""Objectives that part what the source knows from what it does not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from acclimate.types import Examples


def unknown_loss(logits: Tensor, threshold: float) -> Tensor:
    """Binary cross-entropy of the last class's probability with a fixed one.

        L = −(1/b) Σ_i [t log p_i + (1 − t) log(1 − p_i)],   p_i = softmax(z_i)_k

    Source: Saito et al., "Open Set Domain Adaptation by Backpropagation", ECCV 2018, equation 3.

    Args:
        logits: z of shape `(b, k)`.
        threshold: t in (0, 1).

    Returns:
        A scalar, least where p = t throughout.

    Example:
        >>> round(float(unknown_loss(torch.zeros(1, 2), 0.5)), 4)
        0.6931
    """
    odds = logits[:, -1] - logits[:, :-1].logsumexp(dim=1)  # p / (1 − p), as a logarithm
    return F.binary_cross_entropy_with_logits(odds, torch.full_like(odds, threshold))


def one_versus_all_loss(logits: Tensor, examples: Examples) -> Tensor:
    """How well an example's own class takes it in, and the other class that comes nearest leaves it out.

        L = (1/b) Σ_i ½ [−log σ(o_iy_i) + max_{j≠y_i} −log(1 − σ(o_ij))]

    An example of no class, which has the label k, is only to be left out. Source: Saito & Saenko, "OVANet", ICCV
    2021, equation 2.

    Args:
        logits: o of shape `(b, k)`, positive where an example is taken for one of the class.
        examples: their labels and weights.

    Example:
        >>> known = Examples(torch.zeros(1), torch.tensor([0]))
        >>> round(float(one_versus_all_loss(torch.zeros(1, 3), known)), 4)
        0.6931
    """
    own = F.one_hot(examples.y, logits.shape[1] + 1)[:, :-1].bool()
    taken = (F.softplus(-logits) * own).sum(dim=1)
    left = F.softplus(logits).masked_fill(own, 0).amax(dim=1)
    losses = (taken + left) / 2
    return (losses if examples.weights is None else losses * examples.weights).mean()


def one_versus_all_entropy(logits: Tensor) -> Tensor:
    """Mean entropy of k yes-or-no answers, in nats, in [0, ln 2].

    Source: Saito & Saenko, "OVANet", ICCV 2021, equation 3.

    Args:
        logits: `(b, k)`.

    Example:
        >>> round(float(one_versus_all_entropy(torch.zeros(2, 3))), 4)
        0.6931
    """
    p = logits.sigmoid()
    return (p * F.softplus(-logits) + (1 - p) * F.softplus(logits)).mean()
