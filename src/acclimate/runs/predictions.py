"""`predictions.parquet`: one row per target example, whatever the method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from acclimate.data.domain import Domain
from acclimate.data.spreadsheets import guarded
from acclimate.metrics.regression import Margins
from acclimate.runs.files import write_atomically
from acclimate.types import UNLABELLED


def prediction_table(
    split: str, domain: Domain, probabilities: np.ndarray, classes: tuple[str, ...], labels: np.ndarray | None
) -> pl.DataFrame:
    """Answers as a table.

    Args:
        split: role of the domain, `"target"` or `"target_test"`.
        domain: what was predicted.
        probabilities: `(n, k)`.
        classes: names of the k classes, and any further ones that labels use.
        labels: `(n,)` indices into `classes`, −1 where unknown; None if nobody knows any.

    Returns:
        Columns `split`, `row`, `id`, `predicted`, `confidence`, `label` (null where unknown), `probabilities`.
    """
    names = np.array(classes)
    best = probabilities.argmax(axis=1)
    known = np.full(len(best), UNLABELLED) if labels is None else labels
    return pl.DataFrame(
        {
            "split": [split] * len(best),
            "row": np.arange(len(best)),
            "id": list(domain.ids) or [str(i) for i in range(len(best))],
            "predicted": names[best],
            "confidence": probabilities.max(axis=1).astype(np.float32),
            "label": [names[y] if y != UNLABELLED else None for y in known],
            "probabilities": probabilities.astype(np.float32),
        },
        schema_overrides={"label": pl.String},
    )


def number_table(
    split: str, domain: Domain, answers: np.ndarray, numbers: np.ndarray | None, margins: Margins | None
) -> pl.DataFrame:
    """Answers that are numbers as a table.

    Args:
        split: role of the domain.
        domain: what was predicted.
        answers: `(n,)`.
        numbers: `(n,)`, NaN where unknown; None if nobody knows any.
        margins: the interval around each answer; None if there is none.

    Returns:
        Columns `split`, `row`, `id`, `predicted`, `low`, `high` (null without margins), `label` (null where unknown).
    """
    nothing = np.full(len(answers), np.nan)
    ends = (nothing, nothing) if margins is None else (answers + margins.low, answers + margins.high)
    return pl.DataFrame(
        {
            "split": [split] * len(answers),
            "row": np.arange(len(answers)),
            "id": list(domain.ids) or [str(i) for i in range(len(answers))],
            "predicted": answers,
            "low": ends[0],
            "high": ends[1],
            "label": nothing if numbers is None else numbers,
        }
    ).with_columns(pl.col("low", "high", "label").fill_nan(None))


def write_predictions(path: Path, table: pl.DataFrame) -> None:
    """Write the table atomically as Parquet, or as CSV (without probabilities) if the name ends in .csv."""
    if path.suffix == ".csv":
        write_csv(path, table.drop("probabilities", strict=False))
    else:
        write_atomically(path, table.write_parquet)


def write_csv(path: Path, table: pl.DataFrame) -> None:
    """Write a table atomically as CSV; what a spreadsheet would run has an apostrophe before it.

    The readers of tables take it away again; see `acclimate.data.spreadsheets`.
    """
    write_atomically(path, guarded(table).write_csv)
