"""How much more often the target has an input than the source: w(x) = p_t(x) / p_s(x), from samples of both.

Each estimate is for weighing source examples under covariate shift, where the same inputs mean the same classes:
E_t f(x) = E_s w(x) f(x) for any f (Shimodaira, Journal of Statistical Planning and Inference 2000).

KLIEP and uLSIF model the ratio as w(x) = Σ_l α_l K(x, c_l) with α ≥ 0, kernels K(x, c) = exp(−γ ‖x − c‖²) and some of
the target's examples as centres c; kernel mean matching has a weight for each source example, and no function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve

Fit = Callable[[np.ndarray, np.ndarray], np.ndarray]
Loss = Callable[[np.ndarray, np.ndarray], float]
_TINY, _FOLDS = 1e-12, 5
# Times the median distance: widths of kernels among which cross-validation chooses.
_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
# A step of kernel mean matching that moves no weight by more is the last.
_SETTLED = 1e-4


def kliep(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """α `(m,)` of the ratio that makes the target's examples most likely (KLIEP).

        max_α  mean_t log Σ_l α_l K(x_t, c_l),    mean_s Σ_l α_l K(x_s, c_l) = 1,  α ≥ 0

    With b_l = mean_s K(x_s, c_l) the same α solves min Σ_l b_l α_l − mean_t log Σ_l α_l K(x_t, c_l) with α ≥ 0 alone:
    where no multiple of α is better, Σ b α = 1. L-BFGS finds it, in the units π = b α.

    Source: Sugiyama, Nakajima, Kashima, von Bünau & Kawanabe, "Direct Importance Estimation with Model Selection and
    Its Application to Covariate Shift Adaptation", NIPS 2007.

    Args:
        source: K(x_s, c_l) `(n, m)`, ≥ 0.
        target: K(x_t, c_l) `(n', m)`, ≥ 0. Centres out of reach of the whole source get α = 0.

    Example:
        >>> kliep(np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 2.0]])).round(3).tolist()
        [0.5, 0.5]
    """
    from scipy.optimize import minimize

    mean = source.mean(axis=0)
    used = mean > _TINY
    if not used.any():
        return np.zeros(len(mean))
    densities = target[:, used] / mean[used]

    def loss(share: np.ndarray) -> tuple[float, np.ndarray]:
        ratio = np.maximum(densities @ share, _TINY)
        return float(share.sum() - np.log(ratio).mean()), 1 - (densities / ratio[:, None]).mean(axis=0)

    m = int(used.sum())
    found = minimize(loss, np.full(m, 1 / m), jac=True, method="L-BFGS-B", bounds=[(0, None)] * m)
    alpha = np.zeros(len(mean))
    alpha[used] = found.x / max(found.x.sum(), _TINY) / mean[used]
    return alpha


def ulsif(source: np.ndarray, target: np.ndarray, ridge: float, relative: float = 0.0) -> np.ndarray:
    """α `(m,)` of the ratio with the least squared error (uLSIF), or of a relative one (RuLSIF).

        α = max(0, (H + λ I)⁻¹ h),    H = β mean_t K Kᵀ + (1 − β) mean_s K Kᵀ,    h = mean_t K

    With β > 0 it estimates p_t / (β p_t + (1 − β) p_s), which stays below 1/β where p_t / p_s may grow without limit.

    Source: Kanamori, Hido & Sugiyama, "A Least-squares Approach to Direct Importance Estimation", JMLR 2009; Yamada,
    Suzuki, Kanamori, Hachiya & Sugiyama, "Relative Density-Ratio Estimation for Robust Distribution Comparison",
    NIPS 2011.

    Args:
        source: K(x_s, c_l) `(n, m)`.
        target: K(x_t, c_l) `(n', m)`.
        ridge: λ > 0.
        relative: β in [0, 1).

    Example:
        >>> ulsif(np.eye(2), np.array([[1.0, 0.0]]), ridge=0.5).tolist()
        [1.0, 0.0]
    """
    second = (1 - relative) * source.T @ source / len(source) + relative * target.T @ target / len(target)
    factor = cho_factor(second + ridge * np.eye(len(second)))
    return np.asarray(np.maximum(cho_solve(factor, target.mean(axis=0)), 0.0))


def squared_error(source: np.ndarray, target: np.ndarray, relative: float = 0.0) -> float:
    """E (ŵ − w)² / 2 but for a constant: what uLSIF minimises, of held-out data.

        β mean_t ŵ² / 2 + (1 − β) mean_s ŵ² / 2 − mean_t ŵ

    Args:
        source: ŵ `(n,)` on source examples.
        target: ŵ `(n',)` on target examples.
        relative: β.
    """
    squares = relative * np.square(target).mean() + (1 - relative) * np.square(source).mean()
    return float(squares / 2 - target.mean())


def log_loss(source: np.ndarray, target: np.ndarray) -> float:
    """mean_s ŵ − mean_t log ŵ, what KLIEP minimises, of held-out data; arguments as for `squared_error`."""
    return float(source.mean() - np.log(np.maximum(target, _TINY)).mean())


def kernel_means(
    gram: np.ndarray, to_target: np.ndarray, bound: float, slack: float, rounds: int = 2_000
) -> np.ndarray:
    """Weights `(n,)` of source examples whose mean in the kernel's space is the target's (KMM).

        min_w  ‖mean_s w φ(x_s) − mean_t φ(x_t)‖²,    0 ≤ w ≤ B,  |mean w − 1| ≤ ε

    Solved by projected gradients with momentum (FISTA), projections being exact, until a round moves no weight by
    more than 10⁻⁴ of their mean.

    Source: Huang, Smola, Gretton, Borgwardt & Schölkopf, "Correcting Sample Selection Bias by Unlabeled Data", NIPS
    2006; Beck & Teboulle, SIAM Journal on Imaging Sciences 2009 (the solver).

    Args:
        gram: K(x_s, x_s') `(n, n)`.
        to_target: mean_t K(x_s, x_t) `(n,)`.
        bound: B > 0.
        slack: ε ≥ 0; the paper has (√n − 1) / √n.
        rounds: at most.

    Example:
        >>> kernel_means(np.eye(2), np.array([0.75, 0.25]), bound=1000.0, slack=0.0).round(3).tolist()
        [1.5, 0.5]
    """
    n = len(gram)
    step = 1 / max(_largest_eigenvalue(gram), _TINY)
    w = ahead = np.ones(n)
    pace = 1.0
    for _ in range(rounds):
        following = _within(ahead - step * (gram @ ahead - n * to_target), bound, slack)
        # Momentum that no longer points downhill is dropped (O'Donoghue & Candès, 2015).
        pace = 1.0 if (ahead - following) @ (following - w) > 0 else pace
        quicker = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = following + (pace - 1) / quicker * (following - w)
        moved, w, pace = float(np.abs(following - w).max()), following, quicker
        if moved <= _SETTLED:
            break
    return w


def _largest_eigenvalue(gram: np.ndarray) -> float:
    """By powers, from above by a hundredth."""
    v = np.ones(len(gram))
    for _ in range(30):
        v = gram @ v
        v /= max(float(np.linalg.norm(v)), _TINY)
    return 1.01 * float(v @ gram @ v)


def _within(w: np.ndarray, bound: float, slack: float) -> np.ndarray:
    """The nearest weights that keep the bounds, each and on average."""
    clipped = w.clip(0, bound)
    wanted = np.clip(clipped.mean(), 1 - slack, 1 + slack)
    if clipped.mean() == wanted:
        return clipped
    low, high = -float(w.max()), bound - float(w.min())
    for _ in range(60):
        middle = (low + high) / 2
        if (w + middle).clip(0, bound).mean() < wanted:
            low = middle
        else:
            high = middle
    return (w + high).clip(0, bound)


def held_out_loss(
    source: np.ndarray,
    target: np.ndarray,
    fit: Fit,
    loss: Loss,
    rng: np.random.Generator,
) -> float:
    """Mean loss of a ratio in five-fold cross-validation, by which kernels are chosen.

    Args:
        source: K(x_s, c_l) `(n, m)`.
        target: K(x_t, c_l) `(n', m)`.
        fit: gives α of such matrices.
        loss: of weights on held-out examples of both.
        rng: draws the folds.
    """
    folds = [rng.permutation(len(side)) % _FOLDS for side in (source, target)]
    losses = []
    for fold in range(_FOLDS):
        kept = [side[of != fold] for side, of in zip((source, target), folds, strict=True)]
        held = [side[of == fold] for side, of in zip((source, target), folds, strict=True)]
        alpha = fit(*kept)
        losses.append(loss(*(side @ alpha for side in held)))
    return float(np.mean(losses))


def median_gamma(rows: np.ndarray, most: int = 500) -> float:
    """γ = 1 / (2 σ²), where σ is the median distance of two of the first rows `(n, d)`; 1 where that is 0.

    Example:
        >>> median_gamma(np.array([[0.0], [3.0], [6.0]]))
        0.05555555555555555
    """
    from scipy.spatial.distance import pdist

    distances = pdist(rows[:most])
    sigma = float(np.median(distances)) if len(distances) else 0.0
    return 1 / (2 * sigma**2) if sigma > 0 else 1.0


def best_ratio(source: np.ndarray, target: np.ndarray, centres: int, fits: Sequence[Fit], loss: Loss) -> np.ndarray:
    """W `(n,)` of source examples, by the kernel's width and the fit that are best in five-fold cross-validation.

    Args:
        source: `(n, d)`.
        target: `(n', d)`; some of it, drawn always alike, are the centres.
        centres: how many.
        fits: give α of kernel matrices of both.
        loss: of weights on held-out examples of both.
    """
    from sklearn.metrics.pairwise import rbf_kernel

    chosen = target[np.random.default_rng(0).permutation(len(target))[:centres]]
    gamma = median_gamma(target)
    best: tuple[float, np.ndarray] | None = None
    for width in _WIDTHS:
        own, other = (rbf_kernel(side, chosen, gamma / width**2) for side in (source, target))
        for fit in fits:
            found = held_out_loss(own, other, fit, loss, np.random.default_rng(0))
            if best is None or found < best[0]:
                best = found, own @ fit(own, other)
    assert best is not None
    return best[1]


def matched_means(source: np.ndarray, target: np.ndarray, bound: float, part: int = 2_000) -> np.ndarray:
    """Weights `(n,)` of source examples by `kernel_means`, the kernel as wide as the target's median distance.

    Args:
        source: `(n, d)`.
        target: `(n', d)`.
        bound: B.
        part: so many source examples, drawn at random, are matched together.
    """
    from sklearn.metrics.pairwise import rbf_kernel

    gamma, weights = median_gamma(target), np.empty(len(source))
    parts = max(1, round(len(source) / part))
    for rows in np.array_split(np.random.default_rng(0).permutation(len(source)), parts):
        x, root = source[rows], np.sqrt(len(rows))
        to_target = rbf_kernel(x, target, gamma).mean(axis=1)
        weights[rows] = kernel_means(rbf_kernel(x, gamma=gamma), to_target, bound, slack=(root - 1) / root)
    return weights
