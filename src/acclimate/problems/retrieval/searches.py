"""What a fitted retrieval model finds: scores on held-out queries, and the searches that a report shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.images import thumbnails
from acclimate.data.sketches import counterparts
from acclimate.data.task import Task
from acclimate.metrics.retrieval import rank, unit_rows
from acclimate.metrics.searches import Gallery, prefixed, search_scores
from acclimate.training.fitted import Fitted
from acclimate.types import UNLABELLED

_SHOWN, _HITS = 48, 10


@dataclass(frozen=True, eq=False)
class Searched:
    """Held-out queries and the held-out items they search, as vectors, with what is known of them after the fact.

    Attributes:
        queries: vectors `(q, d)`.
        labels: `(q,)` class of each query.
        own: `(q,)` row of its own item in `items`, −1 if it is not there.
        items: vectors `(n, d)`.
        item_labels: `(n,)` class of each item.
    """

    queries: np.ndarray
    labels: np.ndarray
    own: np.ndarray
    items: np.ndarray
    item_labels: np.ndarray


def searched(fitted: Fitted, task: Task) -> Searched | None:
    """Vectors of the held-out queries and items; None where the task holds none out."""
    queries, items = task.source_test, task.target_test
    if queries is None or items is None or not len(queries) or not len(items):
        return None
    return Searched(
        fitted.codes(queries, "source"),
        queries.labels,
        counterparts(queries, items),
        fitted.codes(items, "target"),
        _labels(task, "target_test", items),
    )


def retrieval_scores(fitted: Fitted, task: Task) -> dict[str, float]:
    """Scores of held-out queries (`metrics.searches.search_scores`), as `search_<name>` and `search_all_<name>`.

    With the prefixes `untrained_` and, standardised, `standardised_`, what the encoders' features alone would find.

    The first search is among held-out items, the second among these and those of training together, as a user's
    collection would hold both.
    """
    seen = searched(fitted, task)
    if seen is None:
        return {}
    assert fitted.plan.method.problem == "retrieval"
    trained = fitted.codes(task.target, "target")
    return _in_both(seen, trained, task.target.labels, "search") | _untrained(fitted, task, seen)


def _in_both(seen: Searched, trained: np.ndarray, trained_labels: np.ndarray, prefix: str) -> dict[str, float]:
    """Scores among held-out items, and among these and the training's together."""
    held_out = Gallery(seen.items, seen.item_labels, np.arange(len(seen.items)))
    everything = Gallery(
        np.concatenate([seen.items, trained]),
        np.concatenate([seen.item_labels, trained_labels]),
        np.arange(len(seen.items) + len(trained)),
    )
    return {
        **prefixed(search_scores(seen.queries, seen.labels, seen.own, held_out), prefix),
        **prefixed(search_scores(seen.queries, seen.labels, seen.own, everything), f"{prefix}_all"),
    }


def _untrained(fitted: Fitted, task: Task, seen: Searched) -> dict[str, float]:
    """The same without any training, where both sides' features are of one kind: as they are, and standardised.

    Each side is standardised by its own training examples, so that no query is judged by the others.
    """
    queries, items = task.source_test, task.target_test
    assert queries is not None
    assert items is not None
    if queries.kind != "features" or queries.array.shape[1] != items.array.shape[1]:
        return {}
    roles = {"queries": (queries, "source"), "items": (items, "target"), "trained": (task.target, "target")}
    raw = {name: domain.array for name, (domain, _) in roles.items()}
    even = {
        name: fitted.plan.preprocess.of(side).batch(domain.array, None).numpy()
        for name, (domain, side) in roles.items()
    }
    found: dict[str, float] = {}
    for prefix, vectors in (("untrained_search", raw), ("standardised_search", even)):
        before = replace(seen, queries=vectors["queries"], items=vectors["items"])
        found |= _in_both(before, vectors["trained"], task.target.labels, prefix)
    return found


def searches_of_run(fitted: Fitted, task: Task) -> dict[str, np.ndarray] | None:
    """The content of `searches.npz`; None for a method that does not retrieve, or without held-out queries.

    With q ≤ 48 queries, drawn, h ≤ 10 hits, n held-out items and k classes:

        query_id                 str (q,)
        query_images             uint8 (q, s, s, c), where there are pictures
        label, own               (q,) class; row of its own item, or −1
        hits                     (q, h) rows of items
        hit_images               uint8 (q, h, s, s, c), where there are pictures
        similarity               (q, h)
        average_precision        (q,) by class, among all held-out items
        item_id                  str (n,)
        item_label               (n,)
        class_map                (k,) mean of average_precision over all queries of a class, NaN where there is none
        class_queries            (k,) how many queries that is

    Args:
        fitted: the model.
        task: with held-out queries and items.
    """
    if fitted.plan.method.problem != "retrieval" or (seen := searched(fitted, task)) is None:
        return None
    assert task.source_test is not None
    assert task.target_test is not None
    ranked = rank(seen.queries, seen.items, seen.labels, seen.item_labels, depth=1)
    precision = np.full(len(seen.labels), np.nan)
    precision[seen.labels != UNLABELLED] = ranked.average_precision
    rows = np.sort(np.random.default_rng(0).permutation(len(seen.queries))[:_SHOWN])
    similarity = unit_rows(seen.queries[rows]) @ unit_rows(seen.items).T
    hits = np.argsort(-similarity, axis=1, kind="stable")[:, :_HITS]
    shown = task.source_test.take(rows)
    found = {
        "query_id": np.array(shown.ids or [str(row) for row in rows]),
        "label": shown.labels,
        "own": seen.own[rows],
        "hits": hits,
        "similarity": np.take_along_axis(similarity, hits, axis=1).astype(np.float32),
        "average_precision": precision[rows],
        "item_id": np.array(task.target_test.ids or [str(i) for i in range(len(seen.items))]),
        "item_label": seen.item_labels,
        **_by_class(precision, seen.labels, len(task.source.classes)),
    }
    drawn, photos = _pictures(shown), _pictures(task.target_test)
    if drawn is not None:
        found["query_images"] = drawn
    if photos is not None:
        found["hit_images"] = photos[hits]
    return found


def _pictures(domain: Domain) -> np.ndarray | None:
    """What a domain's examples are shown by, small."""
    return thumbnails(domain.array) if domain.kind == "images" else domain.pictures


def _by_class(values: np.ndarray, labels: np.ndarray, k: int) -> dict[str, np.ndarray]:
    known = (labels != UNLABELLED) & ~np.isnan(values)
    count = np.bincount(labels[known], minlength=k)
    total = np.bincount(labels[known], weights=values[known], minlength=k)
    return {"class_map": np.where(count > 0, total / np.maximum(count, 1), np.nan), "class_queries": count}


def _labels(task: Task, role: str, domain: Domain) -> np.ndarray:
    known = None if task.hidden is None else getattr(task.hidden, role)
    return domain.labels if known is None else np.asarray(known)
