"""Features as points on paper: t-SNE, and a number for how well the domains mix that needs no eyes."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

_DIMENSIONS = 50
_PERPLEXITY = 30
_NEIGHBOURS = 10
_FEWEST = 8
# Half of scikit-learn's 1,000: the second half took as long and kept no more of an example's ten nearest neighbours
# (48.9 and 48.6 % of 1,000 reviews, 66.0 and 65.8 % of 860 digits).
_STEPS = 500


def can_embed(features: np.ndarray) -> bool:
    """Whether a picture is worth drawing: enough finite examples, and not all the same."""
    return len(features) >= _FEWEST and bool(np.isfinite(features).all()) and bool(np.ptp(features, axis=0).any())


def tsne(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Two-dimensional t-SNE, begun from the first two principal components, so equal input gives equal pictures.

    Features are first reduced to at most 50 principal components. The perplexity is 30, or less where there are
    few examples; 500 steps are made.

    Source: van der Maaten & Hinton, "Visualizing data using t-SNE", JMLR 2008.

    Args:
        features: `(n, d)` for which `can_embed` holds.
        seed: fixes what is random.

    Returns:
        Points `(n, 2)`.
    """
    n = len(features)
    reduced = PCA(min(_DIMENSIONS, *features.shape), random_state=seed).fit_transform(features)
    if reduced.shape[1] == 1:
        reduced = np.hstack([reduced, np.zeros_like(reduced)])
    perplexity = min(_PERPLEXITY, (n - 1) / 3)
    # For so few points several threads only wait for each other, the more so on a busy machine: 30 s instead of 3.
    with threadpool_limits(1):
        return np.asarray(
            TSNE(init="pca", perplexity=perplexity, max_iter=_STEPS, random_state=seed).fit_transform(reduced)
        )


def mixing(features: np.ndarray, is_target: np.ndarray) -> tuple[float, float]:
    """Share of source examples among the ten nearest neighbours of a target example, and what full mixing would give.

    Args:
        features: `(n, d)`.
        is_target: `(n,)` bool, with both values present.

    Returns:
        The share, 0 if the domains lie apart; and its value if a neighbour's domain were a matter of chance.
    """
    k = min(_NEIGHBOURS, len(features) - 1)
    neighbours = NearestNeighbors(n_neighbors=k).fit(features).kneighbors(return_distance=False)[is_target]
    return float((~is_target)[neighbours].mean()), float((~is_target).sum() / (len(features) - 1))
