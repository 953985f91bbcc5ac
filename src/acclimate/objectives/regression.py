"""Aligning features for regression, without touching their scale."""

from __future__ import annotations

import torch
from torch import Tensor

_TINY = 1e-6


def subspace_distance(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """How far apart two batches of features span subspaces, and how mismatched their bases are (RSD, BMP).

        F_sᵀ = U_s Σ_s V_sᵀ,   F_tᵀ = U_t Σ_t V_tᵀ,   U_sᵀ U_t = P_s cos(θ) P_tᵀ
        RSD = ‖sin θ‖₁,   BMP = ‖|P_s| − |P_t|‖_F

    θ are the principal angles. Both are 0 where they say nothing: of b ≥ d examples, which span everything, and of
    examples that depend on each other; and the mismatch where 2 b > d.

    Source: Chen, Wang, Wang & Long, "Representation Subspace Distance for Domain Adaptation Regression", ICML 2021,
    equations 4 to 8; the bases as the authors' code has them.

    Args:
        source: F_s `(b, d)`.
        target: F_t `(b, d)`.

    Example:
        >>> e = torch.eye(3)
        >>> [round(float(v), 2) for v in subspace_distance(e[:1], e[1:2])]
        [1.0, 0.0]
    """
    nothing = (source.sum() + target.sum()) * 0
    n, d = source.shape
    sides = [side.T.double() for side in (source, target)]
    if n >= d or any(_deficient(side) for side in sides):
        return nothing, nothing
    one, other = (torch.linalg.svd(side, full_matrices=False)[0] for side in sides)
    p_s, cosines, p_t = torch.linalg.svd(one.T @ other)
    distance = (1 - cosines.square()).clamp(min=_TINY**2).sqrt().sum().float()
    if 2 * n > d:  # both subspaces have directions in common, among which any basis will do
        return distance, nothing
    return distance, torch.linalg.norm(p_s.abs() - p_t.mT.abs()).float()


@torch.no_grad()
def _deficient(side: Tensor) -> bool:
    """Whether columns `(d, b)` depend on each other, as copies do: what they span has then no derivative."""
    values = torch.linalg.svdvals(side)
    return bool(values[-1] <= _TINY * values[0])


def inverse_gram(source: Tensor, target: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """How differently features of two batches would solve least squares (DARE-GRAM): in angle, and in scale.

        G = ZᵀZ with Z = [1, F],   G⁺ its pseudo-inverse by the k largest eigenvalues λ
        angle = 1/(d + 1) Σ_i |1 − cos(G⁺_s,i , G⁺_t,i)|,   scale = 1/k ‖λ_s,1…k − λ_t,1…k‖₂

    G⁺_i is a column. k is the larger number, of the two sides, of eigenvalues whose sum is at most a share of all.

    Source: Nejjar, Wang & Fink, "DARE-GRAM: Unsupervised Domain Adaptation Regression by Aligning Inversed Gram
    Matrices", CVPR 2023, equations 4 to 8, with k as the authors' code counts it.

    Args:
        source: F_s `(b, d)`.
        target: F_t `(b, d)`.
        share: T in (0, 1].

    Example:
        >>> f = torch.tensor([[1.0], [2.0]])
        >>> [round(float(v), 4) for v in inverse_gram(f, f, 0.9)]
        [0.0, 0.0]
    """
    found = [torch.linalg.svd(_with_ones(side), full_matrices=False) for side in (source, target)]
    values = [singular.square() for _, singular, _ in found]
    k = max(_kept(own.detach(), share) for own in values)
    one, other = (v[:k].mT @ (v[:k] / own[:k, None]) for (_, _, v), own in zip(found, values, strict=True))
    cosines = torch.cosine_similarity(one, other, dim=0, eps=_TINY)
    scale = torch.linalg.norm(values[0][:k] - values[1][:k]) / k
    return (1 - cosines).abs().mean().float(), scale.float()


def _with_ones(features: Tensor) -> Tensor:
    return torch.cat([features.new_ones(len(features), 1), features], dim=1).double()


def _kept(values: Tensor, share: float) -> int:
    """The place of the last eigenvalue up to which they sum to no more than a share, counted from 0; at least 1.

    Where two sum to more already, the share is what these two sum to.
    """
    sums = values.cumsum(dim=0) / values.sum()
    bound = max(float(sums[1]), share)
    return max(1, int((sums <= bound).sum()) - 1)
