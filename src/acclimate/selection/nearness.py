"""How near each of several sources is to a target, without a label of either."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from acclimate.data.domain import Domain
from acclimate.data.images import resize, to_channels
from acclimate.data.ragged import to_texts

# Examples of each domain that are looked at, and coordinates of each.
_EXAMPLES, _COORDINATES, _WORDS, _SIDE = 500, 50, 2**14, 16


def nearness(sources: Sequence[Domain], target: Domain, seed: int) -> tuple[float, ...]:
    """For which source's the target's examples would be taken, as shares that sum to 1.

        λ_i = 1/n Σ_j q(i | t_j),    q a logistic regression that tells the sources apart, all counting alike

    A source that the target resembles gets much, one that it does not gets little; sources that nothing tells apart
    get the same. These are the mixture weights of a target that is a mixture of the sources (Mansour, Mohri &
    Rostamizadeh, NIPS 2008), read from a classifier's odds instead of densities (Hoffman, Mohri & Zhang, NeurIPS
    2018). At most 500 examples of each domain are looked at, in the 50 directions in which these vary most.

    Args:
        sources: m ≥ 2, raw; labels are not looked at.
        target: the target, likewise.
        seed: draws the examples.

    Returns:
        m shares, in the order of the sources.
    """
    rng = np.random.default_rng([seed, 0x5042CE])
    parts = [_thinned(domain, rng) for domain in (*sources, target)]
    seen = _coordinates(parts, seed)
    *ours, theirs = np.split(seen, np.cumsum([len(part) for part in parts])[:-1])
    which = np.repeat(np.arange(len(ours)), [len(part) for part in ours])
    told = LogisticRegression(C=1.0, max_iter=1000, class_weight="balanced").fit(np.concatenate(ours), which)
    shares = told.predict_proba(theirs).mean(axis=0)
    return tuple(float(share) for share in shares / shares.sum())


def _thinned(domain: Domain, rng: np.random.Generator) -> Domain:
    return domain.take(np.sort(rng.permutation(len(domain))[:_EXAMPLES]))


def _coordinates(parts: Sequence[Domain], seed: int) -> np.ndarray:
    """All examples, one after the other, in the directions in which they vary most; the first has unit variance."""
    if parts[0].kind == "text":
        words = HashingVectorizer(n_features=_WORDS, alternate_sign=False)
        rows = words.transform([text for part in parts for text in to_texts(part.rows)])
        most = min(_COORDINATES, rows.shape[0] - 1)
        found = TruncatedSVD(most, random_state=seed).fit_transform(rows)
    else:
        flat = np.concatenate([_numbers(part) for part in parts]).astype(np.float64)
        flat = np.where(np.isnan(flat), np.nanmedian(flat, axis=0), flat)
        flat = (flat - flat.mean(axis=0)) / np.maximum(flat.std(axis=0), 1e-12)
        most = min(_COORDINATES, *flat.shape)
        found = PCA(most, random_state=seed).fit_transform(flat)
    return np.asarray(found / max(float(found.std(axis=0).max()), 1e-12))


def _numbers(part: Domain) -> np.ndarray:
    """Features as they are, pictures small and in colour, `(n, d)`."""
    if part.kind == "features":
        return part.array
    return resize(to_channels(part.array, 3), _SIDE).reshape(len(part), -1)
