"""Adversarial domain confusion: gradient reversal and the domain discriminator's loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return grad_outputs[0].neg().mul_(ctx.weight), None


def reverse_gradient(x: Tensor, weight: float = 1.0) -> Tensor:
    """Gradient reversal layer: the identity forwards, multiplication by −λ backwards.

        R(x) = x,    dR/dx = −λ I

    Source: Ganin & Lempitsky, ICML 2015, equations 7 and 8.

    Args:
        x: any tensor.
        weight: λ ≥ 0.
    """
    return _ReverseGradient.apply(x, weight)  # type: ignore[no-any-return, no-untyped-call]


def domain_loss(source_logits: Tensor, target_logits: Tensor) -> Tensor:
    """Binary cross-entropy of a discriminator that should say 0 for source and 1 for target.

        L_d = −[Σ_s log(1 − σ(z_s)) + Σ_t log σ(z_t)] / (n_s + n_t)

    Source: Ganin & Lempitsky, ICML 2015, section 3.1 (binomial cross-entropy).

    Args:
        source_logits: z_s of shape `(n_s, 1)` or `(n_s,)`.
        target_logits: z_t of shape `(n_t, 1)` or `(n_t,)`.

    Example:
        >>> round(float(domain_loss(torch.zeros(2, 1), torch.zeros(2, 1))), 4)
        0.6931
    """
    logits = torch.cat([source_logits.flatten(), target_logits.flatten()])
    domains = torch.zeros_like(logits)
    domains[source_logits.numel() :] = 1
    return F.binary_cross_entropy_with_logits(logits, domains)


def weighted_domain_loss(
    source_logits: Tensor, target_logits: Tensor, source_weights: Tensor, target_weights: Tensor
) -> Tensor:
    """The same where examples count differently: a weighted mean on either side, and the mean of both.

        L_d = −½ [Σ_s w_s log(1 − σ(z_s)) / Σ_s w_s + Σ_t w_t log σ(z_t) / Σ_t w_t]

    Source: Long, Cao, Wang & Jordan, NeurIPS 2018 (CDAN+E), scaled on each side as in the authors' code.

    Args:
        source_logits: z_s of shape `(n_s, 1)` or `(n_s,)`.
        target_logits: z_t of shape `(n_t, 1)` or `(n_t,)`.
        source_weights: w_s `(n_s,)`, 0 or more, not all of them 0.
        target_weights: w_t `(n_t,)`, likewise.

    Example:
        >>> source, target = torch.tensor([[-99.0], [0.0]]), torch.tensor([[99.0]])
        >>> round(float(weighted_domain_loss(source, target, torch.tensor([1.0, 0.0]), torch.ones(1))), 4)
        0.0
    """
    source = (source_weights * F.softplus(source_logits.flatten())).sum() / source_weights.sum()
    target = (target_weights * F.softplus(-target_logits.flatten())).sum() / target_weights.sum()
    return (source + target) / 2


def domain_accuracy(source_logits: Tensor, target_logits: Tensor) -> Tensor:
    """Share of examples whose domain the discriminator tells, averaged over both sides; ½ is chance.

    Args:
        source_logits: as in `domain_loss`.
        target_logits: likewise.

    Example:
        >>> float(domain_accuracy(torch.tensor([[-2.0]]), torch.tensor([[1.0], [-1.0]])))
        0.75
    """
    return ((source_logits < 0).float().mean() + (target_logits > 0).float().mean()) / 2
