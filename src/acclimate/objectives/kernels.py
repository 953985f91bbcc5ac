"""Kernel distances between two sets of features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def multi_kernel_mmd(source: Tensor, target: Tensor, factors: Sequence[float]) -> Tensor:
    """Squared maximum mean discrepancy under a mean of Gaussian kernels (biased V-statistic, never negative).

        MMD² = mean k(s, s′) + mean k(t, t′) − 2 mean k(s, t)
        k(x, y) = 1/m Σ_j exp(−‖x − y‖² / (β_j γ)),    γ = mean ‖x − y‖² over distinct pairs of the pooled batch

    γ is treated as a constant. Source: Long et al., DAN, ICML 2015 (equation 1 and the Gaussian family of
    section 4); the bandwidth around the mean pairwise distance follows Gretton et al., NIPS 2012.

    Args:
        source: `(n_s, d)`.
        target: `(n_t, d)`.
        factors: β_j > 0, one for each kernel.

    Example:
        >>> round(float(multi_kernel_mmd(torch.zeros(4, 1), torch.ones(4, 1), [1.0])), 3)
        1.652
    """
    pooled = torch.cat([source, target])
    squares = pooled.square().sum(dim=1)
    distances = (squares[:, None] + squares[None, :] - 2 * pooled @ pooled.T).clamp(min=0)
    n = len(pooled)
    bandwidth = distances.detach().sum() / max(n * n - n, 1)
    # Identical points everywhere: any bandwidth gives k = 1 and MMD = 0.
    bandwidth = torch.where(bandwidth > 0, bandwidth, torch.ones_like(bandwidth))
    kernel = torch.stack([torch.exp(-distances / (f * bandwidth)) for f in factors]).mean(dim=0)
    s = len(source)
    return kernel[:s, :s].mean() + kernel[s:, s:].mean() - 2 * kernel[:s, s:].mean()
