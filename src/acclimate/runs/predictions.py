"""`predictions.parquet`: one row per target example, whatever the method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from acclimate.data.domain import Domain
from acclimate.data.spreadsheets import guarded
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


def write_predictions(path: Path, table: pl.DataFrame) -> None:
    """Write the table atomically as Parquet, or as CSV (without probabilities) if the name ends in .csv."""
    if path.suffix == ".csv":
        write_csv(path, table.drop("probabilities"))
    else:
        write_atomically(path, table.write_parquet)


def write_csv(path: Path, table: pl.DataFrame) -> None:
    """Write a table atomically as CSV; what a spreadsheet would run has an apostrophe before it.

    The readers of tables take it away again; see `acclimate.data.spreadsheets`.
    """
    write_atomically(path, guarded(table).write_csv)
