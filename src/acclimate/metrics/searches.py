"""What a retrieval model finds for queries it has not trained on, with labels and pairs that no training saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acclimate.metrics.expansion import expanded, nearest_in
from acclimate.metrics.retrieval import rank
from acclimate.types import UNLABELLED

_DEPTH = 200
# Items that expanded searches are drawn towards: chosen on categories that are trained on, of 25 photos each.
EXPANDED = 20
_QUERIES = 256


@dataclass(frozen=True, eq=False)
class Gallery:
    """Items that are searched.

    Attributes:
        vectors: `(n, d)`.
        labels: `(n,)` class of each; −1 where nobody knows.
        ids: int `(n,)`, which item each is, to tell a query's own.
    """

    vectors: np.ndarray
    labels: np.ndarray
    ids: np.ndarray


def search_scores(queries: np.ndarray, labels: np.ndarray, own: np.ndarray, gallery: Gallery) -> dict[str, float]:
    """Scores of one search, by the names that a run records.

    - `precision_at_1`, `precision_at_10`: items of the query's class among the first.
    - `map`: mean average precision by class over the whole gallery (mAP@all), and `map_at_200_<denominator>` in the
      three ways of the literature; see `retrieval.Ranked`.
    - `expanded_precision_at_1`, `expanded_map`: the same for queries drawn towards what they find first
      (`expansion.expanded`, 20 items), where the gallery holds more.
    - `own_recall_at_1`, `own_recall_at_10`: queries whose very own item is among the first.

    Precisions at more items than there are, and what nobody knows the truth of, are left out.

    Args:
        queries: vectors `(q, d)`.
        labels: `(q,)` class of each query; −1 where nobody knows.
        own: int `(q,)`, the id of each query's own item; −1 where it has none.
        gallery: what is searched.
    """
    n = len(gallery.vectors)
    found: dict[str, float] = {}
    if (labels != UNLABELLED).any() and (gallery.labels != UNLABELLED).any():
        ranked = rank(queries, gallery.vectors, labels, gallery.labels, depth=min(_DEPTH, n))
        found |= {f"precision_at_{k}": ranked.precision_at(k) for k in (1, 10) if k <= n}
        found["map"] = ranked.mean_average_precision()
        if n >= _DEPTH:
            for way in ("retrieved", "envelope", "relevant"):
                found[f"map_at_{_DEPTH}_{way}"] = ranked.mean_average_precision_at(_DEPTH, way)
        if n > EXPANDED:
            found |= _expanded(queries, labels, gallery)
    there = np.isin(own, gallery.ids)
    if there.any():
        # Each item is one of a kind here, so what is relevant is one item.
        ranked = rank(queries[there], gallery.vectors, own[there], gallery.ids, depth=min(10, n))
        found |= {f"own_recall_at_{k}": ranked.recall_at(k) for k in (1, 10) if k <= n}
    return found


def _expanded(queries: np.ndarray, labels: np.ndarray, gallery: Gallery) -> dict[str, float]:
    nearest = nearest_in(gallery.vectors)
    parts = [queries[start : start + _QUERIES] for start in range(0, len(queries), _QUERIES)]
    drawn = np.concatenate([expanded(part, nearest, EXPANDED) for part in parts])
    ranked = rank(drawn, gallery.vectors, labels, gallery.labels, depth=1)
    return {"expanded_precision_at_1": ranked.precision_at(1), "expanded_map": ranked.mean_average_precision()}


def prefixed(scores: Mapping[str, float], prefix: str) -> dict[str, float]:
    """The same scores under `<prefix>_<name>`."""
    return {f"{prefix}_{name}": score for name, score in scores.items()}
