"""Sketches and the photos they were drawn from: whose sketch is whose, and splits that keep the two together.

Several sketches show one photo. A model that has trained on a photo, or on another sketch of it, has seen the answer
to a test sketch; so photos are split, and sketches go where their photo goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from acclimate.data.domain import Domain
from acclimate.errors import DataError, RequestError
from acclimate.types import UNLABELLED

# The 25 categories of Sketchy that zero-shot papers hold out, as SAKE lists them (Liu et al., ICCV 2019).
UNSEEN_CATEGORIES = (
    "cup", "swan", "harp", "squirrel", "snail", "ray", "pineapple", "volcano", "rifle", "scissors", "parrot",
    "windmill", "teddy_bear", "tree", "wine_bottle", "deer", "chicken", "airplane", "wheelchair", "tank", "umbrella",
    "butterfly", "camel", "horse", "bell",
)  # fmt: skip

_SKETCH = re.compile(r"(?P<photo>.*[^/])-\d+(?:\.[A-Za-z]+)?", re.DOTALL)
_SUFFIX = re.compile(r"\.(?:jpe?g|png|webp|bmp)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows of one part of a split, ascending.

    Attributes:
        photos: int64 `(p,)`, rows of the domain of photos.
        sketches: int64 `(s,)`, rows of the domain of sketches.
    """

    photos: np.ndarray
    sketches: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A split in three: every photo and every sketch is in one part, a sketch in that of its photo."""

    train: Part
    validation: Part
    test: Part


def own_photo(ids: Sequence[str]) -> tuple[str, ...]:
    """Ids of the photos that sketches were drawn from: `swan/n01_5-3` → `swan/n01_5`.

    Args:
        ids: of sketches, `<photo's id>-<number>`, with or without the ending of a file.

    Raises:
        DataError: if one is not of that form.
    """
    found = []
    for name in ids:
        match = _SKETCH.fullmatch(name)
        if match is None:
            raise DataError(
                "a sketch's id",
                "must be its photo's id, a hyphen and a number",
                repr(name),
                "Name sketches as Sketchy does, for example swan/n01_5-3.",
            )
        found.append(match["photo"])
    return tuple(found)


def own_rows(sketches: Sequence[str], photos: Sequence[str]) -> np.ndarray:
    """The row of each sketch's own photo.

    Args:
        sketches: m ids of sketches, as for `own_photo`.
        photos: n ids of photos, with or without the ending of a file.

    Returns:
        int64 `(m,)`, in 0…n−1; −1 where the photo is not among them.

    Raises:
        DataError: if a sketch's id is not of the form, or two photos have the same id.
    """
    rows = {name: row for row, name in enumerate(_photo_ids(photos))}
    return np.array([rows.get(name, -1) for name in own_photo(sketches)], dtype=np.int64)


def counterparts(sketches: Domain, photos: Domain) -> np.ndarray:
    """As `own_rows`, for any two domains: int64 `(n,)`, −1 throughout where ids do not tell whose is whose."""
    if sketches.ids and photos.ids:
        with suppress(DataError):
            return own_rows(sketches.ids, photos.ids)
    return np.full(len(sketches), -1)


def split_by_photo(
    photos: Domain, sketches: Domain, *, validation: float = 0.1, test: float = 0.1, seed: int = 0
) -> Parts:
    """Split photos, and with each photo all of its sketches.

    Photos with sketches and photos without are dealt out separately, category by category in an order of chance, so
    that each part gets its share of either kind, in all to within one photo and in each category to within two.

    Args:
        photos: with ids.
        sketches: with ids `<photo's id>-<number>` and the same classes. Those whose photo is missing go together too.
        validation: share of the photos to choose by, 0 or more.
        test: share of the photos to score on, 0 or more; what the two leave, more than 0, is for training.
        seed: draws the order.

    Raises:
        RequestError: if the shares are not in that range.
        DataError: if ids are missing, repeated or not of the form, or a sketch is not of its photo's category.
    """
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise RequestError(
            "validation and test",
            "must be shares of at least 0 that leave something for training",
            f"{validation} and {test}",
            "For example 0.1 and 0.1.",
        )
    names, owners = _paired(photos, sketches)
    label_of = dict(zip(names, photos.labels.tolist(), strict=True))
    for name, label in zip(owners, sketches.labels.tolist(), strict=True):
        if label_of.get(name, UNLABELLED) == UNLABELLED:
            label_of[name] = label
    drawn = set(owners)
    rng = np.random.default_rng([seed, 0x5CE7C4])
    shares = np.array([1 - validation - test, validation, test])
    part_of: dict[str, int] = {}
    for group in (sorted(drawn), sorted(label_of.keys() - drawn)):
        labels = np.array([label_of[name] for name in group], dtype=np.int64)
        order = [group[row] for row in by_category(labels, rng)]
        part_of |= zip(order, _dealt(len(group), shares), strict=True)
    of_photos, of_sketches = (np.array([part_of[name] for name in side], dtype=int) for side in (names, owners))
    return Parts(*(Part(np.flatnonzero(of_photos == p), np.flatnonzero(of_sketches == p)) for p in range(3)))


def unseen_categories(classes: Sequence[str], number: int | None = None, seed: int = 0) -> np.ndarray:
    """The categories that zero-shot retrieval keeps for the test.

    Args:
        classes: names of k ≥ 2 categories.
        number: how many to keep, 1 to k − 1. By default the 25 of the literature (`UNSEEN_CATEGORIES`) where all of
            these are among the classes, and else a fifth, drawn.
        seed: draws them, if they are drawn.

    Returns:
        Indices of classes, int64, ascending.

    Raises:
        RequestError: if that many cannot be kept.
    """
    if number is None and set(UNSEEN_CATEGORIES) < set(classes):
        return np.array(sorted(list(classes).index(name) for name in UNSEEN_CATEGORIES), dtype=np.int64)
    wanted = max(1, round(len(classes) / 5)) if number is None else number
    if not 1 <= wanted < len(classes):
        raise RequestError(
            "number",
            f"must be at least 1 and leave one of the {len(classes):,} categories to train on",
            wanted,
            "Ask for fewer, or give more categories.",
        )
    return np.sort(np.random.default_rng([seed, 0x0E5E7]).permutation(len(classes))[:wanted]).astype(np.int64)


def split_zero_shot(
    photos: Domain, sketches: Domain, *, validation: float = 0.1, number: int | None = None, seed: int = 0
) -> Parts:
    """Test on categories that training never sees; validate on held-out photos of those it does.

    Args:
        photos: as for `split_by_photo`.
        sketches: as for `split_by_photo`.
        validation: share of the seen categories' photos, in [0, 1).
        number: of unseen categories; see `unseen_categories`.
        seed: draws what is drawn.

    Raises:
        RequestError: as for the two.
        DataError: as for `split_by_photo`.
    """
    unseen = unseen_categories(photos.classes, number, seed)
    seen = split_by_photo(photos, sketches, validation=validation, test=0, seed=seed)
    aside = [np.isin(domain.labels, unseen) for domain in (photos, sketches)]

    def kept(part: Part) -> Part:
        return Part(part.photos[~aside[0][part.photos]], part.sketches[~aside[1][part.sketches]])

    return Parts(kept(seen.train), kept(seen.validation), Part(*(np.flatnonzero(side) for side in aside)))


def _photo_ids(ids: Sequence[str]) -> tuple[str, ...]:
    names = tuple(_SUFFIX.sub("", name) for name in ids)
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise DataError(
            "photos", "must each have an id of their own", f"{repeated!r} twice", "Rename one of the two."
        )
    return names


def _paired(photos: Domain, sketches: Domain) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The photo each photo and each sketch belongs to.

    Raises:
        DataError: if that cannot be told, or the two sides contradict each other.
    """
    for domain in (photos, sketches):
        if len(domain.ids) != len(domain):
            raise DataError(domain.name, "must have ids", "none", "Read it from files named as Sketchy names them.")
    if photos.classes != sketches.classes:
        raise DataError(
            sketches.name,
            f"must have the classes of {photos.name}, in that order",
            f"{len(sketches.classes)} others",
            "Read both with the same folders of categories.",
        )
    names, owners, rows = _photo_ids(photos.ids), own_photo(sketches.ids), own_rows(sketches.ids, photos.ids)
    known = np.flatnonzero(rows >= 0)
    of_photos, of_sketches = photos.labels[rows[known]], sketches.labels[known]
    wrong = known[(of_photos != of_sketches) & (of_photos != UNLABELLED) & (of_sketches != UNLABELLED)]
    if len(wrong):
        raise DataError(
            sketches.name,
            "must have each sketch in its photo's category",
            f"{sketches.ids[wrong[0]]!r} in another",
            "Put it into the right folder.",
        )
    return names, owners


def by_category(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows, category after category; both the categories and the rows of each are in an order of chance."""
    rows = rng.permutation(len(labels))
    place = rng.permutation(labels.max(initial=0) + 2)  # −1, for no label, takes the last place
    return rows[np.argsort(place[labels[rows]], kind="stable")]


def _dealt(count: int, shares: np.ndarray) -> list[int]:
    """Which part each of `count` cards in a row goes to: always the one that lacks most of its share so far."""
    given, parts = np.zeros(len(shares)), []
    for position in range(1, count + 1):
        parts.append(int(np.argmax(np.where(shares > 0, shares * position - given, -np.inf))))
        given[parts[-1]] += 1
    return parts
