"""The two terms of a variational auto-encoder's loss, summed over numbers and averaged over examples."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Reconstruction = Literal["smooth-l1", "l1", "l2"]


def kl_to_standard_normal(mean: Tensor, deviation: Tensor) -> Tensor:
    """Divergence of N(μ, diag σ²) from N(0, I), averaged over the batch.

        KL = ½ Σ_j (μ_j² + σ_j² − ln σ_j² − 1) / b

    Source: Kingma & Welling, ICLR 2014, appendix B.

    Args:
        mean: μ of shape `(b, …)`.
        deviation: σ > 0 of the same shape.

    Example:
        >>> float(kl_to_standard_normal(torch.tensor([[1.0, 0.0]]), torch.ones(1, 2)))
        0.5
    """
    # A deviation that underflows to zero would cost infinitely much; the least normal number is dear enough.
    logarithm = deviation.clamp_min(torch.finfo(deviation.dtype).tiny).log()
    return 0.5 * (mean**2 + deviation**2 - 2 * logarithm - 1).sum() / len(mean)


def reconstruction_loss(reconstructed: Tensor, inputs: Tensor, kind: Reconstruction = "smooth-l1") -> Tensor:
    """How far reconstructions are from their inputs, summed over pixels and averaged over the batch.

        Σ ℓ(x̂ − x) / b    with ℓ(e) = |e|, e², or smooth L1: ½ e² for |e| < 1, else |e| − ½

    Args:
        reconstructed: x̂ of shape `(b, …)`.
        inputs: x of the same shape.
        kind: which ℓ.
    """
    losses = {"smooth-l1": F.smooth_l1_loss, "l1": F.l1_loss, "l2": F.mse_loss}
    return losses[kind](reconstructed, inputs, reduction="sum") / len(inputs)


def sampled(mean: Tensor, deviation: Tensor) -> Tensor:
    """A draw from N(μ, diag σ²) that gradients pass through: z = μ + σ ε with ε ~ N(0, I).

    Source: Kingma & Welling, ICLR 2014, section 2.4.
    """
    return mean + deviation * torch.randn_like(mean)
