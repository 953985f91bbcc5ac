"""How well queries find what belongs to them in a gallery: precision, recall and mean average precision.

Everything is ranked by cosine. What counts as relevant is decided by keys, one for each query and each gallery item:
with classes as keys a hit is an item of the query's class, with the photo's row as key it is the query's own photo.
The two differ by a factor of several, so a score is worth nothing without saying which.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from acclimate.errors import DataError, RequestError
from acclimate.types import UNLABELLED

Denominator = Literal["retrieved", "envelope", "relevant"]

_BLOCK_BYTES = 2**26
_BYTES_A_PAIR = 32  # the similarity twice, its steps, the order, hits and their places
_STEPS = 2**24


@dataclass(frozen=True, eq=False)
class Ranked:
    """What became of every query that has a key; scores are means over these queries, as fractions in [0, 1].

    A query that has nothing relevant in the gallery counts as 0 in each of them; `without_relevant` says how many
    there are. Scores are NaN where there is no query.

    Attributes:
        hits: bool `(q, depth)`; whether the first, second, … item of the ranking is relevant.
        relevant: int64 `(q,)`; relevant items in the whole gallery.
        average_precision: float64 `(q,)`, over the whole gallery.
        gallery: number of items in it.
    """

    hits: np.ndarray
    relevant: np.ndarray
    average_precision: np.ndarray
    gallery: int

    @property
    def without_relevant(self) -> int:
        """Queries of which the gallery holds nothing relevant."""
        return int((self.relevant == 0).sum())

    def precision_at(self, k: int) -> float:
        """Share of the first k items that is relevant.

        Raises:
            RequestError: if k is less than 1 or more than the gallery holds or was ranked to.
        """
        return _mean(self._first(k).mean(axis=1))

    def recall_at(self, k: int) -> float:
        """Share of the queries that find something relevant among the first k items.

        With photos as keys it is the recall@K of instance retrieval: the query's own photo is among the first k. With
        classes as keys it is a hit rate, and not the share of the relevant items that was found.

        Raises:
            RequestError: as for `precision_at`.
        """
        return _mean(self._first(k).any(axis=1))

    def mean_average_precision(self) -> float:
        """Mean over queries of the average precision over the whole gallery (mAP@all).

        AP = 1/R Σ_r precision@r over the ranks r of the R relevant items
        """
        return _mean(self.average_precision)

    def mean_average_precision_at(self, k: int, denominator: Denominator) -> float:
        """Mean average precision over the first k items, in one of the three ways that papers compute it.

        The sum of precision@r over the ranks r ≤ k of relevant items is divided by

        - `"retrieved"`: how many these are. It is scikit-learn's average precision of the cut list, as in SEM-PCYC
          (Dutta & Akata, CVPR 2019). Finding less does not lower it: one hit at rank 1 and nothing more gives 1.
        - `"envelope"`: min(k, R), with precision@r replaced by the highest precision at r or later among the first k,
          the area under PASCAL VOC's monotone curve, as in SAKE (Liu et al., ICCV 2019) and ACNet.
        - `"relevant"`: R, all relevant items of the gallery. It cannot reach 1 where R > k.

        Numbers of different denominators must not be compared.

        Args:
            k: 200, in the literature.
            denominator: one of the three.

        Raises:
            RequestError: as for `precision_at`, or if there is no such denominator.
        """
        if denominator not in get_args(Denominator):
            raise RequestError(
                "denominator",
                f"must be one of {', '.join(get_args(Denominator))}",
                repr(denominator),
                "Take the one that the paper you compare with took.",
            )
        hits = self._first(k)
        precision = hits.cumsum(axis=1) / np.arange(1, k + 1)
        if denominator == "envelope":
            precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        over = {
            "retrieved": hits.sum(axis=1),
            "envelope": np.minimum(k, self.relevant),
            "relevant": self.relevant,
        }[denominator]
        return _mean((precision * hits).sum(axis=1) / np.maximum(over, 1))

    def _first(self, k: int) -> np.ndarray:
        """Hits `(q, k)`."""
        depth = self.hits.shape[1]
        if not 1 <= k <= depth:
            cut = depth < self.gallery
            raise RequestError(
                "k",
                f"must lie in 1…{depth:,}, {'the depth of this ranking' if cut else 'the size of the gallery'}",
                k,
                "Rank deeper." if cut else "Ask for fewer, or give a larger gallery.",
            )
        return self.hits[:, :k]


def rank(
    queries: np.ndarray,
    gallery: np.ndarray,
    query_keys: np.ndarray,
    gallery_keys: np.ndarray,
    *,
    depth: int | None = None,
) -> Ranked:
    """Rank the gallery by its cosine to each query; of equal similarities the item with the lower index comes first.

    Similarities are computed in double precision and compared in steps of 2⁻²⁴ (6e-8), so that neither the order of
    the queries nor the rounding of a matrix product decides between items that are equal. A vector of zeros has the
    cosine 0 to all. Memory is bounded whatever the number of queries: they are ranked in blocks.

    Args:
        queries: `(q, d)` finite numbers.
        gallery: `(n, d)` finite numbers, n ≥ 1.
        query_keys: `(q,)` integers or strings. Queries with the key −1 (no label) are left out.
        gallery_keys: `(n,)` of the same type. Items with the key −1 are ranked and never relevant.
        depth: how many of the first items to keep hits of, so the largest k to ask for; by default 200 or all that
            there are.

    Raises:
        DataError: if shapes do not fit or numbers are not finite.
        RequestError: if `depth` is less than 1 or larger than the gallery.
    """
    queries, query_keys = _checked("queries", queries, query_keys)
    gallery, gallery_keys = _checked("gallery", gallery, gallery_keys)
    if queries.shape[1] != gallery.shape[1] or not len(gallery):
        raise DataError(
            "gallery",
            f"must hold vectors of {queries.shape[1]:,} numbers, as the queries have",
            f"shape {gallery.shape}",
            "Encode both with the same model.",
        )
    depth = min(200, len(gallery)) if depth is None else depth
    if not 1 <= depth <= len(gallery):
        raise RequestError(
            "depth", f"must lie in 1…{len(gallery):,}, the size of the gallery", depth, "Leave it out for 200 or all."
        )
    known = _labelled(query_keys)
    units, query_keys = unit_rows(queries[known]), query_keys[known]
    items, of_items = unit_rows(gallery), _labelled(gallery_keys)
    found = [
        _judged((query_keys[rows, None] == gallery_keys) & of_items, order, depth)
        for rows, order in _orders(units, items)
    ]
    hits, relevant, precision = zip(*found, strict=True) if found else ((), (), ())
    return Ranked(
        np.concatenate([np.zeros((0, depth), dtype=bool), *hits]),
        np.concatenate([np.zeros(0, dtype=np.int64), *relevant]),
        np.concatenate([np.zeros(0), *precision]),
        len(gallery),
    )


def standardised(features: np.ndarray, added: float = 0.0) -> np.ndarray:
    """Each column at mean 0 and standard deviation 1 over these rows; a constant one at 0.

    Done to queries and gallery apart, it removes what sets the two sides apart as wholes, without any training. For
    that it looks at all queries at once (transductive), and a score with it must say so.

    Args:
        features: `(n, d)`.
        added: to every standard deviation before dividing by it, 0 or more, so that columns of hardly any spread are
            not blown up.

    Returns:
        float64 `(n, d)`.

    Example:
        >>> standardised(np.array([[0.0], [2.0]])).tolist()
        [[-1.0], [1.0]]
    """
    features = np.asarray(features, dtype=np.float64)
    spread = features.std(axis=0) + added
    return np.asarray((features - features.mean(axis=0)) / np.where(spread > 0, spread, 1))


def _orders(queries: np.ndarray, items: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of queries and, for each of these, the indices of all items, the nearest first."""
    block = max(1, _BLOCK_BYTES // (_BYTES_A_PAIR * len(items)))
    for start in range(0, len(queries), block):
        rows = slice(start, start + block)
        steps = np.rint(queries[rows] @ items.T * -_STEPS).astype(np.int32)
        yield rows, np.argsort(steps, axis=1, kind="stable")


def _judged(relevant: np.ndarray, order: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits among the first, number of relevant items and average precision over all, for each query of a block."""
    hits = np.take_along_axis(relevant, order, axis=1)
    total = hits.sum(axis=1)
    query, place = np.nonzero(hits)
    # The relevant items of a query in order are its 1st, 2nd, …: so many hits there are up to each of them.
    number = np.arange(len(query)) - np.repeat(total.cumsum() - total, total) + 1
    sums = np.bincount(query, weights=number / (place + 1), minlength=len(hits))
    # Copied, or every block would be kept whole.
    return hits[:, :depth].copy(), total, sums / np.maximum(total, 1)


def _checked(name: str, vectors: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vectors, keys = np.asarray(vectors), np.asarray(keys)
    if vectors.ndim != 2 or keys.shape != (len(vectors),):
        raise DataError(
            name,
            "must be vectors (n, d) with one key for each",
            f"shape {vectors.shape} with keys of shape {keys.shape}",
            "Give one row and one key for each.",
        )
    if not np.isfinite(vectors).all():
        row = int(np.argwhere(~np.isfinite(vectors))[0, 0])
        raise DataError(name, "must be finite numbers", f"others in row {row}", "Leave these rows out.")
    return vectors, keys


def _labelled(keys: np.ndarray) -> np.ndarray:
    """Which keys are known; strings all are."""
    return keys != UNLABELLED if keys.dtype.kind in "iu" else np.ones(len(keys), dtype=bool)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows `(n, d)` scaled to length 1 in double precision; rows of zeros stay.

    Example:
        >>> unit_rows(np.array([[3.0, 4.0]])).round(3).tolist()
        [[0.6, 0.8]]
    """
    vectors = vectors.astype(np.float64)
    # First by the largest number, as squares of very large and very small ones leave the range.
    scale = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    vectors = vectors / np.where(scale > 0, scale, 1)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))


def _mean(values: Any) -> float:
    return float(values.mean()) if len(values) else float("nan")
