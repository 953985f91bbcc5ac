"""Scores of retrieval against plain loops and scikit-learn, their properties, and numbers known of real features."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from acclimate.data import catalog
from acclimate.data.sketches import own_rows
from acclimate.errors import DataError, RequestError
from acclimate.metrics import retrieval
from acclimate.metrics.retrieval import rank, standardised

DENOMINATORS = ("retrieved", "envelope", "relevant")
World = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Small whole numbers, so that many similarities are equal; keys of a few classes, some of them unknown."""
    q, n, d = draw(st.integers(1, 6)), draw(st.integers(1, 12)), draw(st.integers(1, 3))
    numbers = st.integers(-2, 2)
    keys = st.integers(-1, 2)
    return (
        draw(arrays(np.float32, (q, d), elements=numbers)),
        draw(arrays(np.float32, (n, d), elements=numbers)),
        draw(arrays(np.int64, q, elements=keys)),
        draw(arrays(np.int64, n, elements=keys)),
    )


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """From exact integers, so that equal ones are equal."""
    lengths = int(a @ a) * int(b @ b)
    dot = int(a @ b)
    return math.copysign(dot * dot / lengths, dot) if lengths else 0.0


def brute_force(world: World) -> list[tuple[list[bool], int]]:
    """Relevance in ranked order and number of relevant items, query by query."""
    queries, gallery, query_keys, gallery_keys = world
    found = []
    for query, key in zip(queries, query_keys, strict=True):
        if key == -1:
            continue
        order = sorted(range(len(gallery)), key=lambda i: (-cosine(query, gallery[i]), i))
        hits = [bool(gallery_keys[i] == key) for i in order]
        found.append((hits, sum(hits)))
    return found


def loop_average_precision(hits: list[bool], over: int, envelope: bool = False) -> float:
    total = 0.0
    precisions = [sum(hits[: r + 1]) / (r + 1) for r in range(len(hits))]
    for r, hit in enumerate(hits):
        if hit:
            total += max(precisions[r:]) if envelope else precisions[r]
    return total / over if over else 0.0


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


@given(worlds(), st.data())
def test_every_score_is_that_of_a_plain_loop(world: World, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(world[1])))
    ranked, expected = rank(*world), brute_force(world)
    same = {
        ranked.precision_at(k): mean([sum(hits[:k]) / k for hits, _ in expected]),
        ranked.recall_at(k): mean([float(any(hits[:k])) for hits, _ in expected]),
        ranked.mean_average_precision(): mean([loop_average_precision(hits, total) for hits, total in expected]),
        ranked.mean_average_precision_at(k, "retrieved"): mean(
            [loop_average_precision(hits[:k], sum(hits[:k])) for hits, _ in expected]
        ),
        ranked.mean_average_precision_at(k, "envelope"): mean(
            [loop_average_precision(hits[:k], min(k, total), envelope=True) for hits, total in expected]
        ),
        ranked.mean_average_precision_at(k, "relevant"): mean(
            [loop_average_precision(hits[:k], total) for hits, total in expected]
        ),
    }
    for score, by_loop in same.items():
        np.testing.assert_allclose(score, by_loop, atol=1e-12)
    assert ranked.without_relevant == sum(total == 0 for _, total in expected)


def features(seed: int, n: int = 40, q: int = 12, classes: int = 4) -> World:
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, classes, q + n)
    rows = rng.normal(size=(q + n, 8)) + 0.7 * np.eye(classes, 8)[keys]
    return rows[:q], rows[q:], keys[:q], keys[q:]


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_scikit_learns(seed: int) -> None:
    queries, gallery, query_keys, gallery_keys = world = features(seed)
    ranked, k = rank(*world, depth=40), 10
    units = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (queries, gallery)]
    similar = units[0] @ units[1].T
    whole, cut = [], []
    for row, key in zip(similar, query_keys, strict=True):
        whole.append(average_precision_score(gallery_keys == key, row))
        first = np.argsort(-row)[:k]
        hits = gallery_keys[first] == key
        cut.append(average_precision_score(hits, row[first]) if hits.any() else 0.0)
    np.testing.assert_allclose(ranked.average_precision, whole)
    np.testing.assert_allclose(ranked.mean_average_precision(), np.mean(whole))
    np.testing.assert_allclose(ranked.mean_average_precision_at(k, "retrieved"), np.mean(cut))


def pascal_voc(hits: np.ndarray, total: int) -> float:
    """The area under the monotone curve of precision over recall, as PASCAL VOC's development kit computes it."""
    recall = np.concatenate([[0], hits.cumsum() / total, [1]])
    precision = np.concatenate([[0], hits.cumsum() / np.arange(1, len(hits) + 1), [0]])
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    moves = np.flatnonzero(recall[1:] != recall[:-1])
    return float(((recall[moves + 1] - recall[moves]) * precision[moves + 1]).sum())


@pytest.mark.parametrize("k", [1, 5, 10, 40])
def test_the_envelope_is_pascal_vocs(k: int) -> None:
    ranked = rank(*features(3), depth=40)
    expected = [pascal_voc(hits[:k], min(k, total)) for hits, total in zip(ranked.hits, ranked.relevant, strict=True)]
    np.testing.assert_allclose(ranked.mean_average_precision_at(k, "envelope"), np.mean(expected))


def test_the_three_denominators_by_hand() -> None:
    # Ranked: no, yes, no, yes, and a third relevant item behind the cut.
    gallery = np.array([[math.cos(a), math.sin(a)] for a in (0.1, 0.2, 0.3, 0.4, 0.5)])
    ranked = rank(np.array([[1.0, 0.0]]), gallery, np.array([1]), np.array([0, 1, 0, 1, 1]))
    assert ranked.mean_average_precision_at(4, "retrieved") == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert ranked.mean_average_precision_at(4, "relevant") == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert ranked.mean_average_precision_at(2, "envelope") == pytest.approx((1 / 2) / 2)
    assert ranked.mean_average_precision() == pytest.approx((1 / 2 + 2 / 4 + 3 / 5) / 3)


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_queries_does_not_matter(world: World, random: object) -> None:
    order = list(range(len(world[0])))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, two = rank(*world), rank(world[0][order], world[1], world[2][order], world[3])
    known = [i for i in order if world[2][i] != -1]
    places = {query: row for row, query in enumerate(i for i in range(len(world[0])) if world[2][i] != -1)}
    np.testing.assert_array_equal(two.hits, one.hits[[places[i] for i in known]])
    np.testing.assert_allclose(one.mean_average_precision(), two.mean_average_precision())


@given(worlds(), st.floats(1e-30, 1e30))
def test_the_length_of_vectors_does_not_matter(world: World, scale: float) -> None:
    longer = rank(world[0].astype(np.float64) * scale, world[1].astype(np.float64) / scale, *world[2:])
    np.testing.assert_array_equal(longer.hits, rank(*world).hits)


@given(worlds(), st.integers(1, 5))
def test_blocks_change_nothing(world: World, block: int) -> None:
    whole = rank(*world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieval, "_BLOCK_BYTES", block * retrieval._BYTES_A_PAIR * len(world[1]))
        parts = rank(*world)
    np.testing.assert_array_equal(parts.hits, whole.hits)
    np.testing.assert_array_equal(parts.average_precision, whole.average_precision)


@given(worlds(), st.data())
def test_scores_stand_in_their_order(world: World, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(world[1])))
    ranked = rank(*world)
    if not len(ranked.hits):
        return
    scores = {name: ranked.mean_average_precision_at(k, name) for name in DENOMINATORS}
    for score in (*scores.values(), ranked.precision_at(k), ranked.recall_at(k), ranked.mean_average_precision()):
        assert 0 <= score <= 1 + 1e-12
    assert scores["relevant"] <= scores["envelope"] + 1e-12
    assert scores["relevant"] <= scores["retrieved"] + 1e-12
    assert ranked.precision_at(k) <= ranked.recall_at(k)
    if k > 1:
        assert ranked.recall_at(k - 1) <= ranked.recall_at(k)


def test_a_perfect_ranking_gives_1_everywhere_and_a_useless_one_0() -> None:
    keys = np.repeat(np.arange(4), 5)
    gallery, queries = np.eye(4)[keys], np.eye(4)
    best = rank(queries, gallery, np.arange(4), keys)
    scores = [best.precision_at(5), best.recall_at(1), best.mean_average_precision()]
    scores += [best.mean_average_precision_at(5, name) for name in DENOMINATORS]
    assert scores == [1] * 6
    worst = rank(queries, gallery, np.arange(4) + 10, keys)
    scores = [worst.precision_at(5), worst.recall_at(5), worst.mean_average_precision()]
    scores += [worst.mean_average_precision_at(5, name) for name in DENOMINATORS]
    assert scores == [0] * 6
    assert worst.without_relevant == 4


def test_of_equal_items_the_lower_index_comes_first() -> None:
    gallery = np.ones((500, 7)) * np.linspace(1, 3, 500)[:, None]
    for place in (0, 17, 499):
        ranked = rank(np.ones((3, 7)), gallery, np.full(3, place), np.arange(500), depth=500)
        np.testing.assert_array_equal(ranked.hits.argmax(axis=1), [place] * 3)
        assert ranked.mean_average_precision() == pytest.approx(1 / (place + 1))


def test_keys_may_be_ids() -> None:
    ranked = rank(np.eye(2), np.eye(2), np.array(["b", "x"]), np.array(["a", "b"]))
    assert ranked.hits.tolist() == [[False, True], [False, False]]
    assert ranked.recall_at(2) == 0.5


def test_without_a_query_scores_are_not_numbers() -> None:
    ranked = rank(np.ones((2, 3)), np.ones((4, 3)), np.array([-1, -1]), np.zeros(4, int))
    scores = [ranked.precision_at(1), ranked.recall_at(1), ranked.mean_average_precision()]
    scores += [ranked.mean_average_precision_at(2, name) for name in DENOMINATORS]
    assert all(math.isnan(score) for score in scores)
    assert math.isnan(rank(np.ones((0, 3)), np.ones((4, 3)), np.zeros(0, int), np.zeros(4, int)).recall_at(1))


@pytest.mark.parametrize("k", [0, -1, 5])
def test_k_of_nothing_or_more_than_there_is_is_refused(k: int) -> None:
    ranked = rank(np.ones((2, 3)), np.ones((4, 3)), np.zeros(2, int), np.zeros(4, int))
    with pytest.raises(RequestError, match=rf"k must lie in 1…4, the size of the gallery; got {k}. Ask for fewer"):
        ranked.precision_at(k)
    for score in (ranked.recall_at, lambda k: ranked.mean_average_precision_at(k, "relevant")):
        with pytest.raises(RequestError, match="k must lie in 1…4"):
            score(k)
    with pytest.raises(RequestError, match="depth must lie in 1…4, the size of the gallery"):
        rank(np.ones((2, 3)), np.ones((4, 3)), np.zeros(2, int), np.zeros(4, int), depth=k)


def test_k_beyond_the_depth_is_refused_with_the_way_out() -> None:
    ranked = rank(np.ones((2, 3)), np.ones((4, 3)), np.zeros(2, int), np.zeros(4, int), depth=2)
    with pytest.raises(RequestError, match="k must lie in 1…2, the depth of this ranking; got 3. Rank deeper."):
        ranked.precision_at(3)
    assert ranked.mean_average_precision() == 1


def test_other_denominators_are_refused() -> None:
    ranked = rank(np.ones((2, 3)), np.ones((4, 3)), np.zeros(2, int), np.zeros(4, int))
    with pytest.raises(RequestError, match="denominator must be one of retrieved, envelope, relevant; got 'k'"):
        ranked.mean_average_precision_at(2, "k")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("queries", "gallery", "keys", "rule"),
    [
        (np.ones((2, 3)), np.ones((4, 2)), 4, r"gallery must hold vectors of 3 numbers, .*; got shape \(4, 2\)"),
        (np.ones((2, 3)), np.ones((0, 3)), 0, r"gallery must hold vectors of 3 numbers, .*; got shape \(0, 3\)"),
        (np.ones((2, 3)), np.ones((4, 3)), 3, r"gallery must be vectors \(n, d\) with one key for each"),
        (np.ones(2), np.ones((4, 3)), 4, r"queries must be vectors \(n, d\) with one key for each"),
        (np.full((2, 3), np.nan), np.ones((4, 3)), 4, "queries must be finite numbers; got others in row 0"),
        (np.ones((2, 3)), np.array([[1.0], [np.inf]]) * np.ones(3), 2, "gallery must be finite .* others in row 1"),
    ],
)
def test_vectors_that_cannot_be_ranked_are_refused(
    queries: np.ndarray, gallery: np.ndarray, keys: int, rule: str
) -> None:
    with pytest.raises(DataError, match=rule):
        rank(queries, gallery, np.zeros(2, int), np.zeros(keys, int))


def test_standardised_columns() -> None:
    features = np.array([[1.0, 5, 0], [3, 5, 1], [5, 5, 2]])
    found = standardised(features)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0), [1, 0, 1])


def test_the_known_numbers_of_untrained_features(real_data: Path) -> None:
    """Sketch → photo among the 3,125 of the pack, cosine, no training."""
    if not (real_data / "sketchy" / "sketchy_mobilenetv2_1280.npz").is_file():
        pytest.skip(f"no sketchy/sketchy_mobilenetv2_1280.npz in {real_data}")
    data = catalog.dataset("sketchy_encoded")
    photos, sketches = (data.parse(real_data / "sketchy", split) for split in ("photo", "sketch"))
    by_class = rank(sketches.array, photos.array, sketches.labels, photos.labels)
    own = rank(sketches.array, photos.array, own_rows(sketches.ids, photos.ids), np.arange(len(photos)))
    # The published figure adds a little to the standard deviations, which moves one sketch of 3,125.
    apart, exactly = (
        rank(standardised(sketches.array, a), standardised(photos.array, a), sketches.labels, photos.labels)
        for a in (1e-3, 0.0)
    )
    found = {
        "class P@1": by_class.precision_at(1),
        "class mAP@all": by_class.mean_average_precision(),
        "own photo R@1": own.recall_at(1),
        "own photo R@10": own.recall_at(10),
        "standardised class P@1": apart.precision_at(1),
        "standardised class mAP@all": apart.mean_average_precision(),
        "the same, nothing added": exactly.precision_at(1),
    }
    assert {name: round(100 * score, 2) for name, score in found.items()} == {
        "class P@1": 5.63,
        "class mAP@all": 4.31,
        "own photo R@1": 0.99,
        "own photo R@10": 3.62,
        "standardised class P@1": 12.54,
        "standardised class mAP@all": 8.34,
        "the same, nothing added": 12.58,
    }
    assert by_class.without_relevant == own.without_relevant == 0
