"""Scores of searches against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.metrics.searches import Gallery, prefixed, search_scores


def order(query: np.ndarray, items: np.ndarray) -> list[int]:
    """Items, the nearest first; vectors here have no ties."""

    def cosine(item: np.ndarray) -> float:
        return float(sum(a * b for a, b in zip(query, item, strict=True)) / np.sqrt((query @ query) * (item @ item)))

    return sorted(range(len(items)), key=lambda i: -cosine(items[i]))


def again(queries: np.ndarray, labels: np.ndarray, gallery: Gallery) -> dict[str, float]:
    """What queries find that were drawn four times towards the twenty items nearest to them."""
    first, precise = [], []
    units = [v / np.linalg.norm(v) for v in gallery.vectors]
    for query, label in zip(queries, labels, strict=True):
        drawn = query / np.linalg.norm(query)
        for _ in range(4):
            nearest = order(drawn, gallery.vectors)[:20]
            weights = [max(float(drawn @ units[i]) / np.linalg.norm(drawn), 0) ** 3 for i in nearest]
            towards = sum(w * units[i] for w, i in zip(weights, nearest, strict=True)) / sum(weights)
            drawn = query / np.linalg.norm(query) + towards
        hits = [gallery.labels[i] == label for i in order(drawn, gallery.vectors)]
        precise.append(sum(sum(hits[: r + 1]) / (r + 1) for r in range(len(hits)) if hits[r]) / max(1, sum(hits)))
        first.append(hits[0])
    return {"expanded_precision_at_1": float(np.mean(first)), "expanded_map": float(np.mean(precise))}


def brute(queries: np.ndarray, labels: np.ndarray, own: np.ndarray, gallery: Gallery) -> dict[str, float]:
    n, found = len(gallery.vectors), {}
    orders = [order(query, gallery.vectors) for query in queries]
    known = [i for i, label in enumerate(labels) if label >= 0]
    if known and (gallery.labels >= 0).any():
        hits = {i: [int(gallery.labels[j] == labels[i]) for j in orders[i]] for i in known}
        for k in (1, 10):
            if n >= k:
                found[f"precision_at_{k}"] = float(np.mean([sum(hits[i][:k]) / k for i in known]))
        precise = {i: [sum(hits[i][: r + 1]) / (r + 1) for r in range(n)] for i in known}
        relevant = {i: sum(hits[i]) for i in known}

        def mean_ap(depth: int, over: str) -> float:
            values = []
            for i in known:
                first = precise[i][:depth]
                if over == "envelope":
                    first = [max(first[r:]) for r in range(depth)]
                total = sum(p for p, hit in zip(first, hits[i], strict=False) if hit)
                retrieved = sum(hits[i][:depth])
                values.append(
                    total
                    / max(1, {"retrieved": retrieved, "envelope": min(depth, relevant[i])}.get(over, relevant[i]))
                )
            return float(np.mean(values))

        found["map"] = mean_ap(n, "relevant")
        if n > 20:
            found |= again(queries[known], labels[known], gallery)
        if n >= 200:
            found |= {f"map_at_200_{over}": mean_ap(200, over) for over in ("retrieved", "envelope", "relevant")}
    there = [i for i, photo in enumerate(own) if photo in gallery.ids.tolist()]
    for k in (1, 10):
        if there and n >= k:
            ranks = [[int(gallery.ids[j]) for j in orders[i][:k]] for i in there]
            found[f"own_recall_at_{k}"] = float(
                np.mean([own[i] in first for i, first in zip(there, ranks, strict=True)])
            )
    return found


def world(q: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Gallery]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 5))
    own = rng.integers(-1, n + 2, q)  # some have none, some have one that is elsewhere
    queries = rng.normal(size=(q, 5)) + np.where((own >= 0) & (own < n), 1, 0)[:, None] * vectors[own.clip(0, n - 1)]
    gallery = Gallery(vectors, rng.integers(-1, 4, n), np.arange(n))
    return queries, rng.integers(-1, 4, q), own, gallery


@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 10**6))
def test_every_score_is_what_loops_find(q: int, n: int, seed: int) -> None:
    given_world = world(q, n, seed)
    assert search_scores(*given_world) == pytest.approx(brute(*given_world), abs=1e-9)


@pytest.mark.parametrize("n", [9, 10, 199, 200, 231])
def test_scores_deeper_than_a_gallery_are_left_out(n: int) -> None:
    given_world = world(15, n, n)
    found = search_scores(*given_world)
    assert found == pytest.approx(brute(*given_world), abs=1e-9)
    assert ("precision_at_10" in found) == ("own_recall_at_10" in found) == (n >= 10)
    assert sum(name.startswith("map_at_200") for name in found) == (3 if n >= 200 else 0)


def test_what_nobody_knows_is_left_out() -> None:
    queries, labels, own, gallery = world(6, 20, 0)
    nobody = np.full(6, -1)
    assert not any("own" in name for name in search_scores(queries, labels, nobody, gallery))
    assert not any("own" in name for name in search_scores(queries, labels, nobody + 1000, gallery))
    assert set(search_scores(queries, nobody, own, gallery)) == {"own_recall_at_1", "own_recall_at_10"}
    unknown = Gallery(gallery.vectors, np.full(20, -1), gallery.ids)
    assert set(search_scores(queries, labels, own, unknown)) == {"own_recall_at_1", "own_recall_at_10"}
    assert search_scores(queries, nobody, nobody, gallery) == {}


def test_queries_without_a_label_or_a_photo_do_not_weigh() -> None:
    queries, labels, own, gallery = world(20, 30, 5)
    labels[:4], own[:] = -1, np.where(np.arange(20) % 3, own, -1)
    found = search_scores(queries, labels, own, gallery)
    by_class = search_scores(queries[4:], labels[4:], np.full(16, -1), gallery)
    assert {name: found[name] for name in by_class} == pytest.approx(by_class)
    there = (own >= 0) & (own < 30)
    alone = search_scores(queries[there], np.full(there.sum(), -1), own[there], gallery)
    assert {name: found[name] for name in alone} == pytest.approx(alone)


def test_ids_are_matched_and_not_places() -> None:
    vectors = np.eye(3)
    gallery = Gallery(vectors, np.array([0, 1, 1]), np.array([50, 7, 9]))
    found = search_scores(vectors, np.array([0, 1, 1]), np.array([50, 9, 7]), gallery)
    assert found["own_recall_at_1"] == pytest.approx(1 / 3)
    assert found["precision_at_1"] == 1


def test_prefixes() -> None:
    assert prefixed({"map": 0.5}, "search_all") == {"search_all_map": 0.5}
