"""Synthetic worlds for the bank: two sides drawn from a seed, the target's moved, turned, widened or bent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import make_classification, make_gaussian_quantiles


@dataclass(frozen=True, eq=False)
class Sides:
    """Two tables and their labels, each row of one example."""

    xs: np.ndarray
    ys: np.ndarray
    xt: np.ndarray
    yt: np.ndarray

    def rows(self, source: np.ndarray, target: np.ndarray) -> Sides:
        """Those rows of each side."""
        return Sides(self.xs[source], self.ys[source], self.xt[target], self.yt[target])


Read = Callable[[], Sides]


def blobs(seed: int, move: float, k: int = 4, d: int = 10, n: int = 600) -> Read:
    """Overlapping Gaussians in d dimensions, the target's moved and turned."""

    def read() -> Sides:
        rng = np.random.default_rng([seed, 0xB0B])
        centres = rng.normal(scale=4 / np.sqrt(d), size=(k, d))
        turn, _ = np.linalg.qr(np.eye(d) + 0.15 * move * rng.normal(size=(d, d)))
        ys, yt = rng.integers(k, size=n), rng.integers(k, size=n)
        offset = move * rng.normal(size=d) / np.sqrt(d)
        xs, xt = (centres[y] + rng.normal(size=(n, d)) for y in (ys, yt))
        return Sides(xs, ys, xt @ (turn * np.sign(np.diag(turn))) + offset, yt)

    return read


def heavy_blobs(n: int = 600) -> Read:
    """Five overlapping clouds with heavy tails, the target's moved."""

    def read() -> Sides:
        rng = np.random.default_rng([11, 0xB0B])
        centres, sides = rng.normal(scale=1.2, size=(5, 10)), []
        for move in (0.0, 1.0):
            y = rng.integers(5, size=n)
            offset = move * rng.normal(scale=0.5, size=10)
            sides += [centres[y] + 0.6 * rng.standard_t(3, size=(n, 10)) + offset, y]
        return Sides(*sides)

    return read


def rings(n: int = 600) -> Read:
    """Three rings around one another, the target's wider and off the centre; six columns of noise."""

    def read() -> Sides:
        rng, sides = np.random.default_rng([12, 0xB0B]), []
        for wider, off in ((1.0, 0.0), (1.2, 0.4)):
            y, t = rng.integers(3, size=n), rng.uniform(0, 2 * np.pi, n)
            radius = wider * (1 + y) + 0.2 * rng.normal(size=n)
            x = np.stack([radius * np.cos(t) + off, radius * np.sin(t)], axis=1)
            sides += [np.concatenate([x, 0.3 * rng.normal(size=(n, 6))], axis=1), y]
        return Sides(*sides)

    return read


def madelon(n: int = 600) -> Read:
    """Guyon's clusters on the corners of a cube, four classes of two each; the target's columns bent."""

    def read() -> Sides:
        x, y = make_classification(
            2 * n, 20, n_informative=6, n_redundant=6, n_classes=4, class_sep=1.5, random_state=13
        )
        bent = x[n:] + 0.6 * np.abs(x[n:]) ** 1.2
        return Sides(x[:n], y[:n], bent, y[n:])

    return read


def moons(degrees: float, spread: float = 0.15, n: int = 600) -> Read:
    """Two moons, the target's turned, in 2 of 8 columns; the others are noise."""

    def read() -> Sides:
        rng = np.random.default_rng([int(degrees), 0x300])
        angle = np.deg2rad(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        sides = []
        for rotation in (np.eye(2), turn):
            y, t = rng.integers(2, size=n), rng.uniform(0, np.pi, n)
            side = 2 * y - 1
            x = np.stack([np.cos(t) + 0.5 * side, 0.25 * side - side * np.sin(t)], axis=1)
            x = (x + rng.normal(scale=spread, size=x.shape)) @ rotation.T
            sides += [np.concatenate([x, 0.2 * rng.normal(size=(n, 6))], axis=1), y]
        return Sides(*sides)

    return read


def spirals(n: int = 600) -> Read:
    """Three arms of a spiral, the target's turned by a sixth of the way to the next arm; six columns of noise."""

    def read() -> Sides:
        rng, sides = np.random.default_rng([21, 0xB0B]), []
        for turn in (0.0, np.pi / 9):
            y, t = rng.integers(3, size=n), rng.uniform(0.3, 1.2, n)
            angle = np.pi * t + 2 * np.pi * y / 3 + turn
            x = 3 * t[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            x = x + 0.15 * rng.normal(size=x.shape)
            sides += [np.concatenate([x, 0.3 * rng.normal(size=(n, 6))], axis=1), y]
        return Sides(*sides)

    return read


def shells(n: int = 600) -> Read:
    """Four classes of one Gaussian cloud by distance from its middle, the target's stretched and off it."""

    def read() -> Sides:
        x, y = make_gaussian_quantiles(n_samples=2 * n, n_features=4, n_classes=4, random_state=22)
        other = x[n:] * np.array([1.3, 1.0, 0.8, 1.0]) + 0.3
        return Sides(x[:n], y[:n], other, y[n:])

    return read


def waves(n: int = 600) -> Read:
    """Three classes of noisy waves of 21 points, mixed of triangles as Breiman's, the target's two points later."""

    def read() -> Sides:
        rng, sides = np.random.default_rng([23, 0xB0B]), []
        points = np.arange(21)
        for late in (0, 2):
            y, u = rng.integers(3, size=n), rng.random((n, 1))
            triangles = np.stack([np.maximum(6 - np.abs(points - peak - late), 0) for peak in (6, 14, 10)])
            pairs = np.array([[0, 1], [0, 2], [1, 2]])[y]
            x = u * triangles[pairs[:, 0]] + (1 - u) * triangles[pairs[:, 1]]
            sides += [x + rng.normal(size=x.shape), y]
        return Sides(*sides)

    return read


def counts(n: int = 600) -> Read:
    """Five topics of forty words, drawn by Poisson; in the target other words are common, and texts are longer."""

    def read() -> Sides:
        rng = np.random.default_rng([24, 0xB0B])
        topics = rng.dirichlet(np.full(40, 0.3), size=5)
        common, sides = rng.dirichlet(np.full(40, 0.5), size=2), []
        for other, length in zip(common, (30, 45), strict=True):
            y = rng.integers(5, size=n)
            words = rng.poisson(length * (0.6 * topics[y] + 0.4 * other))
            sides += [np.sqrt(words), y]
        return Sides(*sides)

    return read
