"""Tasks to learn a choice without target labels from, and fresh ones to judge it by: in half, adapting may harm.

Everything is a table of at most 64 principal coordinates, of at most 800 source and 400 target examples, so that a
thousand runs take minutes. Which tasks there are stands in bank.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, rotate
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

import bank_worlds
from acclimate.data import catalog
from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from bank_changes import CHANGES, Change
from bank_worlds import Read, Sides

WIDTH, MOST_SOURCE, MOST_TARGET, SIDE = 64, 800, 400, 14
# MNIST's digits lie within 20 pixels; USPS's fill theirs.
_INK, _THINGS_AT_ONCE = 20, 10
_WORDS, _READ = 5000, 3000
_PHOTOS = ("amazon", "caltech", "webcam", "dslr")


@dataclass(frozen=True)
class Task:
    """A task by name: its part (`bank` to `third`), the domain it is from, and what was done to it."""

    name: str
    part: str
    domain: str
    kind: str
    read: Read
    change: Change

    @property
    def natural(self) -> bool:
        """Whether it is as it was found."""
        return self.kind == "natural"

    def sides(self) -> Sides:
        """The tables, changed, cut down, and of unit size on average."""
        rng = np.random.default_rng([*self.name.encode()])
        changed = self.change(self.read(), rng)
        kept = [rng.permutation(len(y))[:most] for y, most in ((changed.ys, MOST_SOURCE), (changed.yt, MOST_TARGET))]
        return _reduced(changed.rows(*kept))


def _reduced(sides: Sides) -> Sides:
    both = np.concatenate([sides.xs, sides.xt]).astype(np.float64)
    if both.shape[1] > WIDTH:
        both = PCA(WIDTH, svd_solver="randomized", random_state=0).fit_transform(both)
    else:
        both = (both - both.mean(axis=0)) / (both.std(axis=0) + 1e-9)
    both = (both / both.std()).astype(np.float32)
    return Sides(both[: len(sides.ys)], sides.ys, both[len(sides.ys) :], sides.yt)


# Where tasks come from.


@cache
def _table(dataset: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    domain = catalog.load(dataset, split)
    return np.asarray(domain.array), domain.labels


def _photos(kind: str, source: str, target: str) -> Read:
    def read() -> Sides:
        (xs, ys), (xt, yt) = (_table(f"office_caltech10_{kind}", place) for place in (source, target))
        return Sides(_rows(xs), ys, _rows(xt), yt)

    return read


def _rows(x: np.ndarray) -> np.ndarray:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9))


def _words(source: str, target: str) -> Read:
    def read() -> Sides:
        (xs, ys), (xt, yt) = (_table("amazon_bow", f"{place}_train") for place in (source, target))
        return Sides(_rows(np.log1p(xs)), ys, _rows(np.log1p(xt)), yt)

    return read


@cache
def _reviews(place: str) -> tuple[tuple[str, ...], np.ndarray]:
    domain = catalog.load("amazon_reviews", place)
    rows = np.random.default_rng(0).permutation(len(domain))[:_READ]
    return tuple(to_texts(domain.take(rows).rows)), domain.labels[rows]


def _texts(source: str, target: str) -> Read:
    def read() -> Sides:
        (texts, ys), (others, yt) = _reviews(source), _reviews(target)
        counts = TfidfVectorizer(max_features=_WORDS, sublinear_tf=True).fit_transform([*texts, *others])
        x = TruncatedSVD(2 * WIDTH, random_state=0).fit_transform(counts)
        return Sides(x[: len(ys)], ys, x[len(ys) :], yt)

    return read


def _digits(source: tuple[str, str], target: tuple[str, str] | None) -> Read:
    """Two sets of digits; None for scikit-learn's, of another 43 writers, 8 × 8."""

    def read() -> Sides:
        (xs, ys), (xt, yt) = _small(*source), _small(*target) if target else _optical()
        return Sides(xs, ys, xt, yt)

    return read


def _optical() -> tuple[np.ndarray, np.ndarray]:
    digits = load_digits()
    near = np.linspace(0, 7, SIDE).round().astype(int)
    return digits.images[:, near][:, :, near].reshape(len(digits.images), -1) / 16, digits.target


@cache
def _small(dataset: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Digits, without the border that MNIST has, as rows of 14 × 14 grey values in [0, 1]."""
    domain = catalog.load(dataset, split)
    rows = np.sort(np.random.default_rng(0).permutation(len(domain))[: 2 * MOST_SOURCE])
    images = np.asarray(domain.array[rows], dtype=np.float64).mean(axis=-1) / 255
    border = (images.shape[1] - _INK) // 2
    images = images[:, border:-border, border:-border] if border > 0 else images
    edge = np.linspace(0, images.shape[1] - 1, SIDE).round().astype(int)
    smooth = gaussian_filter(images, (0, images.shape[1] / SIDE / 3, images.shape[1] / SIDE / 3))
    return smooth[:, edge][:, :, edge].reshape(len(images), -1), domain.labels[rows]


def _cameras(view: Callable[[np.ndarray], np.ndarray]) -> Read:
    """Digits 8 × 8 as they are, and others as another camera sees them."""

    def read() -> Sides:
        digits = load_digits()
        half, images = len(digits.images) // 2, digits.images
        others = view(images[half:])
        return Sides(
            images[:half].reshape(half, -1),
            digits.target[:half],
            others.reshape(len(others), -1),
            digits.target[half:],
        )

    return read


def _sketches(first: int, back: bool = False) -> Read:
    """Photos and sketches of ten things, from the `first` category on."""

    def read() -> Sides:
        found = []
        for split in ("photo", "sketch"):
            x, y = _table("sketchy_encoded", split)
            kept = (y >= first) & (y < first + _THINGS_AT_ONCE)
            found += [_rows(x[kept]), y[kept] - first]
        return Sides(*(found[2:] + found[:2] if back else found))

    return read


def _cut(load: Callable[..., object], column: int) -> Read:
    """A public table, cut in two by a column, with some of either half in the other."""

    def read() -> Sides:
        x, y = load(return_X_y=True)  # type: ignore[misc]
        y = y if y.dtype.kind == "i" else np.digitize(y, np.quantile(y, (1 / 3, 2 / 3)))
        rng = np.random.default_rng(column)
        far = (x[:, column] > np.median(x[:, column])) ^ (rng.random(len(x)) < 0.25)
        z = np.tanh((x - np.median(x, axis=0)) / (2 * x.std(axis=0)))
        return Sides(z[~far], y[~far], z[far], y[far])

    return read


def tasks() -> list[Task]:
    """Every task, the bank's first."""
    parts = tomllib.loads((Path(__file__).parent / "bank.toml").read_text(encoding="utf-8"))
    return [
        Task(f"{domain} {pair}, {kind}", part, domain, kind, READS[domain][pair], CHANGES[kind])
        for part, domains in parts.items()
        for domain, pairs in domains.items()
        for pair, kinds in pairs.items()
        for kind in kinds
    ]


def _pairs(make: Callable[[str, str], Read], places: tuple[str, ...]) -> dict[str, Read]:
    return {f"{source}>{target}": make(source, target) for source, target in permutations(places, 2)}


_MOBILE = _pairs(lambda s, t: _photos("mobilenetv2", s, t), _PHOTOS)
_ENCODED = _pairs(lambda s, t: _photos("encoded", s, t), _PHOTOS)
_DECAF = _pairs(lambda s, t: _photos("decaf6", s, t), ("webcam", "dslr"))
_SURF = _pairs(lambda s, t: _photos("surf", s, t), _PHOTOS)
_BOW = _pairs(_words, ("books", "dvd", "electronics", "kitchen"))
_TEXTS = _pairs(_texts, ("books", "dvd", "electronics", "kitchen", "video"))
_DIGITS = {
    "mnist>usps": _digits(("mnist", "train"), ("usps", "train")),
    "usps>mnist": _digits(("usps", "train"), ("mnist", "train")),
    "mnist>mnist_m": _digits(("mnist", "train"), ("mnist_m", "test")),
    "mnist_m>mnist": _digits(("mnist_m", "test"), ("mnist", "test")),
    "usps>mnist_m": _digits(("usps", "train"), ("mnist_m", "test")),
    "mnist_m>usps": _digits(("mnist_m", "test"), ("usps", "train")),
    "mnist>optical": _digits(("mnist", "train"), None),
    "usps>optical": _digits(("usps", "train"), None),
    "kannada>dig": _digits(("kannada_mnist", "train"), ("kannada_mnist", "dig")),
    "mnist_m>optical": _digits(("mnist_m", "test"), None),
    "rendered>mnist": _digits(("rendered_digits", "train"), ("mnist", "train")),
    "rendered>usps": _digits(("rendered_digits", "train"), ("usps", "train")),
    "rendered>optical": _digits(("rendered_digits", "train"), None),
    "mnist>rendered": _digits(("mnist", "test"), ("rendered_digits", "test")),
}
_WORLDS = {
    "blobs": bank_worlds.blobs(0, 1.0),
    "moved blobs": bank_worlds.blobs(1, 2.5),
    "many blobs": bank_worlds.blobs(2, 1.5, 8, 16),
    "far blobs": bank_worlds.blobs(3, 3.5, 3, 6),
    "turned blobs": bank_worlds.blobs(4, 2.0, 5, 12),
    "near blobs": bank_worlds.blobs(5, 0.7, 2, 8),
    "three blobs": bank_worlds.blobs(6, 1.8, 3, 20),
    "ten blobs": bank_worlds.blobs(7, 1.2, 10, 24),
    "pairs of blobs": bank_worlds.blobs(8, 2.2, 2, 12),
    "heavy blobs": bank_worlds.heavy_blobs(),
    "stretched blobs": bank_worlds.blobs(14, 3.0, 6, 5),
    "twelve blobs": bank_worlds.blobs(15, 2.0, 12, 20),
    "rings": bank_worlds.rings(),
    "madelon": bank_worlds.madelon(),
    "moons 25": bank_worlds.moons(25),
    "moons 35": bank_worlds.moons(35, 0.2),
    "moons 40": bank_worlds.moons(40),
    "moons 60": bank_worlds.moons(60),
    "moons 20": bank_worlds.moons(20, 0.1),
    "six blobs": bank_worlds.blobs(31, 1.6, 6, 10),
    "two blobs": bank_worlds.blobs(32, 1.8, 2, 16),
    "seven blobs": bank_worlds.blobs(33, 2.6, 7, 14),
    "spirals": bank_worlds.spirals(),
    "shells": bank_worlds.shells(),
    "waves": bank_worlds.waves(),
    "counts": bank_worlds.counts(),
}
_VIEWS = {
    "dimmed": _cameras(lambda x: x * 0.3 + 2),
    "inverted": _cameras(lambda x: 16 - x),
    "blurred": _cameras(lambda x: gaussian_filter(x, (0, 0.9, 0.9))),
    "moved": _cameras(lambda x: np.roll(x, 1, axis=2)),
    "lit": _cameras(lambda x: x + np.linspace(0, 16, 8)),
    "tilted": _cameras(lambda x: rotate(x, 25, axes=(1, 2), reshape=False, order=1)),
    "speckled": _cameras(lambda x: np.where(np.random.default_rng(3).random(x.shape) < 0.2, 16 - x, x)),
    "cropped": _cameras(lambda x: x * (np.arange(8) > 1)),
    "sheared": _cameras(lambda x: np.stack([np.roll(x[:, i], (i - 4) // 2, axis=1) for i in range(8)], axis=1)),
    "doubled": _cameras(lambda x: (x + np.roll(x, 2, axis=2)) / 2),
    "thinned": _cameras(lambda x: np.minimum(x, np.roll(x, 1, axis=2))),
    "curved": _cameras(lambda x: 16 * (x / 16) ** 3),
}
_THINGS = {
    "photo>sketch 0": _sketches(0),
    "photo>sketch 50": _sketches(50),
    "sketch>photo 25": _sketches(25, back=True),
    "sketch>photo 75": _sketches(75, back=True),
    "photo>sketch 90": _sketches(90),
    "sketch>photo 110": _sketches(110, back=True),
    "photo>sketch 12": _sketches(12),
    "photo>sketch 62": _sketches(62),
    "sketch>photo 38": _sketches(38, back=True),
    "sketch>photo 100": _sketches(100, back=True),
}
_TABLES = {
    "cancer 0": _cut(load_breast_cancer, 0),
    "cancer 7": _cut(load_breast_cancer, 7),
    "cancer 20": _cut(load_breast_cancer, 20),
    "diabetes 2": _cut(load_diabetes, 2),
    "iris 0": _cut(load_iris, 0),
    "wine 0": _cut(load_wine, 0),
    "cancer 13": _cut(load_breast_cancer, 13),
    "wine 6": _cut(load_wine, 6),
    "diabetes 8": _cut(load_diabetes, 8),
}


READS = {
    "mobilenet": _MOBILE,
    "decaf": _DECAF,
    "encoded": _ENCODED,
    "surf": _SURF,
    "words": _BOW,
    "reviews": _TEXTS,
    "digits": _DIGITS,
    "worlds": _WORLDS,
    "cameras": _VIEWS,
    "sketchy": _THINGS,
    "tables": _TABLES,
}


def changed(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noise of unit size, of the shape of a table, and another row for each of its rows."""
    rng = np.random.default_rng(0)
    return rng.normal(size=x.shape), rng.permutation(len(x))


def as_domain(x: np.ndarray, y: np.ndarray | None, classes: tuple[str, ...], name: str) -> Domain:
    """A side as `acclimate` takes it."""
    return Domain(x.astype(np.float32), y, classes, name)
