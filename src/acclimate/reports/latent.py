"""The shared latent space of a translator on paper, with each class's mean picture where its codes lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from acclimate.reports.drawing import CLASS_COLOURS, INK, PAPER, RULE, SMALL, halo, panel, separated, shortened, title
from acclimate.reports.maps import shown_classes

_WIDTH, _HEIGHT = 640, 560
_PICTURE = 28
_NAME = 14  # what a name beneath a picture takes
_SIDES = (("source", False, "o"), ("target", True, "^"))
# Fewer points have no place that could be called theirs.
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class _Centre:
    """Where a class of one side lies, its mean picture, and how both are drawn."""

    place: np.ndarray
    picture: np.ndarray
    name: str
    colour: str
    marker: str


def latent_figure(
    points: np.ndarray,
    labels: np.ndarray,
    is_target: np.ndarray,
    means: Mapping[str, np.ndarray],
    classes: Sequence[str],
) -> Figure:
    """Codes as points, a class a colour and a side a marker, with the mean picture of each class of either side.

    Of more than twelve classes the eight most frequent are drawn like that; the others are grey.

    Args:
        points: `(n, 2)`.
        labels: `(n,)` class indices, −1 where there is none.
        is_target: `(n,)` bool; target points are triangles.
        means: by side, uint8 `(k, h, w, c)`.
        classes: all names.
    """
    figure, axes = panel(_WIDTH, _HEIGHT)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(RULE)
    title(axes, "Codes of both sides, and the mean picture of each class")
    colours = dict(zip(shown_classes(labels, len(classes)), CLASS_COLOURS, strict=False))
    centres = []
    for side, target, marker in _SIDES:
        of_side = is_target == target
        _dots(axes, points[of_side & ~np.isin(labels, list(colours))], RULE, marker)
        for label, colour in colours.items():
            members = points[of_side & (labels == label)]
            _dots(axes, members, colour, marker)
            if len(members) >= _FEWEST:
                place = _medoid(members)
                centres.append(_Centre(place, means[side][label], classes[label], colour, marker))
    _paste(axes, centres)
    return figure


def _dots(axes: Axes, points: np.ndarray, colour: str, marker: str) -> None:
    axes.scatter(points[:, 0], points[:, 1], s=11, color=colour, marker=marker, alpha=0.55, linewidths=0)


def _medoid(points: np.ndarray) -> np.ndarray:
    """The point nearest to the mean."""
    return np.asarray(points[np.linalg.norm(points - points.mean(axis=0), axis=1).argmin()])


def _paste(axes: Axes, centres: Sequence[_Centre]) -> None:
    """Each picture at its place, as near as the others allow, in a frame with its side's marker and its name."""
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    unit = (high - low) / (_WIDTH - 20, _HEIGHT - 40)
    box = np.array([_PICTURE + 4, _PICTURE + _NAME + 4]) * unit
    places = np.array([centre.place for centre in centres]).reshape(-1, 2)
    placed = separated(places, np.tile(box, (len(places), 1)), low, high)
    half = _PICTURE / 2 * unit
    for centre, wanted, (x, y) in zip(centres, places, placed, strict=True):
        y += _NAME / 2 * unit[1]
        if np.abs((wanted - (x, y)) / unit).max() > _PICTURE / 2:
            axes.plot([wanted[0], x], [wanted[1], y], color=centre.colour, linewidth=0.9, zorder=3)
        extent = (x - half[0], x + half[0], y - half[1], y + half[1])
        picture = np.repeat(centre.picture, 3, axis=2) if centre.picture.shape[2] == 1 else centre.picture
        axes.imshow(picture, extent=extent, interpolation="none", aspect="auto", zorder=4)
        axes.add_patch(
            Rectangle(
                (extent[0], extent[2]),
                *(2 * half),
                facecolor="none",
                edgecolor=centre.colour,
                linewidth=1.8,
                zorder=5,
            )
        )
        corner = (extent[0], extent[3])
        axes.scatter(
            *corner, s=58, color=centre.colour, marker=centre.marker, edgecolors=PAPER, linewidths=1, zorder=6
        )
        name = axes.text(x, extent[2] - 1.5 * unit[1], shortened(centre.name, 8), ha="center", va="top")
        name.set(fontsize=SMALL, color=INK, zorder=7)
        name.set_in_layout(False)
        halo(name)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
