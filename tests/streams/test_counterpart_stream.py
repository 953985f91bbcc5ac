"""Batches in which each sketch comes with its own photo, as far as that is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess, Sides
from acclimate.streams.gallery import CounterpartStream
from acclimate.types import GalleryBatch

CPU = torch.device("cpu")
K = 3


def sides(n: int, m: int, seed: int, share: float = 0.8) -> tuple[Domain, Domain, np.ndarray]:
    """`n` sketches numbered from 0, `m` photos numbered from 1000, and the photos that sketches were drawn from.

    Some sketches have no photo, some photos no label; of each class one photo is labelled at least.
    """
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(m) % K)
    given_labels = np.where(rng.random(m) < share, truth, -1)
    for k in range(K):
        given_labels[np.flatnonzero(truth == k)[0]] = k
    own = np.where(rng.random(n) < 0.7, rng.integers(0, m, n), -1)
    labels = np.where(own >= 0, truth[own], rng.integers(0, K, n))
    labels[rng.random(n) < 0.1] = -1
    labels[:K] = np.arange(K)  # a source has labels
    own[:K] = -1
    classes = tuple("abc")
    source = Domain(np.arange(n, dtype=np.float32)[:, None], labels, classes, "sketches")
    target = Domain(np.arange(m, dtype=np.float32)[:, None] + 1000, given_labels, classes, "photos")
    return source, target, own


def stream(
    source: Domain, target: Domain, own: np.ndarray, batch_size: int, seed: int = 0, process: tuple[int, int] = (0, 1)
) -> CounterpartStream:
    features = Preprocess(kind="features", channels=1)
    return CounterpartStream(source, target, own, Sides(source=features, target=features), batch_size, seed, process)


def numbers(batch: GalleryBatch) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the batch's sketches and photos."""
    return batch.queries.x.flatten().long().numpy(), batch.items.x.flatten().long().numpy() - 1000


@given(st.integers(4, 30), st.integers(4, 20), st.integers(2, 12), st.integers(0, 10**6))
def test_each_sketch_comes_with_its_own_photo_or_a_class_mate(n: int, m: int, batch_size: int, seed: int) -> None:
    source, target, own = sides(n, m, seed)
    drawn = stream(source, target, own, batch_size, seed)
    for _ in range(4):
        batch = drawn.batch(0.5, CPU)
        sketches, photos = numbers(batch)
        assert len(sketches) == batch_size
        assert len(photos) == batch_size + max(2, min(batch_size, target.num_labelled))
        assert (source.labels[sketches] >= 0).all()
        assert (target.labels[photos] >= 0).all()  # the others are never drawn
        np.testing.assert_array_equal(batch.items.y.numpy(), target.labels[photos])
        np.testing.assert_array_equal(batch.queries.y.numpy(), source.labels[sketches])
        for i, sketch in enumerate(sketches):
            photo = own[sketch]
            known = photo >= 0 and target.labels[photo] >= 0
            if known:
                assert photos[i] == photo
            assert target.labels[photos[i]] == source.labels[sketch]
            expected = [bool(known and shown == photo) for shown in photos]  # wherever in the batch it stands
            assert batch.counterparts[i].tolist() == expected


def test_two_sketches_of_one_photo_are_each_others_matches_too() -> None:
    classes = ("a", "b")
    source = Domain(np.arange(4, dtype=np.float32)[:, None], np.array([0, 0, 1, 1]), classes)
    target = Domain(np.arange(2, dtype=np.float32)[:, None] + 1000, np.array([0, 1]), classes)
    batch = stream(source, target, np.array([0, 0, 1, -1]), 4).batch(0.0, CPU)
    sketches, photos = numbers(batch)
    assert sorted(sketches) == [0, 1, 2, 3]
    assert sorted(photos[4:]) == [0, 1]
    found = dict(zip(sketches.tolist(), batch.counterparts.sum(dim=1).tolist(), strict=True))
    assert found == {
        0: 3,
        1: 3,
        2: 3,
        3: 0,
    }  # photo 1 stands there as the mate of sketch 3 too, and among the further


def test_mates_are_drawn_from_all_of_the_class() -> None:
    source = Domain(np.zeros((2, 1), np.float32), np.array([0, 1]), ("a", "b"))
    target = Domain(np.arange(8, dtype=np.float32)[:, None] + 1000, np.arange(8) % 2, ("a", "b"))
    drawn = stream(source, target, np.array([-1, -1]), 2)
    seen = {row for _ in range(60) for row in numbers(drawn.batch(0.0, CPU))[1][:2].tolist()}
    assert seen == set(range(8))


@given(st.integers(0, 9), st.integers(0, 3))
def test_it_goes_on_exactly_where_it_was(steps: int, seed: int) -> None:
    source, target, own = sides(20, 15, seed)
    one, two = (stream(source, target, own, 6, seed) for _ in range(2))
    for _ in range(steps):
        one.batch(0.0, CPU)
    two.go_to(one.positions())
    two.set_generators(one.generators())
    for _ in range(5):
        a, b = one.batch(0.0, CPU), two.batch(0.0, CPU)
        for first, second in zip(numbers(a), numbers(b), strict=True):
            np.testing.assert_array_equal(first, second)
        assert torch.equal(a.counterparts, b.counterparts)


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_a_batch_without_overlap(processes: int) -> None:
    source, target, own = sides(40, 30, 0, share=1.0)
    whole = stream(source, target, own, 12)
    parts = [stream(source, target, own, 12, process=(rank, processes)) for rank in range(processes)]
    for _ in range(6):
        sketches, photos = numbers(whole.batch(0.0, CPU))
        found = [part.batch(0.0, CPU) for part in parts]
        rows = [numbers(batch) for batch in found]
        np.testing.assert_array_equal(np.concatenate([s for s, _ in rows]), sketches)
        assert len(np.unique(sketches)) == 12
        # What is drawn beside the counterparts is shared out as well; class mates each process draws itself.
        np.testing.assert_array_equal(np.concatenate([p[len(s) :] for s, p in rows]), photos[12:])
        for batch, (own_sketches, own_photos) in zip(found, rows, strict=True):
            assert batch.counterparts.shape == (len(own_sketches), len(own_photos))
            known = own[own_sketches] >= 0
            np.testing.assert_array_equal(own_photos[: len(own_sketches)][known], own[own_sketches][known])


def test_where_no_pair_is_known_the_classes_still_are() -> None:
    source, target, _ = sides(20, 15, 3)
    batch = stream(source, target, np.full(20, -1), 8).batch(0.0, CPU)
    sketches, photos = numbers(batch)
    assert not batch.counterparts.any()
    np.testing.assert_array_equal(target.labels[photos[:8]], source.labels[sketches])
