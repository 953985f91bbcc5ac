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
    """
    known = labels != UNLABELLED
    if not known.any():
        return float("nan")
    return float((logits[known].argmax(axis=1) == labels[known]).mean())


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts `(k, k)`: entry (i, j) is how often class i was called class j; unlabelled rows are left out."""
    known = labels != UNLABELLED
    cells = labels[known] * num_classes + predicted[known]
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


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
