"""The deletion curve: whether the words that a model says it looked at are those that its answers rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from acclimate.data.ragged import Ragged
from acclimate.metrics.intervals import mean_ci95
from acclimate.types import UNLABELLED

DELETED = (0, 1, 2, 3, 5, 8, 12, 20)
DRAWS = 3


@dataclass(frozen=True)
class Course:
    """What deleting words does, for each number of deleted words.

    Attributes:
        confidence: mean probability of the first answer, the one to the whole text.
        unchanged: share of texts whose answer is still the first one.
        accuracy: of the answers, where labels are known; None where none is.
    """

    confidence: list[float]
    unchanged: list[float]
    accuracy: list[float] | None


@dataclass(frozen=True)
class DeletionCurve:
    """Deleting the most attended words beside deleting random ones.

    Attributes:
        texts: how many.
        draws: orders of random deletion that are averaged.
        deleted: numbers of deleted words.
        attended: in the order of their weights.
        random: in random orders.
        gap: random's confidence less that of attended, mean over texts; above 0 where attention points at words that
            matter.
        gap_ci95: half of the 95 % interval of that mean over texts; 1, the largest there is, where there is one text.
    """

    texts: int
    draws: int
    deleted: list[int]
    attended: Course
    random: Course
    gap: list[float]
    gap_ci95: list[float]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)


def deletion_curve(
    rows: Ragged,
    weights: Sequence[np.ndarray],
    answer: Callable[[Ragged], np.ndarray],
    labels: np.ndarray | None = None,
    *,
    deleted: Sequence[int] = DELETED,
    draws: int = DRAWS,
    seed: int = 0,
) -> DeletionCurve:
    """Delete the k most attended words of each text, or k random ones, and ask the model again.

    A deleted word is taken out of its row, and the words beside it move together. A text with fewer words than are to
    be deleted loses them all, whichever way.

    Source: as "comprehensiveness" in DeYoung et al., "ERASER: A benchmark to evaluate rationalized NLP models", ACL
    2020; whether attention passes it is debated since Jain & Wallace, "Attention is not explanation", NAACL 2019.

    Args:
        rows: numbers of words of n ≥ 1 texts.
        weights: of each text `(words,)`.
        answer: texts to probabilities `(n, k)`.
        labels: `(n,)` right answers, −1 where unknown; None if nobody knows any.
        deleted: numbers of words to delete, from 0.
        draws: random orders to average.
        seed: draws them.
    """
    rng = np.random.default_rng([seed, 0xDE1E7E])
    whole = answer(rows)
    first = whole.argmax(axis=1)
    orders = [ranks(rows, -np.concatenate(weights))]
    orders += [ranks(rows, rng.random(len(rows.values))) for _ in range(draws)]
    # (orders, numbers of deleted words, texts)
    answers = [[answer(without(rows, order, k)) if k else whole for k in deleted] for order in orders]
    kept = np.array([[p[np.arange(len(p)), first] for p in row] for row in answers])
    predicted = np.array([[p.argmax(axis=1) for p in row] for row in answers])
    gap = kept[1:].mean(axis=0) - kept[0]

    def course(part: slice) -> Course:
        known = None if labels is None or not (labels != UNLABELLED).any() else labels != UNLABELLED
        right = None if known is None else (predicted[part] == labels)[..., known]
        return Course(_means(kept[part]), _means(predicted[part] == first), None if right is None else _means(right))

    return DeletionCurve(
        len(rows),
        draws,
        list(deleted),
        course(slice(1)),
        course(slice(1, None)),
        [float(g.mean()) for g in gap],
        [mean_ci95(g.tolist()) if len(g) > 1 else 1.0 for g in gap],
    )


def _means(values: np.ndarray) -> list[float]:
    """Means over orders and texts, of `(orders, numbers, texts)`."""
    return [float(v) for v in values.mean(axis=(0, 2))]


def ranks(rows: Ragged, keys: np.ndarray) -> np.ndarray:
    """The rank of each value among those of its own row, from 0, by rising keys; equal keys in their order.

    Args:
        rows: any.
        keys: `(total,)`, one for each value.
    """
    row = np.repeat(np.arange(len(rows)), rows.lengths)
    order = np.lexsort((keys, row))
    found = np.empty(len(keys), dtype=np.int64)
    found[order] = np.arange(len(keys)) - np.repeat(rows.offsets[:-1], rows.lengths)
    return found


def without(rows: Ragged, order: np.ndarray, k: int) -> Ragged:
    """The rows without the values whose rank `(total,)` is below k."""
    lengths = np.maximum(rows.lengths - k, 0)
    return Ragged(rows.values[order >= k], np.concatenate([[0], np.cumsum(lengths)]))
