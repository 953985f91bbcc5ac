"""How answers and features lie to one another."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from acclimate.selection.scores.confidence import probabilities


def neighbourhood_density(target: np.ndarray, temperature: float = 0.05) -> float:
    """SND, the mean entropy of soft neighbourhoods of the answers, in nats: dense neighbourhoods are to be good ones.

        mean_i H(softmax_j≠i(cos(p_i, p_j) / τ))

    A model that answers one class everywhere gets the highest score of all, log(m − 1).

    Source: Saito, Kim, Teterwak, Sclaroff, Darrell & Saenko, "Tune it the Right Way", ICCV 2021.

    Args:
        target: logits `(m, k)`, m ≥ 2.
        temperature: τ.

    >>> round(neighbourhood_density(np.zeros((11, 3))), 4)  # log 10
    2.3026
    """
    p = probabilities(target)
    p /= np.linalg.norm(p, axis=1, keepdims=True)
    near = p @ p.T / temperature
    np.fill_diagonal(near, -np.inf)
    log_near = near - logsumexp(near, axis=1, keepdims=True)
    return float(-(np.exp(log_near) * np.where(np.isfinite(log_near), log_near, 0)).sum(axis=1).mean())


def class_correlation(target: np.ndarray) -> float:
    """Corr-C, how close answers are to sure and evenly spread ones: cos(Pᵀ P, I), in (0, 1].

    Source: Tu, Deng, Gedeon & Zheng, "Assessing Model Out-of-distribution Generalization with Softmax Prediction
    Probability Baselines and A Correlation Method", 2023.

    Args:
        target: logits `(m, k)`.

    >>> round(class_correlation(100 * np.eye(4)), 6), round(class_correlation(np.zeros((9, 4))), 6)
    (1.0, 0.5)
    """
    p = probabilities(target)
    c = p.T @ p
    return float(np.trace(c) / (np.linalg.norm(c) * np.sqrt(len(c))))


def cluster_information(features: np.ndarray, answers: np.ndarray, num_classes: int, seed: int = 0) -> float:
    """ClassAMI, how far answers follow the clusters of the target's features: adjusted mutual information, at most 1.

    Clusters are k-means' on features of unit length.

    Source: Musgrave, Belongie & Lim, "Three New Validators and a Large-Scale Benchmark Ranking for Unsupervised
    Domain Adaptation", 2022; Vinh, Epps & Bailey, JMLR 2010.

    Args:
        features: `(m, d)` of the target.
        answers: `(m,)` classes.
        num_classes: k, how many clusters there are to be.
        seed: of k-means.

    >>> features = np.array([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]])
    >>> round(cluster_information(features, np.array([0, 0, 1, 1]), 2), 6)
    1.0
    """
    return shared_information(clusters(features, num_classes, seed), answers)


def clusters(features: np.ndarray, k: int, seed: int = 0) -> np.ndarray:
    """`(m,)` the cluster of each example, by k-means on features `(m, d)` of unit length."""
    from sklearn.cluster import KMeans

    x = _unit(features)
    different = len(np.unique(x, axis=0))
    return np.asarray(KMeans(min(k, different), n_init=3, random_state=seed).fit_predict(x))


def shared_information(one: np.ndarray, two: np.ndarray) -> float:
    """Adjusted mutual information of two partitions `(m,)` of the same examples: 1 for the same, about 0 by chance.

    Source: Vinh, Epps & Bailey, JMLR 2010.

    >>> round(shared_information(np.array([0, 0, 1, 1]), np.array([5, 5, 2, 2])), 6)
    1.0
    """
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(one, two))


def silhouette(features: np.ndarray, answers: np.ndarray) -> float:
    """How much closer target features are to their own class's than to the next one's: mean (b − a) / max(a, b).

    Source: Rousseeuw, "Silhouettes", Journal of Computational and Applied Mathematics 1987.

    Args:
        features: `(m, d)` of the target, taken at unit length.
        answers: `(m,)` classes.

    Returns:
        In [−1, 1]; NaN where all or none are answered alike.

    >>> features = np.array([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]])
    >>> silhouette(features, np.array([0, 0, 1, 1])) > 0.8
    True
    """
    return float(silhouettes(features, answers).mean()) if _parted(answers) else float("nan")


def silhouettes(features: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """The silhouette `(m,)` of each example, whose mean is `silhouette`; −1 where all or none are answered alike.

    >>> silhouettes(np.array([[1.0, 0], [1, 0.1], [0, 1]]), np.array([3, 3, 3]))
    array([-1., -1., -1.])
    """
    from sklearn.metrics import silhouette_samples

    if not _parted(answers):
        return np.full(len(answers), -1.0)
    return np.asarray(silhouette_samples(_unit(features), answers))


def tighter(own: np.ndarray, other: np.ndarray, most: int = 400) -> float:
    """By how many standard errors silhouettes lie above others of the same examples, on average.

        t = mean(d) √min(m, most) / std(d),    d = own − other

    A paired test, but that no more examples count than `most`: with many, what is next to nothing would be
    significant.

    Args:
        own: silhouettes `(m,)` under some answers.
        other: under others, in the same features.
        most: examples that count.

    Returns:
        t; 0 where nothing differs.

    >>> round(tighter(np.array([0.3, 0.5, 0.4, 0.4]), np.array([0.2, 0.3, 0.4, 0.3])), 2)
    2.83
    """
    d = own - other
    spread = float(d.std())
    if not d.any():
        return 0.0
    return float(d.mean() * np.sqrt(min(len(d), most)) / max(spread, 1e-12))


def compact(features: np.ndarray, width: int = 128) -> np.ndarray:
    """Features `(m, d)` as `(m, min(d, width))` in half precision: of unit length, along their principal directions.

    Of the largest eigenvalues of X Xᵀ or Xᵀ X, whichever is smaller; nothing is centred, so that clusters and
    distances stay as they are but for what lies in other directions.

    >>> compact(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float16)
    """
    m, d = features.shape
    if d <= width:
        x = _unit(features)
    elif d <= m:
        x = _unit(features)
        x = x @ np.linalg.eigh(x.T @ x)[1]
    else:  # counts of words: never a second copy of them
        products = np.asarray(features @ features.T, dtype=np.float64)
        lengths = np.maximum(np.sqrt(np.maximum(np.diag(products), 0)), 1e-12)
        values, vectors = np.linalg.eigh(products / np.outer(lengths, lengths))
        x = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray((x if d <= width else x[:, ::-1][:, :width]).astype(np.float16))


def _parted(answers: np.ndarray) -> bool:
    return 1 < len(np.unique(answers)) < len(answers)


def _unit(features: np.ndarray) -> np.ndarray:
    x = np.asarray(features, dtype=np.float64)
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))
