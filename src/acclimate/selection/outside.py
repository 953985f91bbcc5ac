"""Target examples that lie where no source example does: other classes, or looks that the source lacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.neighbors import NearestNeighbors

_NEIGHBOURS, _LEVEL = 5, 0.99


@dataclass(frozen=True, eq=False)
class Outside:
    """How many target examples lie farther from the source than nearly all of its own.

    Attributes:
        share: of target examples beyond the distance that 99 % of held-out source examples stay within.
        p: that no more than that 1 % are, by Fisher's exact test, in (0, 1].
        source: bool `(n,)` which source examples lie beyond it; those that were measured from are not.
        target: bool `(m,)` which target examples do.
        distances: `(m,)` of the target's examples, in units of that distance.
    """

    share: float
    p: float
    source: np.ndarray
    target: np.ndarray
    distances: np.ndarray


def outside(source: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> Outside:
    """Mean distance to the five nearest examples of one half of the source, for its other half and for the target.

    Source: Ramaswamy, Rastogi & Shim, "Efficient Algorithms for Mining Outliers from Large Data Sets", SIGMOD 2000.

    Args:
        source: finite features `(n, d)`, n ≥ 12.
        target: finite features `(m, d)`.
        rng: halves the source.
    """
    order = rng.permutation(len(source))
    measured, held = order[: len(order) // 2], order[len(order) // 2 :]
    near = NearestNeighbors(n_neighbors=_NEIGHBOURS, algorithm="brute").fit(source[measured])
    own, other = (near.kneighbors(x)[0].mean(axis=1) for x in (source[held], target))
    limit = max(float(np.quantile(own, _LEVEL, method="higher")), 1e-12)
    far, beyond = own > limit, other > limit
    counts = [[beyond.sum(), (~beyond).sum()], [far.sum(), (~far).sum()]]
    p = float(stats.fisher_exact(counts, alternative="greater").pvalue)
    where = np.zeros(len(source), dtype=bool)
    where[held] = far
    return Outside(float(beyond.mean()), p, where, beyond, other / limit)
