"""What methods of plain vectors share: both sides as arrays, and what is nearest or linear behind a map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from types import ModuleType
from typing import cast

import numpy as np
from sklearn.svm import SVC
from torch import Tensor, nn

from acclimate.errors import MissingExtraError, RequestError
from acclimate.methods.base import Networks, collected
from acclimate.networks.nearest import Nearest
from acclimate.networks.one_against_one import OneAgainstOne
from acclimate.types import Passes

_MOST_PAIRS = 2**28
_MOST_SQUARE = 2**13


@dataclass(frozen=True)
class Vectors:
    """Both sides' training examples in double precision, labels −1 where there are none.

    Attributes:
        source: `(n, d)`.
        source_labels: `(n,)`.
        target: `(m, d)`.
        target_labels: `(m,)`: those that the user gave.
    """

    source: np.ndarray
    source_labels: np.ndarray
    target: np.ndarray
    target_labels: np.ndarray

    @property
    def both(self) -> np.ndarray:
        """Rows of the source, then of the target."""
        return np.concatenate([self.source, self.target])

    @property
    def labels(self) -> np.ndarray:
        """Labels in that order."""
        return np.concatenate([self.source_labels, self.target_labels])


def vectors(passes: Passes) -> Vectors:
    """Inputs as they are, flattened."""
    flat: Callable[[Tensor], Tensor] = nn.Flatten()
    return Vectors(*collected(flat, passes.source), *collected(flat, passes.target))


def few_enough(method: str, found: Vectors) -> Vectors:
    """The same, where a number for each pair of examples has room.

    Raises:
        RequestError: otherwise.
    """
    pairs = len(found.source) * len(found.target)
    if pairs > _MOST_PAIRS:
        raise RequestError(
            "source and target",
            f"must have at most {_MOST_PAIRS:,} pairs of examples for the method {method!r}, which weighs each",
            f"{len(found.source):,} × {len(found.target):,}",
            "Give a sample of either, or choose a method that learns by steps, such as dann.",
        )
    return found


def narrow_enough(method: str, found: Vectors) -> Vectors:
    """The same, where a number for each pair of features has room.

    Raises:
        RequestError: otherwise, as for the pixels of photos.
    """
    if found.source.shape[1] > _MOST_SQUARE:
        raise RequestError(
            "source and target",
            f"must have at most {_MOST_SQUARE:,} features, or pixels, for the method {method!r}",
            f"{found.source.shape[1]:,}",
            "Turn photos into features first: acclimate encode PHOTOS OUT.npz",
        )
    return found


def z_scores(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x − mean) / std, the means and the deviations; that of a constant is 1."""
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    std = np.where(std > 1e-8, std, 1.0)
    return (rows - mean) / std, mean, std


def store_nearest(nets: Networks, rows: np.ndarray, labels: np.ndarray) -> None:
    """Give the classifier those rows that have a label."""
    classifier = nets["classifier"]
    assert isinstance(classifier, Nearest)
    classifier.store(rows[labels >= 0], labels[labels >= 0])


def fit_svm(
    nets: Networks,
    kernel: np.ndarray,
    supports: np.ndarray,
    labels: np.ndarray,
    penalty: float,
) -> None:
    """Give the classifier linear SVMs of every pair of classes.

    Args:
        nets: with the classifier.
        kernel: `(n, n)`, of supports with the examples that training asks about.
        supports: `(n, d)`: rows whose inner products with what is to be answered are the kernel's values.
        labels: `(n,)`, all known.
        penalty: C.
    """
    svm = SVC(kernel="precomputed", C=penalty).fit(kernel, labels)
    classifier = nets["classifier"]
    assert isinstance(classifier, OneAgainstOne)
    pairs = [_pair(svm, supports, i, j) for i, j in combinations(range(len(svm.classes_)), 2)]
    # With two classes scikit-learn turns the sign, so that above 0 is for the second.
    sign = -1 if len(pairs) == 1 else 1
    classifier.set_pairs(sign * np.array(pairs), sign * svm.intercept_, svm.classes_)


def _pair(svm: SVC, supports: np.ndarray, i: int, j: int) -> np.ndarray:
    """Weights `(d,)` of the i-th class against the j-th: libsvm keeps a row of coefficients for each other class."""
    starts = np.cumsum([0, *svm.n_support_])
    of_i, of_j = (slice(starts[c], starts[c + 1]) for c in (i, j))
    own, other = svm.dual_coef_[j - 1, of_i], svm.dual_coef_[i, of_j]
    return np.asarray(own @ supports[svm.support_[of_i]] + other @ supports[svm.support_[of_j]])


def labelled(found: Vectors, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the rows of both sides that have a label, and their labels."""
    known = found.labels >= 0
    return rows[known], found.labels[known]


def transport() -> ModuleType:
    """The package POT.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import ot
    except ImportError:
        raise MissingExtraError("ot", "ot") from None
    return cast(ModuleType, ot)
