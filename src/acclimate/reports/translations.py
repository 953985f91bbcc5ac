"""Images of each side turned into the other's: the section of a run's page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from acclimate.errors import WorkError
from acclimate.reports import embedding
from acclimate.reports.drawing import svg
from acclimate.reports.latent import latent_figure
from acclimate.reports.pictures import address_of, data_url, png
from acclimate.reports.sections import Shown
from acclimate.reports.wording import counted, percent
from acclimate.runs.arrays import read_arrays
from acclimate.runs.mosaic import mosaic
from acclimate.runs.record import Run
from acclimate.types import Side, other_side

_COLUMNS, _SHOWN = 8, 16
_MOST_BYTES = 1_100_000  # of a picture; as text in the page it takes a third more
_SECONDS, _LAST = 6.0, 1_500
_LONGEST, _SHORTEST = 400, 90
_BAR, _ABOVE_BAR = 4, 4
_SIDES: tuple[Side, Side] = ("source", "target")
_FRAME_ROWS = ("source", "rebuilt", "as target", "target", "rebuilt", "as source")


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of pictures as one picture.

    Attributes:
        url: as a data URL.
        rows: what each row shows.
        alt: the same in words.
        width: in percent of a full row, so that fewer pictures are no larger ones.
    """

    url: str
    rows: Sequence[str]
    alt: str
    width: int = 100


@dataclass(frozen=True, slots=True)
class Direction:
    """Translations of one side: heading, what they show, what judges say, the grids at once and those to unfold."""

    title: str
    finding: str
    judged: str
    grids: list[Grid]
    more: list[Grid]


@dataclass(frozen=True, slots=True)
class Animation:
    """Frames of the training: moving, and the last one still, for those who do not want movement.

    Attributes:
        moving: an animated PNG as a data URL; equal to `still` if there is a single frame.
        still: the last frame.
        rows: what each row shows.
        caption: which steps.
    """

    moving: str
    still: str
    rows: Sequence[str]
    caption: str


@dataclass(frozen=True, slots=True)
class TranslationsSection:
    """Everything the section shows.

    Attributes:
        directions: translations of the source's examples, then of the target's.
        animation: the same few examples over the training; None for a run without frames.
        paths: latent interpolations.
        space: t-SNE of the codes; None where there is nothing to draw.
    """

    directions: list[Direction]
    animation: Animation | None
    paths: list[Grid]
    space: Shown | None


def translations_section(run: Run, classes: Sequence[str]) -> TranslationsSection | None:
    """The section of a run's page; None for models that do not translate.

    Args:
        run: a finished run.
        classes: names of the classes.

    Raises:
        WorkError: if `translations.npz` or a frame is damaged.
    """
    if not run.translations_path.is_file():
        return None
    content = read_arrays(run.translations_path)
    try:
        section = TranslationsSection(
            [_direction(content, side, classes, _scores(run)) for side in _SIDES],
            _animation(run.frames()),
            _paths(content),
            _space(content, classes),
        )
    except (OSError, EOFError, BadZipFile) as error:
        raise WorkError(f"{run.translations_path} cannot be read: {error}") from None
    except (KeyError, TypeError, IndexError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise WorkError(f"{run.translations_path} is not as acclimate writes it: {what}") from None
    return section


def _scores(run: Run) -> Mapping[str, float]:
    return run.summary["scores"] if run.summary else {}


def _judged(scores: Mapping[str, float], to: Side) -> str:
    """What a classifier of real images says of translations to its side; empty where nobody was asked."""
    names = (f"to_{to}_kept", f"{to}_judge", f"to_{to}_frechet", f"{to}_frechet")
    if not all(name in scores for name in names):
        return ""
    kept, own, apart, floor = (scores[name] for name in names)
    return (
        f"Of these translations, {percent(kept)} are taken for the class they come from by a classifier that learned "
        f"from real {to} images with every label that is known; of real ones it has {percent(own)} right. In its "
        f"features they lie {apart:.0f} from real images (Fréchet distance), real ones from one another {floor:.0f}."
    )


def _direction(
    content: Mapping[str, np.ndarray], side: Side, classes: Sequence[str], scores: Mapping[str, float]
) -> Direction:
    other = other_side(side)
    names = ("inputs", "reconstructed", "translated", "returned")
    pictures = [content[f"{side}_{name}"] for name in names]
    rows = (f"{side} input", "rebuilt", f"as {other}", "and back")
    labels = content[f"{side}_label"]
    grids = []
    for start in range(0, len(labels), _COLUMNS):
        part = slice(start, start + _COLUMNS)
        shown = ", ".join(classes[label] if label >= 0 else "no label" for label in labels[part])
        alt = f"{len(labels[part])} {side} examples ({shown}), each rebuilt, as {other}, and brought back."
        width = round(100 * len(labels[part]) / _COLUMNS)
        grids.append(Grid(data_url(mosaic([row[part] for row in pictures])), rows, alt, width))
    apart = [_grey_levels(pictures[0], pictures[i]) for i in (1, 3)]
    finding = (
        f"Each column is one {side} example: the input, what its own decoder makes of its code, what the {other}’s "
        f"decoder makes of the same code, and that picture brought back. A pixel of a rebuilt picture is "
        f"{apart[0]:.0f} of 255 grey levels from the input’s on average, of one brought back {apart[1]:.0f}."
    )
    at_once = _SHOWN // _COLUMNS
    judged = _judged(scores, other)
    return Direction(f"{side.capitalize()} → {other}", finding, judged, grids[:at_once], grids[at_once:])


def _grey_levels(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.abs(one.astype(np.float64) - two).mean())


def _paths(content: Mapping[str, np.ndarray]) -> list[Grid]:
    """From a source example to the target example with the nearest code, decoded to both sides on the way."""
    starts, ends = content["path_source_inputs"], content["path_target_inputs"]
    grids = []
    for i in range(len(starts)):
        blank = np.zeros_like(starts[i])
        rows = [
            np.concatenate([[first], content[f"path_{side}"][i], [last]])
            for side, first, last in (("source", starts[i], blank), ("target", blank, ends[i]))
        ]
        made = _without(mosaic(rows), starts.shape[1:3], [(0, -1), (1, 0)])
        alt = (
            f"Pair {i + 1}: a source example, {len(rows[0]) - 2} steps to a target example, decoded to the source "
            "and, beneath, to the target, and that target example."
        )
        grids.append(Grid(data_url(made), ("as source", "as target"), alt))
    return grids


def _without(made: Image.Image, size: tuple[int, ...], cells: Sequence[tuple[int, int]]) -> Image.Image:
    """A mosaic with some of its pictures left out: (row, column), the column 0 or −1 for the last."""
    pixels, (h, w) = np.array(made), size
    for row, column in cells:
        top = 0 if row == 0 else pixels.shape[0] - h
        left = 0 if column == 0 else pixels.shape[1] - w
        pixels[top : top + h, left : left + w] = 0
    return Image.fromarray(pixels, made.mode)


def _space(content: Mapping[str, np.ndarray], classes: Sequence[str]) -> Shown | None:
    """t-SNE of the codes with each class's mean picture, and whether a class lies at the same place on both sides."""
    codes, is_target = content["codes"], content["is_target"]
    if not embedding.can_embed(codes):
        return None
    labels = np.where(is_target & ~content["by_label"], content["predicted"], content["label"])
    together, of = _classes_together(codes, labels, is_target, len(classes))
    by = "label" if content["by_label"] else "answer, as nobody knows every label"
    finding = (
        f"For {together} of {counted(of, 'class', 'classes')} the centre of the target’s codes is nearer to the "
        f"source’s centre of the same class than to any other’s. The target is sorted by {by}."
    )
    means: dict[str, np.ndarray] = {side: content[f"{side}_mean"] for side in _SIDES}
    figure = latent_figure(embedding.tsne(codes), labels, is_target, means, classes)
    return Shown(svg(figure, f"t-SNE of the codes of both sides, by class. {finding}"), finding)


def _classes_together(codes: np.ndarray, labels: np.ndarray, is_target: np.ndarray, k: int) -> tuple[int, int]:
    """How many classes have the target's centre nearest to the source's of the same class, and how many there are."""
    sides = [{c: codes[(labels == c) & (is_target == t)] for c in range(k)} for t in (False, True)]
    both = [c for c in range(k) if all(len(side[c]) for side in sides)]
    if not both:
        return 0, 0
    source, target = (np.stack([side[c].mean(axis=0, dtype=np.float64) for c in both]) for side in sides)
    nearest = ((target[:, None] - source[None]) ** 2).sum(axis=2).argmin(axis=1)
    return int((nearest == np.arange(len(both))).sum()), len(both)


def _animation(frames: Sequence[tuple[int, Path]]) -> Animation | None:
    if not frames:
        return None
    steps, last = [step for step, _ in frames], frames[-1][0]
    pictures = [_with_bar(_opened(path), step / last if last else 1.0) for step, path in frames]
    same = [i for i, picture in enumerate(pictures) if picture.size == pictures[-1].size]
    still = data_url(pictures[-1])
    every = 1
    while True:
        # The last one always is among them.
        kept = same[::-1][::every][::-1]
        moving = _moving([pictures[i] for i in kept])
        if len(moving) <= _MOST_BYTES or len(kept) <= 2:
            break
        every += 1
    caption = (
        f"The same examples at {counted(len(kept), 'point')} of training, from step {steps[kept[0]]:,} to {last:,}; "
        "the bar beneath shows how much of it is done."
    )
    return Animation(address_of(moving), still, _FRAME_ROWS, caption)


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=["png"]) as picture:
            return picture.convert("LA" if picture.mode == "LA" else "RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise WorkError(
            f"{path} cannot be read: it is no PNG picture. Remove it, and the report does without."
        ) from None


def _with_bar(picture: Image.Image, share: float) -> Image.Image:
    """The picture with a bar beneath that is as long as the share of training done."""
    pixels = np.asarray(picture)
    bar = np.zeros((_ABOVE_BAR + _BAR, *pixels.shape[1:]), dtype=np.uint8)
    bar[_ABOVE_BAR:] = 128
    bar[_ABOVE_BAR:, ..., -1] = 70
    bar[_ABOVE_BAR:, : max(1, round(share * pixels.shape[1])), -1] = 255
    return Image.fromarray(np.concatenate([pixels, bar]), picture.mode)


def _moving(pictures: Sequence[Image.Image]) -> bytes:
    if len(pictures) == 1:
        return png(pictures[0])
    each = round(min(_LONGEST, max(_SHORTEST, 1000 * _SECONDS / len(pictures))))
    buffer = io.BytesIO()
    durations = [each] * (len(pictures) - 1) + [_LAST]
    pictures[0].save(
        buffer, format="png", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
    )
    return buffer.getvalue()
