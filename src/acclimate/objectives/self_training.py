"""A model's own answers as labels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def own_answers(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels for all examples, those without one by the model's own answers, and how much each counts.

        w_i = 1 for a given label, otherwise ρ_c (p_i(c) − max_{k ≠ c} p_i(k)),   c = argmax_k p_i(k)
        ρ_c such that Σ w_i over own answers c has the share among own answers that c has among the given labels

    An answer that could as well have been another counts nothing. Shares are those of the given labels, as a model
    that takes its own answers' shares for the truth drifts towards whatever it says too often; a class without own
    answers has none, and the others share out what is left.

    Source: confidence weights as in Yarowsky, ACL 1995, in their soft form; shares of classes held as in Zou, Yu,
    Kumar & Wang, ECCV 2018, section 4.3, here to those of the source.

    Args:
        probabilities: p `(n, k)`.
        labels: `(n,)`, −1 where none is given.

    Returns:
        Labels `(n,)` and weights `(n,)`, 0 or more; own answers' weights sum to those before ρ.

    Example:
        >>> labels, weights = own_answers(np.array([[1, 0], [0.9, 0.1], [0.4, 0.6]]), np.array([0, -1, -1]))
        >>> labels.tolist(), weights.round(2).tolist()
        ([0, 0, 1], [1.0, 1.0, 0.0])
    """
    given = labels >= 0
    answers = np.where(given, labels, probabilities.argmax(axis=1))
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    sure = np.where(given, 0.0, first - second)
    classes = probabilities.shape[1]
    said = np.bincount(answers, weights=sure, minlength=classes)
    shares = np.where(said > 0, np.bincount(labels[given], minlength=classes), 0)
    if not shares.sum():
        return answers, given.astype(float)
    scale = np.divide(shares / shares.sum() * said.sum(), said, out=np.zeros(classes), where=said > 0)
    return answers, np.where(given, 1.0, scale[answers] * sure)


def class_centroids(features: Tensor, probabilities: Tensor) -> tuple[Tensor, Tensor]:
    """Centroids of the classes in unlabelled features: weighted by the answers, then of what these attract.

        c_k = Σ_i p_i(k) f_i / Σ_i p_i(k),   ŷ_i = argmax_k cos(f_i, c_k),   c_k ← mean of the f_i with ŷ_i = k

    Only classes that are some example's first answer take part. One that then attracts none keeps its first centroid.

    Source: Liang, Hu & Feng, ICML 2020, equations 5 and 6.

    Args:
        features: f `(n, d)`, rows of length 1.
        probabilities: p `(n, k)`.

    Returns:
        Centroids `(k, d)`, zero where a class has none, and which classes have one, `(k,)` bool.
    """
    k = probabilities.shape[1]
    present = torch.bincount(probabilities.argmax(dim=1), minlength=k) > 0
    first = probabilities.T @ features / probabilities.sum(dim=0).clamp_min(1e-8)[:, None]
    cosines = features @ F.normalize(first, dim=1).T
    attracted = F.one_hot(cosines.masked_fill(~present, -torch.inf).argmax(dim=1), k).to(features.dtype)
    counts = attracted.sum(dim=0)
    means = attracted.T @ features / counts.clamp_min(1)[:, None]
    centroids = torch.where((counts > 0)[:, None], means, first)
    return centroids * present[:, None], present


def confident_cross_entropy(logits: Tensor, teacher: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Cross-entropy with another view's answers, where these are certain enough.

        L = 1/b Σ_i 1[max_c q_i(c) ≥ τ] · −log p_i(argmax_c q_i(c)),    p, q = softmax of both; q is a constant

    Source: Sohn et al., "FixMatch", NeurIPS 2020, equation 4.

    Args:
        logits: `(b, k)`, those that learn.
        teacher: `(b, k)`, those that are learnt from.
        threshold: τ in [0, 1].

    Returns:
        The loss, and the share of examples that count.

    Example:
        >>> loss, share = confident_cross_entropy(torch.zeros(2, 2), torch.tensor([[9.0, 0.0], [0.1, 0.0]]), 0.9)
        >>> round(float(loss), 4), float(share)
        (0.3466, 0.5)
    """
    certainty, answers = teacher.detach().softmax(dim=1).max(dim=1)
    counts = (certainty >= threshold).to(logits)
    return (F.cross_entropy(logits, answers, reduction="none") * counts).mean(), counts.mean()


def confident_consistency(logits: Tensor, teacher: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Squared difference of a model's and its teacher's probabilities, where the teacher's are certain enough.

        L = 1/b Σ_i 1[max_c q_i(c) > τ] · 1/k Σ_c (p_i(c) − q_i(c))²,    q is a constant

    Source: French, Mackiewicz & Fisher, ICLR 2018, section 3.2 (confidence thresholding in place of a ramp).

    Args:
        logits: `(b, k)`, those that learn.
        teacher: `(b, k)`, those that are learnt from.
        threshold: τ in [0, 1].

    Returns:
        The loss, and the share of examples that count.

    Example:
        >>> loss, share = confident_consistency(torch.zeros(2, 2), torch.tensor([[99.0, 0.0], [0.1, 0.0]]), 0.9)
        >>> float(loss), float(share)
        (0.125, 0.5)
    """
    q = teacher.detach().softmax(dim=1)
    counts = (q.max(dim=1).values > threshold).to(logits)
    return ((logits.softmax(dim=1) - q).square().mean(dim=1) * counts).mean(), counts.mean()


def class_balance(logits: Tensor) -> Tensor:
    """Binary cross-entropy of a batch's mean prediction with equal shares, added up over classes.

        L = −Σ_c [1/k log p̄(c) + (1 − 1/k) log(1 − p̄(c))],    p̄ = mean over the batch

    Source: French, Mackiewicz & Fisher, ICLR 2018 (class balance loss), in the form of the authors' code.

    Args:
        logits: `(b, k)`.

    Example:
        >>> round(float(class_balance(torch.zeros(3, 2))), 4)
        1.3863
    """
    mean = logits.softmax(dim=1).mean(dim=0).clamp(1e-6, 1 - 1e-6)
    return F.binary_cross_entropy(mean, torch.full_like(mean, 1 / len(mean)), reduction="sum")
