"""How sure a model is, and what that says about how often it is right."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

# 1 / T is sought between these; steps at most; and the slope of the loss that is as good as none.
_COLDEST, _HOTTEST, _STEPS, _FLAT = 150.0, 0.007, 100, 1e-9


def temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The T > 0 that makes softmax(z / T) most likely to say the labels.

    The loss is convex in 1 / T: Newton's steps on its slope, and halves of the range where they would leave it.

    Source: Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.

    Args:
        scores: logits z `(n, k)` on examples that were not trained on, n ≥ 1.
        labels: their classes `(n,)`.

    >>> z = np.log([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
    >>> round(temperature(z, np.array([0, 0, 0, 1])), 3)  # said 90 %, right in 75 %: log 9 / log 3
    2.0
    """
    scores = np.asarray(scores, dtype=np.float64)
    scores = scores - scores.max(axis=1, keepdims=True)
    own = scores[np.arange(len(labels)), labels]
    low, high, at = _HOTTEST, _COLDEST, 1.0
    for _ in range(_STEPS):
        p = np.exp(at * scores)
        p /= p.sum(axis=1, keepdims=True)
        means = (p * scores).sum(axis=1)
        slope = float((means - own).mean())
        if abs(slope) <= _FLAT:
            break
        low, high = (low, at) if slope > 0 else (at, high)
        curve = float(((p * scores * scores).sum(axis=1) - means**2).mean())
        step = at - slope / curve if curve > 0 else np.inf
        at = step if low < step < high else float(np.sqrt(low * high))
    return 1 / at


def probabilities(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """softmax(z / T) `(n, k)` in double precision."""
    return np.asarray(softmax(np.asarray(scores, dtype=np.float64) / temperature, axis=1))


def difference_of_confidences(
    source: np.ndarray, labels: np.ndarray, target: np.ndarray, *, at: float | None = None
) -> float:
    """DoC, target accuracy as the source's, less what confidence falls by: acc(S) − (conf(S) − conf(T)), in [0, 1].

    Source: Guillory, Shankar, Ebrahimi, Darrell & Schmidt, "Predicting with Confidence on Unseen Distributions",
    ICCV 2021.

    Args:
        source: logits `(n, k)` on source examples that were not trained on.
        labels: their classes `(n,)`.
        target: logits `(m, k)` on the target.
        at: temperature of the confidences; by default the one that calibrates the source's.
    """
    t = temperature(source, labels) if at is None else at
    fall = probabilities(source, t).max(axis=1).mean() - probabilities(target, t).max(axis=1).mean()
    return float(np.clip((source.argmax(axis=1) == labels).mean() - fall, 0, 1))


def average_confidence(target: np.ndarray, temperature: float = 1.0) -> float:
    """AC, the mean confidence mean_x max_c p_c(x): how often a calibrated model is right.

    Source: Hendrycks & Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples", ICLR 2017.

    Args:
        target: logits `(m, k)`.
        temperature: T of the softmax.

    >>> round(average_confidence(np.log([[0.9, 0.1], [0.3, 0.7]])), 3)
    0.8
    """
    return float(probabilities(target, temperature).max(axis=1).mean())


def thresholded_confidence(source: np.ndarray, labels: np.ndarray, target: np.ndarray) -> float:
    """ATC, the share of the target whose negative entropy lies above the threshold that fits the source; in [0, 1].

        mean_x 1[s(x) > t],    t such that  mean_S 1[s(x) > t] = acc(S),    s = Σ_c p_c log p_c

    Temperatures change nothing but order, so the logits are first calibrated.

    Source: Garg, Balakrishnan, Lipton, Neyshabur & Sedghi, "Leveraging Unlabeled Data to Predict Out-of-Distribution
    Performance", ICLR 2022.

    Args:
        source: logits `(n, k)` on source examples that were not trained on, n ≥ 1.
        labels: their classes `(n,)`.
        target: logits `(m, k)`.

    >>> source = np.log([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    >>> thresholded_confidence(source, np.array([0, 0, 0, 1]), source[[0, 1, 3, 3]])  # three of four: t lies above .6
    0.5
    """
    t = temperature(source, labels)
    own, other = (-_entropies(probabilities(scores, t)) for scores in (source, target))
    wrong = int((source.argmax(axis=1) != labels).sum())
    if wrong == 0:
        return float((other >= own.min()).mean())
    return float((other > np.sort(own)[wrong - 1]).mean())


def negative_entropy(target: np.ndarray) -> float:
    """−mean_x H(p(x)), in nats, at most 0: sure answers are to be good ones.

    Source: Morerio, Cavazza & Murino, "Minimal-Entropy Correlation Alignment for Unsupervised Deep Domain
    Adaptation", ICLR 2018.

    Args:
        target: logits `(m, k)`.

    >>> round(negative_entropy(np.zeros((5, 2))), 4)  # −log 2
    -0.6931
    """
    return -float(_entropies(probabilities(target)).mean())


def information(target: np.ndarray) -> float:
    """IM, the information of the answers about the examples, H(mean_x p(x)) − mean_x H(p(x)), in nats.

    Sure answers, of many classes.

    Source: Bridle, Heading & MacKay, NIPS 1991; as a score, Musgrave, Belongie & Lim, "Three New Validators and a
    Large-Scale Benchmark Ranking for Unsupervised Domain Adaptation", 2022.

    Args:
        target: logits `(m, k)`.

    >>> round(information(100 * np.eye(4)), 4)  # log 4
    1.3863
    >>> abs(round(information(100 * np.eye(4)[[0, 0]]), 4))
    0.0
    """
    p = probabilities(target)
    return float(_entropies(p.mean(axis=0, keepdims=True))[0] - _entropies(p).mean())


def nuclear_norm(target: np.ndarray) -> float:
    """BNM, the nuclear norm of the answers over its largest value, ‖P‖_* / √(m min(m, k)); in (0, 1].

    Sure answers, of many classes, as much as the rank of P stands for it.

    Source: Cui, Wang, Zhuo, Li, Huang & Tian, "Towards Discriminability and Diversity", CVPR 2020; as an estimate,
    Deng, Suh, Gould & Zheng, "Confidence and Dispersity Speak", ICML 2023.

    Args:
        target: logits `(m, k)`.

    >>> round(nuclear_norm(100 * np.eye(4)), 6), round(nuclear_norm(100 * np.eye(4)[[0, 0, 0, 0]]), 6)
    (1.0, 0.5)
    """
    p = probabilities(target)
    m, k = p.shape
    return float(np.linalg.svd(p, compute_uv=False).sum() / np.sqrt(m * min(m, k)))


def _entropies(p: np.ndarray) -> np.ndarray:
    """`(n,)` in nats."""
    return np.asarray(-(p * np.log(np.maximum(p, 1e-300))).sum(axis=1))
