"""Intervals and tests: how sure a measured accuracy is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

_Z95 = float(special.ndtri(0.975))


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % score interval of a proportion; unlike p ± 2 s it stays inside [0, 1] and works for 0 and n.

        (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    Args:
        successes: how often it was right.
        n: of how many; at least 1.

    Returns:
        Lower and upper end, as fractions.

    Example:
        >>> tuple(round(end, 3) for end in wilson_interval(8, 10))
        (0.49, 0.943)
    """
    p, z2 = successes / n, _Z95**2
    centre = p + z2 / (2 * n)
    reach = _Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, (centre - reach) / (1 + z2 / n)), min(1.0, (centre + reach) / (1 + z2 / n))


def mcnemar_p(mended: int, broken: int) -> float:
    """Exact two-sided McNemar test of two models on the same examples.

    Under the null hypothesis an example that only one model gets right is a fair coin; the others say nothing.

    Args:
        mended: examples that only the second model gets right.
        broken: examples that only the first model gets right.

    Returns:
        The p-value; 1 if the models never differ.

    Example:
        >>> round(mcnemar_p(9, 1), 4)
        0.0215
    """
    if mended + broken == 0:
        return 1.0
    from scipy import stats  # which takes a second to import

    return float(stats.binomtest(mended, mended + broken).pvalue)


def paired_interval(mended: int, broken: int, n: int) -> tuple[float, float]:
    """95 % interval of the difference of two accuracies on the same n examples.

    A Wald interval after adding one to `mended` and to `broken`, which gives it close to 95 % coverage.

    Source: Bonett & Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data", Journal of Educational and Behavioral Statistics 2012.

    Args:
        mended: as in `mcnemar_p`.
        broken: likewise.
        n: all examples, at least 1.

    Returns:
        Lower and upper end of (second − first), as fractions.

    Example:
        >>> tuple(round(end, 3) for end in paired_interval(9, 1, 100))
        (0.014, 0.143)
    """
    gain, loss = (mended + 1) / (n + 2), (broken + 1) / (n + 2)
    reach = _Z95 * math.sqrt((gain + loss - (gain - loss) ** 2) / (n + 2))
    return max(-1.0, gain - loss - reach), min(1.0, gain - loss + reach)


def mean_ci95(values: Sequence[float]) -> float:
    """Half the width of Student's 95 % interval of a mean; NaN for fewer than two values.

    Example:
        >>> round(mean_ci95([0.90, 0.92, 0.91]), 4)
        0.0248
    """
    if len(values) < 2:
        return math.nan
    spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return float(special.stdtrit(len(values) - 1, 0.975)) * spread


def signed_rank_p(differences: Sequence[float]) -> float:
    """Two-sided Wilcoxon signed-rank test that paired differences are symmetric around zero.

    Differences of exactly zero are split between both signs' ranks (Pratt). Exact for few differences without ties.

    Source: Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1945; recommended for comparing
    two classifiers over several data sets by Demšar, JMLR 2006.

    Args:
        differences: one for each pair, for example each task's gain in accuracy; at least one.

    Returns:
        The p-value; 1 if every difference is zero.

    Example:
        >>> signed_rank_p([1.0, 2.0, 3.0, 4.0, 5.0])
        0.0625
    """
    if not np.any(differences):
        return 1.0
    from scipy import stats

    return float(stats.wilcoxon(differences, zero_method="zsplit").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for having made several tests, by Holm's step-down rule.

        p̃_(i) = max_{j ≤ i} min(1, (m − j + 1) p_(j)),   p_(1) ≤ … ≤ p_(m)

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.

    Args:
        p_values: one for each test, in any order.

    Returns:
        Corrected p-values in the same order; reject where one is below the level wanted for the whole family.

    Example:
        >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    scaled = np.asarray(p_values)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return [float(p) for p in corrected]
