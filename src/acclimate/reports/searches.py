"""What held-out queries find: the section of a retrieval run's page, and its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from acclimate.errors import WorkError
from acclimate.metrics.intervals import wilson_interval
from acclimate.reports.pictures import data_url
from acclimate.reports.told import Tile, Verdict
from acclimate.reports.wording import counted, interval, percent
from acclimate.runs.arrays import read_arrays
from acclimate.runs.record import Run

_SHEETS, _ENDS, _CLASSES = 8, 4, 10
_SIDE, _FRAME = 64, 4
# The right ones are framed in blue and raised, the query's own in green and marked in words: never by colour alone.
_RIGHT, _OWN, _QUERY = (0, 114, 178), (0, 158, 115), (127, 127, 127)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One query with what it found.

    Attributes:
        query: its class.
        url: query and hits in a row, as a data URL; empty where there are no pictures.
        alt: the hits in words, in order.
        hits: names of the hits' classes, with whether each is right.
        average_precision: of this query; None where nobody knows its class.
        own: rank of its own item among the hits, from 1; None if it is not among them.
    """

    query: str
    url: str
    alt: str
    hits: Sequence[tuple[str, bool]]
    average_precision: float | None
    own: int | None


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Mean average precision of the queries of one class."""

    name: str
    queries: int
    value: float


@dataclass(frozen=True, slots=True)
class SearchesSection:
    """Sheets of drawn queries, the best and worst of these, and the best and worst classes."""

    drawn: Sequence[Sheet]
    best: Sequence[Sheet]
    worst: Sequence[Sheet]
    best_classes: Sequence[ClassMap]
    worst_classes: Sequence[ClassMap]
    rows: Sequence[tuple[str, str, str]]
    classes: int


_MEASURES = (
    ("precision_at_1", "First hit of the right class (P@1)"),
    ("precision_at_10", "Right ones among the first 10 (P@10)"),
    ("map", "Mean average precision by class (mAP@all)"),
    ("map_at_200_envelope", "mAP@200 over min(200, R), monotone envelope"),
    ("map_at_200_retrieved", "mAP@200 over those retrieved"),
    ("map_at_200_relevant", "mAP@200 over all R"),
    ("own_recall_at_1", "Own photo first (R@1)"),
    ("own_recall_at_10", "Own photo among the first 10 (R@10)"),
)


def searches_section(run: Run) -> SearchesSection | None:
    """The section; None for a run that retrieves nothing, or had nothing held out to search with.

    Raises:
        WorkError: if the file is damaged.
    """
    if not run.searches_path.is_file():
        return None
    found = read_arrays(run.searches_path)
    try:
        return _section(found, run)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise WorkError(f"{run.searches_path} is not as acclimate writes it: {what}") from None


def _section(found: Mapping[str, np.ndarray], run: Run) -> SearchesSection:
    classes = run.config["task"]["classes"]
    sheets = [_sheet(found, row, classes) for row in range(len(found["label"]))]
    order = np.argsort(found["average_precision"], kind="stable")
    order = order[~np.isnan(found["average_precision"][order])]  # of unknown class
    ends = min(_ENDS, len(order) // 2)
    by_class = _by_class(found, classes)
    shown = min(_CLASSES, len(by_class) // 2)
    scores = (run.summary or {})["scores"]
    return SearchesSection(
        sheets[:_SHEETS],
        [sheets[row] for row in order[::-1][:ends]],
        [sheets[row] for row in order[:ends]],
        by_class[:shown],
        by_class[::-1][:shown],
        list(_rows(scores)),
        len(by_class),
    )


def search_verdict(run: Run) -> Verdict | None:
    """What a retrieval run shows, in plain words; None where nobody knows the classes of what is searched."""
    config, scores = run.config, (run.summary or {})["scores"]
    if "search_precision_at_1" not in scores:
        return None
    n = config["task"]["sizes"]["source_test"]
    gallery = config["task"]["sizes"]["target_test"]
    first = scores["search_precision_at_1"]
    sure = interval(wilson_interval(round(first * n), n))
    sentences = [
        f"{counted(n, 'held-out sketch', 'held-out sketches')} searched {gallery:,} held-out photos; no step had "
        f"seen either, nor another sketch of these photos. The first hit is of the sketch's class for "
        f"{percent(first)} ({sure})."
    ]
    if "search_all_map" in scores:
        everywhere, maps = (
            percent(scores["search_all_precision_at_1"]),
            (scores["search_map"], scores["search_all_map"]),
        )
        sentences.append(
            f"Among all photos, those of the training included, it is {everywhere}; mean average precision is "
            f"{' and '.join(map(percent, maps))}."
        )
    if "untrained_search_map" in scores:
        sentences.append(
            f"Without any training, by the cosine of the encoder's features, it would be "
            f"{percent(scores['untrained_search_precision_at_1'])}; with each side standardised, "
            f"{percent(scores['standardised_search_precision_at_1'])}."
        )
    own = scores.get("search_own_recall_at_10")
    if own is not None:
        sentences.append(
            f"The very photo that a sketch was drawn from is among the first ten for {percent(own)}: by class and by "
            "photo are different questions, and the numbers must not be mixed."
        )
    tiles = [
        Tile("first hit right", percent(first), sure),
        Tile("mAP@all", percent(scores["search_map"]), f"among {gallery:,} photos"),
    ]
    if own is not None:
        tiles.append(Tile("own photo in 10", percent(own), f"among {gallery:,} photos"))
    return Verdict(f"{percent(first)} of sketches find a photo of their class first", tuple(sentences), tuple(tiles))


def what_was_trained(config: Mapping[str, Any]) -> str:
    """Method and data, in one sentence."""
    method, task = config["method"], config["task"]
    sizes = task["sizes"]
    return (
        f"{method['title']} ({method['paper']}) learned from {sizes['source']:,} sketches and {sizes['target']:,} "
        f"photos of {counted(task['num_classes'], 'class', 'classes')}, encoded by a frozen network."
    )


def _rows(scores: Mapping[str, float]) -> Any:
    for name, words in _MEASURES:
        values = [scores.get(f"{prefix}_{name}") for prefix in ("search", "search_all")]
        if any(value is not None for value in values):
            held_out, everything = ("–" if value is None else percent(value) for value in values)
            yield words, held_out, everything


def _by_class(found: Mapping[str, np.ndarray], classes: Sequence[str]) -> list[ClassMap]:
    """Classes that have queries, the best first."""
    kept = [
        ClassMap(name, int(n), float(value))
        for name, n, value in zip(classes, found["class_queries"], found["class_map"], strict=False)
        if n
    ]
    return sorted(kept, key=lambda one: (-one.value, one.name))


def _sheet(found: Mapping[str, np.ndarray], row: int, classes: Sequence[str]) -> Sheet:
    label, own, hits = int(found["label"][row]), int(found["own"][row]), found["hits"][row]
    of_hits = found["item_label"][hits]
    names = [classes[k] if k >= 0 else "unknown" for k in of_hits]
    right = [bool(k == label and k >= 0) for k in of_hits]
    rank = [place for place, hit in enumerate(hits, start=1) if own >= 0 and hit == own]
    query = classes[label] if label >= 0 else "unknown"
    told = ", ".join(f"{name} ({'right' if good else 'wrong'})" for name, good in zip(names, right, strict=True))
    url = ""
    if "query_images" in found and "hit_images" in found:
        url = data_url(_strip(found["query_images"][row], found["hit_images"][row], right, rank))
    return Sheet(
        query,
        url,
        f"A sketch of {query}, and what it found: {told}.",
        list(zip(names, right, strict=True)),
        None if np.isnan(precision := found["average_precision"][row]) else float(precision),
        rank[0] if rank else None,
    )


def _strip(query: np.ndarray, hits: np.ndarray, right: Sequence[bool], own: Sequence[int]) -> Image.Image:
    """The query, a gap, and the hits, each in a frame where it is right."""
    step = _SIDE + 2 * _FRAME + 2
    out = Image.new("RGBA", (step * (len(hits) + 1) + 6, _SIDE + 2 * _FRAME), (0, 0, 0, 0))
    frames = [_QUERY, *(_OWN if place in own else _RIGHT if good else None for place, good in enumerate(right, 1))]
    for place, (picture, frame) in enumerate(zip([query, *hits], frames, strict=True)):
        left = place * step + (6 if place else 0)
        if frame is not None:
            out.paste((*frame, 255), (left, 0, left + _SIDE + 2 * _FRAME, _SIDE + 2 * _FRAME))
        out.paste(_picture(picture), (left + _FRAME, _FRAME))
    return out


def _picture(pixels: np.ndarray) -> Image.Image:
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
    return image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
