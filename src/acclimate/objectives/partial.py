"""Objectives where the target lacks some of the source's classes, and which ones is not known."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def partial_domain_loss(source_logits: Tensor, target_logits: Tensor, source_weights: Tensor) -> Tensor:
    """`adversarial.domain_loss` in which source examples count as much as their weights say.

        L_d = −[Σ_s w_s log(1 − σ(z_s)) + Σ_t log σ(z_t)] / (n_s + n_t)

    Source: Cao et al., "Partial Adversarial Domain Adaptation", ECCV 2018, equation 5.

    Args:
        source_logits: z_s of shape `(n_s, 1)` or `(n_s,)`.
        target_logits: z_t of shape `(n_t, 1)` or `(n_t,)`.
        source_weights: w_s ≥ 0, `(n_s,)`, 1 on average over the whole source.

    Example:
        >>> z = torch.zeros(2, 1)
        >>> round(float(partial_domain_loss(z, z, torch.tensor([0.0, 2.0]))), 4)
        0.6931
    """
    source, target = F.softplus(source_logits.flatten()), F.softplus(-target_logits.flatten())
    return ((source_weights * source).sum() + target.sum()) / (len(source) + len(target))


def weighted_domain_accuracy(source_logits: Tensor, target_logits: Tensor, source_weights: Tensor) -> Tensor:
    """`adversarial.domain_accuracy` in which source examples count as much as their weights say.

    Example:
        >>> z, w = torch.tensor([-1.0, 1.0]), torch.tensor([0.0, 1.0])
        >>> float(weighted_domain_accuracy(z, torch.tensor([1.0]), w))
        0.5
    """
    told = (source_weights * (source_logits.flatten() < 0)).sum() / source_weights.sum().clamp(min=1e-8)
    return (told + (target_logits > 0).float().mean()) / 2


def complement_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """How unevenly what is not given to an example's own class is spread over the others; least where it is even.

        L = Σ_i a_i [Σ_{c≠y_i} q_ic log q_ic] / (ln(k − 1) Σ_i a_i),
        q_ic = p_ic / (1 − p_iy_i),   a_i = w_i (1 − p_iy_i)

    The a_i are treated as constants: examples that are not learnt yet count for more. With two classes there is
    nothing to spread, and L = 0. Source: Liang et al., "A Balanced and Uncertainty-aware Approach for Partial Domain
    Adaptation", ECCV 2020, section 3.3.

    Args:
        logits: `(b, k)`.
        labels: y of shape `(b,)`.
        weights: w ≥ 0, `(b,)`.

    Returns:
        A scalar in [−1, 0].

    Example:
        >>> even = complement_entropy(torch.tensor([[2.0, 0, 0]]), torch.tensor([0]), torch.ones(1))
        >>> round(float(even), 4)
        -1.0
    """
    others = logits.shape[1] - 1
    if others < 2:
        return logits.sum() * 0
    own = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, labels[:, None], value=True)
    log_q = F.log_softmax(logits.float().masked_fill(own, -torch.inf), dim=1).masked_fill(own, 0.0)
    spread = (log_q.exp().masked_fill(own, 0.0) * log_q).sum(dim=1) / math.log(others)
    left = 1 - logits.detach().float().softmax(dim=1).gather(1, labels[:, None]).flatten()
    counted = weights * left
    return (counted * spread).sum() / counted.sum().clamp(min=1e-12)
