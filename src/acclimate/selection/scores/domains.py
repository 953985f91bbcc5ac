"""How far a model's features still tell the sides apart."""

from __future__ import annotations

import numpy as np

_FOLDS = 2


def discriminability(source: np.ndarray, target: np.ndarray, seed: int = 0) -> tuple[float, np.ndarray]:
    """Proxy A-distance of the features, 2 (1 − 2 ε), and the weights p_T(x) / p_S(x) of the source's examples.

    ε is the balanced error of a logistic regression that did not see the example; it gives the weights, too.

    Source: Ben-David, Blitzer, Crammer & Pereira, NIPS 2006, for the distance; Bickel, Brückner & Scheffer, ICML
    2007, for the weights.

    Args:
        source: features `(n, d)`, n ≥ 2.
        target: features `(m, d)`, m ≥ 2.
        seed: draws the halves.

    Returns:
            The distance, in [0, 2], and weights `(n,)`, of mean about 1.

    >>> rng = np.random.default_rng(0)
    >>> same, other = rng.normal(size=(200, 2)), rng.normal(size=(200, 2))
    >>> discriminability(same, other)[0] < 0.4 < 1.8 < discriminability(same, other + 5)[0]
    True
    """
    from sklearn.linear_model import LogisticRegression

    x = np.concatenate([source, target]).astype(np.float64)
    x = (x - x.mean(axis=0)) / max(float(x.std()), 1e-9)
    side = np.repeat([0, 1], [len(source), len(target)])
    rng, p = np.random.default_rng(seed), np.zeros(len(x))
    fold = np.concatenate([rng.permutation(n) % _FOLDS for n in (len(source), len(target))])
    for held in range(_FOLDS):
        model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=100, tol=1e-2)
        p[fold == held] = model.fit(x[fold != held], side[fold != held]).predict_proba(x[fold == held])[:, 1]
    wrong = (p > 0.5) != side
    error = (wrong[side == 0].mean() + wrong[side == 1].mean()) / 2
    weights = p[side == 0] / np.maximum(1 - p[side == 0], 1e-6)
    return float(max(2 * (1 - 2 * error), 0.0)), np.asarray(weights)
