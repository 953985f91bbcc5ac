"""Synthetic worlds for the bank: two sides drawn from a seed, the target's moved, turned, widened or bent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import make_classification


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
