"""Maps of a feature space: points in a plane, coloured by domain or by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from acclimate.reports.drawing import (
    BLUE,
    CLASS_COLOURS,
    FONT,
    INK,
    RULE,
    VERMILLION,
    halo,
    panel,
    separated,
    shortened,
    title,
)

FEW_CLASSES = 12
# Sides of a t-SNE's axes, in pixels, and how near two labels of a class are one; groups of fewer points go unnamed.
_PLANE, _CLOSE, _FEWEST_NAMED = 310, 45, 3


def domains_figure(points: np.ndarray, is_target: np.ndarray, heading: str) -> Figure:
    """Points coloured by domain, source circles and target triangles; shuffled, so that neither covers the other.

    Args:
        points: `(n, 2)`.
        is_target: `(n,)` bool.
        heading: the title.
    """
    figure, axes = _plane(heading)
    for part in np.array_split(np.random.default_rng(0).permutation(len(points)), min(20, len(points))):
        for target, colour, marker in ((False, BLUE, "o"), (True, VERMILLION, "^")):
            _dots(axes, points[part[is_target[part] == target]], colour, marker)
    return figure


def classes_figure(
    points: np.ndarray, labels: np.ndarray, is_target: np.ndarray, classes: Sequence[str], heading: str
) -> Figure:
    """Points coloured by class, the class named amid its points.

    Of more than twelve classes the eight most frequent are coloured and named; the others are grey.

    Args:
        points: `(n, 2)`.
        labels: `(n,)` class indices; −1 where there is none.
        is_target: `(n,)` bool; target points are triangles.
        classes: all names.
        heading: the title.
    """
    figure, axes = _plane(heading)
    shown = shown_classes(labels, len(classes))
    others = ~np.isin(labels, shown)
    for target, marker in ((False, "o"), (True, "^")):
        _dots(axes, points[others & (is_target == target)], RULE, marker)
        for label, colour in zip(shown, CLASS_COLOURS, strict=False):
            _dots(axes, points[(labels == label) & (is_target == target)], colour, marker)
    _name_clusters(axes, points, labels, is_target, {c: classes[c] for c in shown})
    return figure


def _dots(axes: Axes, points: np.ndarray, colour: str, marker: str) -> None:
    axes.scatter(points[:, 0], points[:, 1], s=13, color=colour, marker=marker, alpha=0.7, linewidths=0)


def shown_classes(labels: np.ndarray, k: int) -> list[int]:
    """The classes to colour: all that occur if there are at most twelve, else the eight most frequent."""
    counts = np.bincount(labels[labels >= 0], minlength=k)
    if k <= FEW_CLASSES:
        return [int(c) for c in np.flatnonzero(counts)]
    return [int(c) for c in np.argsort(-counts, kind="stable")[:8] if counts[c]]


def _plane(heading: str) -> tuple[Figure, Axes]:
    """Axes without units: distances in a t-SNE mean little, so there are no ticks to read them by."""
    figure, axes = panel(330, 330)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(RULE)
    title(axes, heading)
    return figure, axes


def _name_clusters(
    axes: Axes, points: np.ndarray, labels: np.ndarray, is_target: np.ndarray, names: Mapping[int, str]
) -> None:
    """A class's name at its points of each domain, once where both are close, pushed apart where names overlap."""
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    unit = (high - low) / _PLANE
    written: list[str] = []
    places: list[np.ndarray] = []
    for label, name in names.items():
        members = [points[(labels == label) & (is_target == target)] for target in (False, True)]
        centres = [_medoid(group) for group in members if len(group) >= _FEWEST_NAMED] or [
            _medoid(points[labels == label])
        ]
        if len(centres) == 2 and np.linalg.norm((centres[1] - centres[0]) / unit) < _CLOSE:
            centres.pop()
        # A short name sits amid its points; a longer one would hide them, so it floats above.
        places += [centre + (0 if len(name) <= 2 else 12) * unit * (0, 1) for centre in centres]
        written += [shortened(name, 12)] * len(centres)
    sizes = np.array([[7.5 * len(name) + 4, 14] for name in written]).reshape(-1, 2) * unit
    placed = separated(np.array(places).reshape(-1, 2), sizes, low, high)
    for name, (x, y) in zip(written, placed, strict=True):
        text = axes.text(x, y, name, ha="center", va="center", fontsize=FONT, fontweight="bold", color=INK)
        text.set_in_layout(False)
        halo(text)


def _medoid(points: np.ndarray) -> np.ndarray:
    """The point nearest to the median, which unlike the median lies among the others."""
    return np.asarray(points[np.linalg.norm(points - np.median(points, axis=0), axis=1).argmin()])
