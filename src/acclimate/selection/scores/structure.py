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
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_mutual_info_score

    x = _unit(features)
    different = len(np.unique(x, axis=0))
    clusters = KMeans(min(num_classes, different), n_init=3, random_state=seed).fit_predict(x)
    return float(adjusted_mutual_info_score(answers, clusters))


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
    from sklearn.metrics import silhouette_score

    if not 1 < len(np.unique(answers)) < len(answers):
        return float("nan")
    return float(silhouette_score(_unit(features), answers))


def _unit(features: np.ndarray) -> np.ndarray:
    x = np.asarray(features, dtype=np.float64)
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))
