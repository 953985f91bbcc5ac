"""The target examples about which a chosen model is least sure: what to look at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from PIL import Image

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.running.auditing import values_of
from acclimate.runs.chosen import Doubt
from acclimate.runs.record import Run

_SHOWN, _LONGEST, _SIDE = 10, 400, 144


def doubtful(runs: Sequence[Run], target: Domain) -> tuple[tuple[Doubt, ...], np.ndarray | None]:
    """Ten examples with the least mean probability of the answer, over runs that differ in their seed.

    Args:
        runs: finished; the first of them is the one that answers.
        target: its examples as they were read; labels play no part.

    Returns:
        What to say of each, and small pictures uint8 `(n, h, w, c)` where they are pictures.
    """
    tables = [_answers(run) for run in runs]
    first = tables[0]
    probabilities = np.stack([np.array(table["probabilities"].to_list(), dtype=np.float64) for table in tables])
    answers = probabilities[0].argmax(axis=1)
    mean = probabilities.mean(axis=0)
    sure = mean[np.arange(len(mean)), answers]
    rows = np.argsort(sure, kind="stable")[:_SHOWN]
    classes = runs[0].config["task"]["classes"]
    others = probabilities[0].copy()
    others[np.arange(len(others)), answers] = -1
    told = zip(rows.tolist(), _looks(target, runs[0].config["request"].get("target"), rows), strict=True)
    found = tuple(
        Doubt(
            id=first["id"][row],
            answer=classes[answers[row]],
            second=classes[int(others[row].argmax())],
            confidence=min(1.0, float(sure[row])),
            shown=shown,
        )
        for row, shown in told
    )
    return found, _pictures(target, rows)


def _answers(run: Run) -> pl.DataFrame:
    run.check(run.predictions_path)
    return pl.read_parquet(run.predictions_path).filter(pl.col("split") == "target")


def _looks(target: Domain, own: str | None, rows: np.ndarray) -> Iterator[str]:
    """The text or the values of each row; empty where there is a picture, or nothing."""
    for text in _whole(target, own, rows):
        yield text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _whole(target: Domain, own: str | None, rows: np.ndarray) -> list[str]:
    if target.kind == "text":
        return list(to_texts(target.rows[rows]))
    if target.kind == "images" or target.pictures is not None:
        return [""] * len(rows)
    return [look["shown"] for look in values_of(target, own, rows)]


def _pictures(target: Domain, rows: np.ndarray) -> np.ndarray | None:
    pictures = target.array if target.kind == "images" else target.pictures
    if pictures is None:
        return None
    shown = np.asarray(pictures[rows])
    if max(shown.shape[1:3]) <= _SIDE:
        return shown
    small = []
    for picture in shown:
        image = Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)
        image.thumbnail((_SIDE, _SIDE))
        small.append(np.asarray(image).reshape(*np.asarray(image).shape[:2], -1))
    return np.stack(small)
