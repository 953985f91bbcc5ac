"""Classification scores, as fractions in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from acclimate.types import UNLABELLED, Outputs, PseudoLabels


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of labelled examples whose highest score is their label; NaN if none has a label.

    Args:
        logits: `(n, k)`.
        labels: `(n,)`; rows with −1 are left out.

    Example:
        >>> accuracy(np.array([[2.0, 1], [0, 1], [3, 0]]), np.array([0, 1, 1]))
        0.6666666666666666
    """
    known = labels != UNLABELLED
    if not known.any():
        return float("nan")
    return float((logits[known].argmax(axis=1) == labels[known]).mean())


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts `(k, k)`: entry (i, j) is how often class i was called class j; unlabelled rows are left out.

    Example:
        >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    known = labels != UNLABELLED
    cells = labels[known] * num_classes + predicted[known]
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def recalls(counts: np.ndarray) -> np.ndarray:
    """Share `(k,)` of each class's examples that are called by its name; NaN for a class without examples.

    Args:
        counts: as `confusion_matrix` gives them.

    Example:
        >>> recalls(np.array([[3, 1], [0, 2]])).tolist()
        [0.75, 1.0]
    """
    examples = counts.sum(axis=1).astype(float)
    shares = np.full(len(counts), np.nan)
    np.divide(counts.diagonal(), examples, out=shares, where=examples > 0)
    return shares


def balanced_accuracy(counts: np.ndarray) -> float:
    """Mean recall of the classes that have examples, so that each counts alike; NaN if none has.

        (1 / k) Σ_c TP_c / n_c

    Source: Brodersen et al., "The balanced accuracy and its posterior distribution", ICPR 2010.

    Args:
        counts: as `confusion_matrix` gives them.

    Example:
        >>> balanced_accuracy(np.array([[9, 0], [1, 0]]))
        0.5
    """
    found = recalls(counts)
    return float(np.nanmean(found)) if counts.any() else float("nan")


def macro_f1(counts: np.ndarray) -> float:
    """Mean over classes of the harmonic mean of precision and recall; NaN without examples.

        (1 / k) Σ_c 2 TP_c / (n_c + m_c),   n_c examples of class c, m_c answers c

    The k classes are those that an example has or an answer gives, as scikit-learn counts them.

    Args:
        counts: as `confusion_matrix` gives them.

    Example:
        >>> round(macro_f1(np.array([[9, 0], [1, 0]])), 3)
        0.474
    """
    both = counts.sum(axis=0) + counts.sum(axis=1)
    there = both > 0
    return float((2 * counts.diagonal()[there] / both[there]).mean()) if there.any() else float("nan")


# A class this many times as frequent as another: accuracy then speaks of the one and hardly of the other.
_UNEVEN = 2


def uneven(counts: np.ndarray) -> bool:
    """Whether the largest class has more than twice the examples of the smallest that has any.

    Args:
        counts: examples of each class, `(k,)`.
    """
    there = counts[counts > 0]
    return len(there) > 1 and bool(there.max() > _UNEVEN * there.min())


def class_scores(outputs: Mapping[str, Outputs], labels: Mapping[str, np.ndarray]) -> dict[str, float]:
    """`<role>_balanced_accuracy` and `<role>_macro_f1` for every role whose labels are known.

    Args:
        outputs: a model's answers by role.
        labels: by role; classes that the model does not know are numbered after its own.
    """
    scores: dict[str, float] = {}
    for role, seen in outputs.items():
        if role not in labels or not (labels[role] != UNLABELLED).any():
            continue
        k = max(seen.logits.shape[1], int(labels[role].max()) + 1)
        counts = confusion_matrix(seen.logits.argmax(axis=1), labels[role], k)
        scores |= {f"{role}_balanced_accuracy": balanced_accuracy(counts), f"{role}_macro_f1": macro_f1(counts)}
    return scores


class Examiner:
    """Holds labels and turns a model's outputs into accuracies, one way only.

    Args:
        labels: by role (`"source"`, `"source_test"`, `"target"`, …); roles without labels are absent.
    """

    def __init__(self, labels: Mapping[str, np.ndarray]) -> None:
        self._labels = dict(labels)

    def __call__(self, outputs: Mapping[str, Outputs], pseudo: PseudoLabels | None = None) -> dict[str, float]:
        """Accuracies named `<role>_accuracy`, and `<role>_accuracy/<head>` for single heads.

        With pseudo-labels also `pseudo_label_accuracy` and, of those kept, `pseudo_label_accuracy/kept`, over the
        target's training examples whose label is known and was not given to training; absent where there are none.
        """
        scores = {}
        for role, seen in outputs.items():
            if role not in self._labels:
                continue
            labels = self._labels[role]
            scores[f"{role}_accuracy"] = accuracy(seen.logits, labels)
            for head, logits in seen.heads.items():
                scores[f"{role}_accuracy/{head}"] = accuracy(logits, labels)
        return scores if pseudo is None else scores | self._of_pseudo_labels(pseudo)

    def _of_pseudo_labels(self, pseudo: PseudoLabels) -> dict[str, float]:
        labels = self._labels.get("target", np.full(len(pseudo.labels), UNLABELLED))
        known = labels != UNLABELLED
        counted = {"pseudo_label_accuracy": known, "pseudo_label_accuracy/kept": known & pseudo.kept}
        right = pseudo.labels == labels
        return {name: float(right[rows].mean()) for name, rows in counted.items() if rows.any()}
