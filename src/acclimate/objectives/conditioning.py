"""Features and predictions as one vector: what a discriminator of their joint distribution sees."""

from __future__ import annotations

import math

from torch import Tensor


def multilinear(features: Tensor, predictions: Tensor) -> Tensor:
    """All products of a feature and a class probability: their cross-covariance, example by example.

        T(f, g) = f ⊗ g

    Source: Long, Cao, Wang & Jordan, NeurIPS 2018 (multilinear conditioning).

    Args:
        features: f `(b, d)`.
        predictions: g `(b, k)`.

    Returns:
        `(b, k d)`: the features once for each class, times its probability.

    Example:
        >>> multilinear(torch.tensor([[2.0, 3.0]]), torch.tensor([[0.0, 1.0]])).tolist()
        [[0.0, 0.0, 2.0, 3.0]]
    """
    return (predictions[:, :, None] * features[:, None, :]).flatten(1)


def randomised_multilinear(features: Tensor, predictions: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """The same in fewer dimensions: inner products of two such vectors are, on average, those of `multilinear`.

        T(f, g) = (R_f f) ⊙ (R_g g) / √m

    Source: Long, Cao, Wang & Jordan, NeurIPS 2018 (randomised multilinear conditioning).

    Args:
        features: f `(b, d)`.
        predictions: g `(b, k)`.
        one: R_f `(d, m)`, drawn once from a distribution of mean 0 and variance 1.
        other: R_g `(k, m)`, likewise.

    Returns:
        `(b, m)`.

    Example:
        >>> randomised_multilinear(torch.ones(1, 2), torch.ones(1, 1), torch.ones(2, 4), torch.ones(1, 4)).tolist()
        [[1.0, 1.0, 1.0, 1.0]]
    """
    products = (features @ one) * (predictions @ other)
    return products / math.sqrt(one.shape[1])
