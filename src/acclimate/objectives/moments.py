"""Matching the moments of two sets of features."""

from __future__ import annotations

from torch import Tensor


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
