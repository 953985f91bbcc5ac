"""Whose sketch is whose, and splits in which no test sketch's photo or sibling has been trained on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data import catalog
from acclimate.data.catalog.sketchy import Sketchy
from acclimate.data.domain import Domain
from acclimate.data.sketches import (
    UNSEEN_CATEGORIES,
    Parts,
    own_photo,
    own_rows,
    split_by_photo,
    split_zero_shot,
    unseen_categories,
)
from acclimate.errors import DataError, RequestError

NAMES = ("train", "validation", "test")


def test_a_sketchs_own_photo_is_told_by_its_id() -> None:
    assert own_photo(["swan/n01_5-3", "ext_1-12", "a-b/c-d-1.png", "x-1-2"]) == (
        "swan/n01_5",
        "ext_1",
        "a-b/c-d",
        "x-1",
    )
    assert own_photo([]) == ()


@pytest.mark.parametrize("name", ["swan/n01_5", "swan/-1", "-1", "", "n01-", "n01-x", "n01-1/2"])
def test_other_ids_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="a sketch's id must be its photo's id, a hyphen and a number"):
        own_photo(["swan/n01_5-3", name])


def test_rows_of_own_photos() -> None:
    rows = own_rows(["b/2-1.png", "a/1-7", "c/1-1", "b/2-2"], ["a/1.jpg", "b/2"])
    assert rows.dtype == np.int64
    np.testing.assert_array_equal(rows, [1, 0, -1, 1])
    with pytest.raises(DataError, match="photos must each have an id of their own; got 'a/1' twice"):
        own_rows([], ["a/1.jpg", "a/1.png"])


def world(photos: list[list[int]]) -> tuple[Domain, Domain]:
    """Features of photos and sketches; `photos[c]` holds the number of sketches of each photo of category c."""
    ids, labels, drawn, drawn_labels = [], [], [], []
    for label, counts in enumerate(photos):
        for number, count in enumerate(counts):
            ids.append(f"{label}/{number}")
            labels.append(label)
            drawn += [f"{label}/{number}-{k}" for k in range(1, count + 1)]
            drawn_labels += [label] * count
    classes = tuple(f"category {label}" for label in range(len(photos)))

    def domain(name: str, ids: list[str], labels: list[int]) -> Domain:
        order = np.random.default_rng(0).permutation(len(ids))
        rows = np.zeros((len(ids), 1), np.float32)
        return Domain(rows, np.array(labels, dtype=np.int64), classes, name, tuple(ids)).take(order)

    return domain("photos", ids, labels), domain("sketches", drawn, drawn_labels)


worlds = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=12), min_size=1, max_size=6).map(world)
shares = st.tuples(st.floats(0, 0.49), st.floats(0, 0.49))


def check_partition(parts: Parts, photos: Domain, sketches: Domain) -> None:
    """Each row in one part; no photo's sketches, and no sketch and its photo, in two."""
    rows = [np.concatenate([getattr(getattr(parts, n), side) for n in NAMES]) for side in ("photos", "sketches")]
    for found, domain in zip(rows, (photos, sketches), strict=True):
        np.testing.assert_array_equal(np.sort(found), np.arange(len(domain)))
    seen: dict[str, str] = {}
    for name in NAMES:
        part = getattr(parts, name)
        assert (np.diff(part.photos) > 0).all()
        assert (np.diff(part.sketches) > 0).all()
        for photo in [photos.ids[row] for row in part.photos] + list(
            own_photo([sketches.ids[row] for row in part.sketches])
        ):
            assert seen.setdefault(photo, name) == name


@given(worlds, shares, st.integers(0, 3))
def test_no_photo_has_sketches_on_two_sides(
    sides: tuple[Domain, Domain], asked: tuple[float, float], seed: int
) -> None:
    parts = split_by_photo(*sides, validation=asked[0], test=asked[1], seed=seed)
    check_partition(parts, *sides)


@given(worlds, shares, st.integers(0, 3))
def test_each_part_has_its_share_of_photos_with_and_without_sketches_in_all_and_by_category(
    sides: tuple[Domain, Domain], asked: tuple[float, float], seed: int
) -> None:
    photos, sketches = sides
    parts = split_by_photo(photos, sketches, validation=asked[0], test=asked[1], seed=seed)
    drawn = np.isin(photos.ids, own_photo(sketches.ids))
    for name, share in zip(NAMES, (1 - sum(asked), *asked), strict=True):
        inside = np.isin(np.arange(len(photos)), getattr(parts, name).photos)
        for kind in (drawn, ~drawn):
            assert abs((inside & kind).sum() - share * kind.sum()) <= 1
            for label in range(len(photos.classes)):
                members = kind & (photos.labels == label)
                assert abs((inside & members).sum() - share * members.sum()) < 2
        if share == 0:
            assert not inside.any()


@given(worlds, st.integers(0, 3))
def test_the_seed_alone_decides_and_the_order_of_rows_does_not(sides: tuple[Domain, Domain], seed: int) -> None:
    photos, sketches = sides
    first = split_by_photo(photos, sketches, seed=seed)
    turned = split_by_photo(photos.take(slice(None, None, -1)), sketches.take(slice(None, None, -1)), seed=seed)
    for name in NAMES:
        one, two = getattr(first, name), getattr(turned, name)
        np.testing.assert_array_equal(one.photos, np.sort(len(photos) - 1 - two.photos))
        np.testing.assert_array_equal(one.sketches, np.sort(len(sketches) - 1 - two.sketches))


def test_another_seed_gives_another_split() -> None:
    sides = world([[1] * 20] * 5)
    tests = [split_by_photo(*sides, test=0.3, seed=seed).test.photos.tolist() for seed in range(4)]
    assert len({tuple(rows) for rows in tests}) == 4


def test_sketches_whose_photo_is_missing_go_together() -> None:
    photos, sketches = world([[3] * 10])
    parts = split_by_photo(photos.take(np.arange(0)), sketches, validation=0.3, test=0.3)
    found = [set(own_photo([sketches.ids[row] for row in getattr(parts, name).sketches])) for name in NAMES]
    assert [len(photos) for photos in found] == [4, 3, 3]
    assert not found[0] & found[1]
    assert not found[0] & found[2]


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0.1), (0.1, -0.1), (0.5, 0.5), (float("nan"), 0.1), (0, 1)])
def test_shares_that_cannot_be_are_refused(validation: float, test: float) -> None:
    with pytest.raises(RequestError, match="validation and test must be shares of at least 0 that leave something"):
        split_by_photo(*world([[1, 1]]), validation=validation, test=test)


def test_what_does_not_belong_together_is_refused() -> None:
    photos, sketches = world([[1, 1], [1, 1]])
    other = Domain(sketches.inputs, sketches.labels, ("a", "b"), "others", sketches.ids)
    with pytest.raises(DataError, match="others must have the classes of photos, in that order"):
        split_by_photo(photos, other)
    with pytest.raises(DataError, match="nameless must have ids; got none"):
        split_by_photo(Domain(photos.inputs, photos.labels, photos.classes, "nameless"), sketches)
    moved = Domain(sketches.inputs, 1 - sketches.labels, sketches.classes, "moved", sketches.ids)
    with pytest.raises(DataError, match="moved must have each sketch in its photo's category; got '"):
        split_by_photo(photos, moved)


# Categories that training does not see


def test_the_literatures_unseen_categories_are_kept_where_all_are_there() -> None:
    found = unseen_categories(Sketchy.classes)
    assert len(set(UNSEEN_CATEGORIES)) == len(found) == 25
    assert {Sketchy.classes[i] for i in found} == set(UNSEEN_CATEGORIES)
    assert unseen_categories(Sketchy.classes, seed=5).tolist() == found.tolist()
    assert set(unseen_categories(Sketchy.classes, 21).tolist()) != set(found.tolist())


@given(st.integers(2, 60), st.integers(0, 5), st.data())
def test_else_they_are_drawn(count: int, seed: int, data: st.DataObject) -> None:
    classes = tuple(map(str, range(count)))
    number = data.draw(st.none() | st.integers(1, count - 1))
    found = unseen_categories(classes, number, seed)
    assert len(set(found.tolist())) == len(found) == (number or max(1, round(count / 5)))
    assert (np.diff(found) > 0).all()
    assert found.min() >= 0
    assert found.max() < count
    np.testing.assert_array_equal(found, unseen_categories(classes, number, seed))


@pytest.mark.parametrize("number", [0, -1, 3, 4])
def test_as_many_unseen_categories_as_there_are_or_none_are_refused(number: int) -> None:
    with pytest.raises(RequestError, match="number must be at least 1 and leave one of the 3 categories"):
        unseen_categories(("a", "b", "c"), number)


def test_one_category_cannot_be_both_seen_and_unseen() -> None:
    with pytest.raises(RequestError, match="leave one of the 1 categories"):
        unseen_categories(("a",))


@given(worlds.filter(lambda sides: len(sides[0].classes) > 1), st.floats(0, 0.9), st.integers(0, 3))
def test_zero_shot_tests_on_whole_categories_and_trains_on_none_of_them(
    sides: tuple[Domain, Domain], validation: float, seed: int
) -> None:
    photos, sketches = sides
    parts = split_zero_shot(*sides, validation=validation, seed=seed)
    check_partition(parts, *sides)
    unseen = set(unseen_categories(photos.classes, seed=seed).tolist())
    for side, domain in (("photos", photos), ("sketches", sketches)):
        for name in NAMES:
            labels = domain.labels[getattr(getattr(parts, name), side)]
            assert all((label in unseen) == (name == "test") for label in labels.tolist())


# The real files


def test_the_real_subset_splits_as_it_should(real_data: Path) -> None:
    if not (real_data / "sketchy" / "sketchy_mobilenetv2_1280.npz").is_file():
        pytest.skip(f"no sketchy/sketchy_mobilenetv2_1280.npz in {real_data}")
    data = catalog.dataset("sketchy_encoded")
    photos, sketches = (data.parse(real_data / "sketchy", split) for split in ("photo", "sketch"))
    parts = split_by_photo(photos, sketches, validation=0.1, test=0.1, seed=0)
    check_partition(parts, photos, sketches)
    assert [len(getattr(parts, name).photos) for name in NAMES] == [2499, 313, 313]
    drawn = own_rows(sketches.ids, photos.ids)
    found = [len(set(drawn[getattr(parts, name).sketches].tolist())) for name in NAMES]
    assert found == [462, 58, 58]
    # Each category is trained on, with photos that were sketched and others.
    counts = Counter(photos.labels[parts.train.photos].tolist())
    assert len(counts) == 125
    assert min(counts.values()) >= 17
    assert len(set(sketches.labels[parts.train.sketches].tolist())) == 125
    unseen = split_zero_shot(photos, sketches)
    assert (len(unseen.test.photos), len(unseen.test.sketches)) == (625, 625)
    assert {photos.classes[label] for label in photos.labels[unseen.test.photos]} == set(UNSEEN_CATEGORIES)
