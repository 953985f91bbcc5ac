"""What is done to a task of the bank so that adapting may harm: other proportions, drift, noise, wrong labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bank_worlds import Sides

Change = Callable[[Sides, np.random.Generator], Sides]


def as_it_is(sides: Sides, _: np.random.Generator) -> Sides:
    """Nothing."""
    return sides


def proportions(sides: Sides, rng: np.random.Generator) -> Sides:
    """In the target every second class keeps a fifth of its examples."""
    kept = (sides.yt % 2 == 0) | (rng.random(len(sides.yt)) < 0.2)
    return sides.rows(np.arange(len(sides.ys)), np.flatnonzero(kept))


def missing(sides: Sides, rng: np.random.Generator) -> Sides:
    """Every second class is missing in the target; of two, all but a twentieth of one."""
    few = sides.yt % 2 == 1
    kept = ~few if sides.ys.max() > 1 else ~few | (rng.random(len(few)) < 0.05)
    return sides.rows(np.arange(len(sides.ys)), np.flatnonzero(kept))


def skewed(sides: Sides, rng: np.random.Generator) -> Sides:
    """In the target classes keep shares drawn at random, one of them all of its examples."""
    share = rng.dirichlet(np.full(int(sides.yt.max()) + 1, 0.5))
    kept = rng.random(len(sides.yt)) < (share / share.max())[sides.yt]
    return sides.rows(np.arange(len(sides.ys)), np.flatnonzero(kept))


def tilted_source(sides: Sides, rng: np.random.Generator) -> Sides:
    """In the source every second class keeps a quarter of its examples."""
    kept = (sides.ys % 2 == 0) | (rng.random(len(sides.ys)) < 0.25)
    return sides.rows(np.flatnonzero(kept), np.arange(len(sides.yt)))


def drift(sides: Sides, rng: np.random.Generator) -> Sides:
    """Each of the target's columns is measured by another gain."""
    gains = np.exp(rng.normal(scale=0.7, size=sides.xt.shape[1]))
    return Sides(sides.xs, sides.ys, sides.xt * gains, sides.yt)


def noise(sides: Sides, rng: np.random.Generator) -> Sides:
    """The source is noise of the same mean and spread, with its labels."""
    spread = rng.normal(size=sides.xs.shape) * sides.xs.std(axis=0) + sides.xs.mean(axis=0)
    return Sides(spread, sides.ys, sides.xt, sides.yt)


def noisy_target(sides: Sides, rng: np.random.Generator) -> Sides:
    """The target's columns carry noise of one and a half times their own spread."""
    return Sides(sides.xs, sides.ys, sides.xt + 1.5 * sides.xt.std() * rng.normal(size=sides.xt.shape), sides.yt)


def wrong_labels(sides: Sides, rng: np.random.Generator) -> Sides:
    """Four in ten of the source's labels are another's."""
    wrong = rng.random(len(sides.ys)) < 0.4
    return Sides(sides.xs, np.where(wrong, rng.permutation(sides.ys), sides.ys), sides.xt, sides.yt)


def no_shift(sides: Sides, rng: np.random.Generator) -> Sides:
    """Both sides are drawn from the source."""
    order = rng.permutation(len(sides.ys))
    half = len(order) * 2 // 3
    return Sides(sides.xs[order[:half]], sides.ys[order[:half]], sides.xs[order[half:]], sides.ys[order[half:]])


CHANGES: dict[str, Change] = {
    "natural": as_it_is,
    "proportions": proportions,
    "missing": missing,
    "skewed": skewed,
    "tilted source": tilted_source,
    "drift": drift,
    "noise": noise,
    "noisy target": noisy_target,
    "wrong labels": wrong_labels,
    "no shift": no_shift,
}
