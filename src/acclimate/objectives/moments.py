"""Matching the moments of two sets of features."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor


def mean_distance(source: Tensor, target: Tensor) -> Tensor:
    """Squared distance between the means of two distributions: the maximum mean discrepancy under a linear kernel.

        MMD² ≈ ‖s̄ − t̄‖² − tr Ĉ_s / n_s − tr Ĉ_t / n_t

    s̄ and t̄ are the means of the batches, Ĉ their unbiased covariances. The last two terms make the estimate unbiased,
    so it may be negative: the means of two small batches are apart even where the distributions are one. A single
    example has no spread that could be told, and is taken for its distribution's mean.

    Source: Tzeng, Hoffman, Zhang, Saenko & Darrell, 2014 (arXiv 1412.3474), equation 1, squared; the estimate is that
    of Gretton, Borgwardt, Rasch, Schölkopf & Smola, JMLR 2012, Lemma 6.

    Args:
        source: φ(s) `(n_s, d)`.
        target: φ(t) `(n_t, d)`.

    Example:
        >>> float(mean_distance(torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0]])))
        8.0
    """
    apart = (source.mean(dim=0) - target.mean(dim=0)).square().sum()
    return apart - _variance_of_mean(source) - _variance_of_mean(target)


def _variance_of_mean(features: Tensor) -> Tensor:
    """The trace of Ĉ / n."""
    n = len(features)
    return (features - features.mean(dim=0)).square().sum() / (n * max(n - 1, 1))


def covariance(features: Tensor) -> Tensor:
    """Unbiased covariance of `(n, d)` features: `(d, d)`.

    Example:
        >>> covariance(torch.tensor([[0.0, 0], [2, 2]])).tolist()
        [[2.0, 2.0], [2.0, 2.0]]
    """
    centred = features - features.mean(dim=0)
    return centred.T @ centred / (len(features) - 1)


def coral(source: Tensor, target: Tensor) -> Tensor:
    """Squared distance between feature covariances.

        L_CORAL = ‖C_s − C_t‖²_F / (4 d²)

    Source: Sun & Saenko, Deep CORAL, ECCV 2016 workshops, equation 1.

    Args:
        source: `(n_s, d)` with n_s ≥ 2.
        target: `(n_t, d)` with n_t ≥ 2.

    Example:
        >>> float(coral(torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [4.0]])))
        9.0
    """
    d = source.shape[1]
    return (covariance(source) - covariance(target)).square().sum() / (4 * d * d)


def norm_step(features: Tensor, step: float) -> Tensor:
    """How far features are from norms larger by a step: its gradient lengthens each, at the same rate.

        L = 1/b Σ_i (‖f_i‖ − (‖f_i‖ + Δr))²,    the second ‖f_i‖ being what it is now, a constant

    The value is Δr² whatever the features; only its gradient says something.

    Source: Xu, Li, Yang & Lin, ICCV 2019 (stepwise adaptive feature norm).

    Args:
        features: f `(b, d)`.
        step: Δr ≥ 0.

    Example:
        >>> f = torch.tensor([[3.0, 4.0]], requires_grad=True)
        >>> norm_step(f, 1.0).backward()
        >>> (f.grad * 10).round().tolist()
        [[-12.0, -16.0]]
    """
    norms = features.norm(dim=1)
    loss: Tensor = (norms - norms.detach() - step).square().mean()
    return loss


def spectral_penalty(features: Tensor, largest: int = 1) -> Tensor:
    """Sum of the largest squared singular values of a batch of features.

        L = Σ_{i ≤ m} σ_i²(F)

    They are the largest eigenvalues of F Fᵀ, or of Fᵀ F, whichever is smaller.

    Source: Chen, Wang, Long & Wang, ICML 2019, for one side.

    Args:
        features: F `(b, d)`.
        largest: m ≥ 1; all of them where there are fewer.

    Example:
        >>> round(float(spectral_penalty(torch.tensor([[3.0, 0.0], [0.0, 2.0]]))), 4)
        9.0
    """
    few = features if len(features) <= features.shape[1] else features.T
    squares: Tensor = torch.linalg.eigvalsh(few @ few.T)  # rising
    return squares[-largest:].sum()


def moment_distance(sources: Sequence[Tensor], target: Tensor, orders: int = 2) -> Tensor:
    """How far apart the moments of several sources and a target are, and those of the sources.

        MD = Σ_{k ≤ K} [1/m Σ_i ‖E(s_i^k) − E(t^k)‖ + 2/(m (m − 1)) Σ_{i<j} ‖E(s_i^k) − E(s_j^k)‖]

    Powers are taken of each coordinate. The second term is 0 for one source.

    Source: Peng, Bai, Xia, Huang, Saenko & Wang, ICCV 2019, equation 1.

    Args:
        sources: of each of m ≥ 1 sources, `(n_i, d)`.
        target: `(n_t, d)`.
        orders: K ≥ 1.

    Example:
        >>> near, far = torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [4.0]])
        >>> float(moment_distance([near, near], far, orders=1)), float(moment_distance([near, far], far, orders=1))
        (3.0, 4.5)
    """
    total = target.new_zeros(())
    for k in range(1, orders + 1):
        means, of_target = [source.pow(k).mean(dim=0) for source in sources], target.pow(k).mean(dim=0)
        total = total + torch.stack([torch.linalg.vector_norm(mean - of_target) for mean in means]).mean()
        between = [torch.linalg.vector_norm(one - two) for one, two in itertools.combinations(means, 2)]
        if between:
            total = total + torch.stack(between).mean()
    return total
