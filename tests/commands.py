"""What tests of the command line say to it and hear from it, and the files they give it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from acclimate.data.domain import Domain


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


def write_pictures(domain: Domain, folder: Path, labelled: bool) -> Path:
    """A folder of PNG files, in class folders if labelled."""
    for i, (picture, label) in enumerate(zip(domain.inputs, domain.labels, strict=True)):
        place = folder / domain.classes[label] if labelled else folder
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture[..., 0]).save(place / f"{i:04d}.png")
    return folder


def write_table(domain: Domain, path: Path, labels: np.ndarray | None) -> Path:
    """A CSV with columns x, y and, if there are labels, kind."""
    columns = {"x": domain.inputs[:, 0], "y": domain.inputs[:, 1]}
    frame = pl.DataFrame(columns)
    if labels is not None:
        frame = frame.with_columns(pl.Series("kind", [domain.classes[y] for y in labels]))
    frame.write_csv(path)
    return path
