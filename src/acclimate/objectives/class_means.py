"""Maps in closed form towards the means of classes, and the metric in which classes are round."""

from __future__ import annotations

import numpy as np


def ridge_map(x: np.ndarray, y: np.ndarray, start: np.ndarray, ridge: float) -> np.ndarray:
    """The linear map `(d, e)` that brings x to y without leaving another map for little.

        W = argmin  1/n Σ ‖x W − y‖² + λ ‖W − W₀‖² = (Xᵀ X / n + λ I)⁻¹ (Xᵀ Y / n + λ W₀)

    Source: Hoerl & Kennard, "Ridge Regression", Technometrics 1970, with a centre other than 0; to signatures of
    classes as in Romera-Paredes & Torr, ICML 2015.

    Args:
        x: `(n, d)`.
        y: what each row shall come to, `(n, e)`.
        start: W₀ `(d, e)`.
        ridge: λ > 0.

    Example:
        >>> ridge_map(np.array([[2.0]]), np.array([[4.0]]), np.eye(1), 4.0).tolist()
        [[1.5]]
    """
    n = len(x)
    return np.asarray(np.linalg.solve(x.T @ x / n + ridge * np.eye(x.shape[1]), x.T @ y / n + ridge * start))


def within_whitening(scatters: list[np.ndarray], shrinkage: float) -> np.ndarray:
    """The map `(d, d)` after which examples of one class lie alike far in every direction.

        T = S^−½,   S = (1 − γ) S_w + γ tr(S_w) / d · I,   S_w the mean of the sides' scatters

    Cosines after it are those of within-class covariance normalisation, which lets directions count little in which
    examples of one class differ.

    Source: Hatch, Kajarekar & Stolcke, "Within-Class Covariance Normalization", Interspeech 2006; shrinkage as in
    Ledoit & Wolf, 2004.

    Args:
        scatters: covariances within classes `(d, d)`, one of each side.
        shrinkage: γ in (0, 1].

    Example:
        >>> within_whitening([np.diag([4.0, 0.0])], 1.0).round(3).tolist()
        [[0.707, 0.0], [0.0, 0.707]]
    """
    within = sum(scatters[1:], scatters[0]) / len(scatters)
    d = len(within)
    shrunk = (1 - shrinkage) * within + shrinkage * np.trace(within) / d * np.eye(d)
    values, vectors = np.linalg.eigh(shrunk)
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def class_means(x: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """The mean `(k, d)` of each class; NaN where a class has no example."""
    means = np.full((k, x.shape[1]), np.nan)
    for c in np.unique(labels):
        means[c] = x[labels == c].mean(axis=0)
    return means


def within_scatter(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Covariance `(d, d)` of examples around the mean of their class, over all classes together."""
    apart = x - class_means(x, labels, int(labels.max()) + 1)[labels]
    return np.asarray(apart.T @ apart / len(x))
