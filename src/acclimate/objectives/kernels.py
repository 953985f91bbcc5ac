"""Kernel distances between two sets of features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


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
    return _mmd(_gaussians(torch.cat([source, target]), factors), len(source))


def joint_mmd(
    features: tuple[Tensor, Tensor],
    predictions: tuple[Tensor, Tensor],
    factors: Sequence[float],
    bandwidth: float = 1.68,
) -> Tensor:
    """Squared MMD of features and predictions together, under the product of their kernels (biased V-statistic).

        JMMD² = mean k g(s, s′) + mean k g(t, t′) − 2 mean k g(s, t)
        k as in `multi_kernel_mmd` on features,    g(p, q) = exp(−‖p − q‖² / B) on predictions

    Source: Long, Zhu, Wang & Jordan, JAN, ICML 2017; B is that of the authors' code.

    Args:
        features: of source `(n_s, d)` and target `(n_t, d)`.
        predictions: class probabilities of both, `(n_s, k)` and `(n_t, k)`.
        factors: β_j of k.
        bandwidth: B > 0.

    Example:
        >>> same, apart = torch.zeros(4, 1), torch.ones(4, 1)
        >>> round(float(joint_mmd((same, apart), (same, same), [1.0])), 3)
        1.652
    """
    of_features = _gaussians(torch.cat(features), factors)
    of_predictions = torch.exp(-_squared_distances(torch.cat(predictions)) / bandwidth)
    return _mmd(of_features * of_predictions, len(features[0]))


def local_mmd(
    source: Tensor, target: Tensor, labels: Tensor, predictions: Tensor, factors: Sequence[float]
) -> Tensor:
    """Squared MMD class by class, averaged over the classes that both sides have.

        LMMD² = 1/|C| Σ_c ‖Σ_i w_i^c φ(s_i) − Σ_j v_j^c φ(t_j)‖²,   w^c = 1[y = c] / Σ,   v^c = p(c|t) / Σ

    C holds the classes that some source example has and that are some target example's first answer. φ is of the
    kernel of `multi_kernel_mmd`; the weights are constants. 0 where C is empty.

    Source: Zhu, Zhuang, Wang et al., DSAN, IEEE TNNLS 2020; C as in the authors' code.

    Args:
        source: `(n_s, d)`.
        target: `(n_t, d)`.
        labels: y `(n_s,)`.
        predictions: p `(n_t, k)`, rows of probabilities.
        factors: β_j of the kernel.

    Example:
        >>> s, t = torch.tensor([[0.0], [9.0]]), torch.tensor([[9.0], [0.0]])
        >>> y = torch.tensor([0, 1])
        >>> [round(float(local_mmd(s, t, y, torch.eye(2)[order], [1.0])), 3) for order in ([1, 0], [0, 1])]
        [0.0, 1.554]
    """
    k, p = predictions.shape[1], predictions.detach()
    given, answers = F.one_hot(labels, k).to(p), F.one_hot(p.argmax(dim=1), k).to(p)
    shared = ((given.sum(dim=0) > 0) & (answers.sum(dim=0) > 0)).to(p)
    weights = torch.cat([given / given.sum(dim=0).clamp(min=1), -p / p.sum(dim=0).clamp(min=1e-12)])  # (n_s + n_t, k)
    of_class = (weights * (_gaussians(torch.cat([source, target]), factors) @ weights)).sum(dim=0)
    return (of_class * shared).sum() / shared.sum().clamp(min=1)


def _squared_distances(points: Tensor) -> Tensor:
    squares = points.square().sum(dim=1)
    return (squares[:, None] + squares[None, :] - 2 * points @ points.T).clamp(min=0)


def _gaussians(pooled: Tensor, factors: Sequence[float]) -> Tensor:
    """The kernel k of `multi_kernel_mmd` between all pooled points, `(n, n)`."""
    distances = _squared_distances(pooled)
    n = len(pooled)
    bandwidth = distances.detach().sum() / max(n * n - n, 1)
    # Identical points everywhere: any bandwidth gives k = 1 and MMD = 0.
    bandwidth = torch.where(bandwidth > 0, bandwidth, torch.ones_like(bandwidth))
    return torch.stack([torch.exp(-distances / (f * bandwidth)) for f in factors]).mean(dim=0)


def _mmd(kernel: Tensor, s: int) -> Tensor:
    """Squared discrepancy of the first s points and the others, of the kernel `(n, n)` between all."""
    return kernel[:s, :s].mean() + kernel[s:, s:].mean() - 2 * kernel[:s, s:].mean()
