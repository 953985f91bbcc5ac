"""Class proportions that differ between the sides: what they seem to be, and how much that explains."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

# Weight of Σ p = 1 among equations that are each of the size of a share.
_SUM = 1e3
_STILL, _DECAY = 1e-5, 1e-6
# Logarithms of the ridges among which RLLS looks.
_STRENGTHS = (-30.0, 10.0)


def target_proportions(confusion: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Class proportions `(k,)` of the target, if each of its classes looks as it does in the source.

        p = argmin ‖Cᵀ p − q‖,   p ≥ 0,  Σ p = 1,   C_ij = share of the source's class i that is answered j

    q are the shares of the answers on the target. A mistake that is made as often on both sides is undone; one that
    only the target's looks bring about is taken for another proportion.

    Source: Lipton, Wang & Smola, "Detecting and Correcting for Label Shift with Black Box Predictors", ICML 2018.

    Args:
        confusion: counts `(k, k)` on source examples that were not trained on: class i answered j. Of a class without
            examples every answer is taken to be right.
        answers: counts `(k,)` of the answers on the target, not all zero.

    Example:
        >>> target_proportions(np.array([[8, 2], [2, 8]]), np.array([38, 62])).round(2).tolist()
        [0.3, 0.7]
    """
    examples = confusion.sum(axis=1, keepdims=True)
    rates = np.where(examples > 0, confusion / np.maximum(examples, 1), np.eye(len(confusion)))
    shares = answers / answers.sum()
    from scipy.optimize import nnls

    p, _ = nnls(np.vstack([rates.T, np.full((1, len(rates)), _SUM)]), np.append(shares, _SUM))
    return np.asarray(p / p.sum())


def likely_proportions(
    prior: np.ndarray, posteriors: np.ndarray, start: np.ndarray | None = None, rounds: int = 500
) -> np.ndarray:
    """Class proportions `(k,)` of the target that make it most likely, if its classes look as they do in the source.

        p ← mean_x  r(x) / Σ r(x),    r_c(x) = p_c / π_c · P(c | x),

    until no share moves by more than 10⁻⁵: expectation and maximisation of Σ log Σ_c p_c / π_c P(c | x), whose one
    maximum is met from any start without zeros. Where posteriors are calibrated (`class_bias`) it is nearer to the
    truth than `target_proportions`, as Alexandari, Kundaje & Shrikumar found ("Maximum Likelihood with Bias-Corrected
    Calibration is Hard-To-Beat at Label Shift Adaptation", ICML 2020).

    Source: Saerens, Latinne & Decaestecker, Neural Computation 2002.

    Args:
        prior: π `(k,)`, shares of classes among the examples that the posteriors were learnt on, > 0.
        posteriors: P(c | x) `(n, k)` of the target's examples by a model of the source.
        start: `(k,)`, > 0; by default π.
        rounds: at most.
    """
    ratio = posteriors / prior
    p = np.asarray(prior if start is None else start, dtype=np.float64)
    for _ in range(rounds):
        likely = ratio @ p
        following = p * (ratio / likely[:, None]).mean(axis=0)
        moved = float(np.abs(following - p).max())
        p = following / following.sum()
        if moved <= _STILL:
            break
    return np.asarray(p)


def likely_of_samples(
    priors: np.ndarray, posteriors: np.ndarray, counts: np.ndarray, starts: np.ndarray, rounds: int = 100
) -> np.ndarray:
    """`likely_proportions` `(r, k)` of r samples drawn from the same examples, side by side.

    What is drawn twice counts twice: no example's posteriors are written down again, and a round of all samples is
    two products of matrices.

    Args:
        priors: π of each sample `(r, k)`, > 0.
        posteriors: P(c | x) `(n, k)` of the examples that all samples are drawn from.
        counts: how often each sample has each example, `(r, n)`, each row of the same sum.
        starts: `(r, k)`, > 0.
        rounds: at most.
    """
    p = np.array(starts, dtype=np.float64)
    moving = np.arange(len(p))
    for _ in range(rounds):
        ratio = p[moving] / priors[moving]
        shares = counts[moving] / (ratio @ posteriors.T)
        following = ratio * (shares @ posteriors) / counts[0].sum()
        moved = np.abs(following - p[moving]).max(axis=1)
        p[moving] = following / following.sum(axis=1, keepdims=True)
        moving = moving[moved > _STILL]
        if not len(moving):
            break
    return p


def regularised_weights(joint: np.ndarray, answers: np.ndarray, regularisation: float = 0.01) -> np.ndarray:
    """Weights w `(k,)` of the classes, p_c / π_c, drawn towards 1 where mistakes say little of them (RLLS).

        w = 1 + θ,   θ = argmin ‖C θ − (q − C 1)‖ + ρ Δ ‖θ‖,  θ ≥ −1
        Δ = 3 (2 l / 3n + √(2 l / n)),   l = log(2k / 0.05)

    C_ij is the share of all n source examples that are of class j and answered i, q_i that of the target's that are
    answered i. Norms are not squared, so that small evidence leaves θ at 0. ρ is 0.01 in the authors' code. The
    minimum lies among the ridge solutions of the same problem, of which the best is taken.

    Source: Azizzadenesheli, Liu, Yang & Anandkumar, "Regularized Learning for Domain Adaptation under Label Shifts",
    ICLR 2019, section 2.

    Args:
        joint: counts `(k, k)` on source examples that were not trained on: class i answered j.
        answers: counts `(k,)` of the answers on the target, not all zero.
        regularisation: ρ > 0.

    Example:
        >>> regularised_weights(np.array([[400, 100], [100, 400]]), np.array([380, 620])).round(2).tolist()
        [0.6, 1.4]
    """
    from scipy.optimize import minimize_scalar, nnls

    n, k = joint.sum(), len(joint)
    shares, theirs = joint.T / n, answers / answers.sum()
    limit = np.log(2 * k / 0.05)
    weight = regularisation * 3 * (2 * limit / (3 * n) + np.sqrt(2 * limit / n))

    def ridge(log_strength: float) -> np.ndarray:
        root = np.exp(log_strength / 2)
        u, _ = nnls(np.vstack([shares, root * np.eye(k)]), np.append(theirs, np.full(k, root)))
        return np.asarray(u - 1)

    def loss(theta: np.ndarray) -> float:
        return float(np.linalg.norm(shares @ (theta + 1) - theirs) + weight * np.linalg.norm(theta))

    found = minimize_scalar(lambda s: loss(ridge(s)), bounds=_STRENGTHS, method="bounded")
    return np.asarray(1 + min([ridge(found.x), ridge(_STRENGTHS[0]), np.zeros(k)], key=loss))


def class_bias(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Temperature T and bias b `(k,)` that calibrate logits: softmax(z / T + b) is most likely to say the labels.

    Temperature alone leaves shares of classes that differ from the labels'; with b they are the same on average.

    Source: Alexandari, Kundaje & Shrikumar, ICML 2020 (bias-corrected temperature scaling); Guo, Pleiss, Sun &
    Weinberger, ICML 2017.

    Args:
        logits: z `(n, k)` on examples that were not trained on.
        labels: their classes `(n,)`.
    """
    k = logits.shape[1]
    chosen = np.eye(k)[labels]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        scores = logits * np.exp(theta[0]) + theta[1:]
        log_p = scores - logsumexp(scores, axis=1, keepdims=True)
        error = (np.exp(log_p) - chosen) / len(logits)
        slope = np.concatenate([[(error * logits).sum() * np.exp(theta[0])], error.sum(axis=0)])
        # A breath of weight decay: a constant added to every bias changes nothing.
        return float(-(log_p * chosen).sum() / len(logits) + _DECAY * theta @ theta), slope + 2 * _DECAY * theta

    from scipy.optimize import minimize

    found = minimize(loss, np.zeros(k + 1), jac=True, method="L-BFGS-B")
    return float(np.exp(-found.x[0])), np.asarray(found.x[1:])


def weighted_distance(source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> float:
    """Kolmogorov and Smirnov's distance of two samples, one of them weighted: sup |F_w − F|, in [0, 1].

    Args:
        source: numbers `(n,)`.
        weights: theirs, `(n,)`, ≥ 0 and not all 0.
        target: numbers `(m,)`.
    """
    order = np.argsort(source)
    steps = np.concatenate([[0.0], np.cumsum(weights[order]) / weights.sum()])
    places = np.concatenate([source, target])
    of_source = steps[np.searchsorted(source[order], places, side="right")]
    of_target = np.searchsorted(np.sort(target), places, side="right") / len(target)
    return float(np.abs(of_source - of_target).max())


def effective_size(weights: np.ndarray) -> float:
    """As many examples of equal weight would say as much: (Σ w)² / Σ w².

    Source: Kish, "Survey Sampling", 1965.

    Example:
        >>> round(effective_size(np.array([1.0, 1.0, 2.0])), 3)
        2.667
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())
