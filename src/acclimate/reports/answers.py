"""What `predictions.parquet` says: the final answers on the target, beside source-only's on the same examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from acclimate.data.task import TARGET_ROLES
from acclimate.errors import WorkError
from acclimate.runs.record import Run
from acclimate.types import UNLABELLED

_JUDGED = ("target_test", "target")  # by the first of these that has labels
_COLUMNS = ["split", "row", "predicted", "confidence", "label"]


@dataclass(frozen=True, eq=False)
class Model:
    """One model's answers on n examples: class indices `predicted` and `confidence` in [0, 1], both `(n,)`."""

    predicted: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers on one set of target examples, before and after adaptation.

    Attributes:
        split: role of the examples, `"target_test"` or `"target"`.
        classes: names of all classes; classes that only the target has come last.
        labels: `(n,)` true classes, −1 where unknown.
        after: the adapted model.
        before: the model without adaptation, if there is one.
        before_by: the name of its method.
    """

    split: str
    classes: tuple[str, ...]
    labels: np.ndarray
    after: Model
    before: Model | None = None
    before_by: str = "source-only"

    @property
    def known(self) -> np.ndarray:
        """`(n,)` bool: where the true class is known."""
        return np.asarray(self.labels != UNLABELLED)

    @property
    def num_known(self) -> int:
        """How many true classes are known."""
        return int(self.known.sum())

    def right(self, model: Model) -> np.ndarray:
        """Whether a model is right, for the examples whose class is known."""
        return np.asarray(model.predicted[self.known] == self.labels[self.known])

    def confusion(self, model: Model) -> np.ndarray:
        """Counts `(k, k)`: entry (i, j) is how often class i was called class j."""
        return crossed(self.labels[self.known], model.predicted[self.known], len(self.classes))


def crossed(rows: np.ndarray, columns: np.ndarray, k: int) -> np.ndarray:
    """Counts `(k, k)` of pairs of class indices."""
    return np.bincount(rows * k + columns, minlength=k * k).reshape(k, k)


def row_shares(counts: np.ndarray) -> np.ndarray:
    """Every row divided by its sum; NaN in rows without examples."""
    totals = counts.sum(axis=1, keepdims=True).astype(float)
    totals[totals == 0] = np.nan
    return np.asarray(counts / totals)


def class_shares(indices: np.ndarray, k: int) -> np.ndarray:
    """Share `(k,)` of each class; indices of −1 are left out."""
    counts = np.bincount(indices[indices != UNLABELLED], minlength=k)
    return np.asarray(counts / max(1, counts.sum()))


def read_answers(run: Run) -> Answers:
    """Read the answers to report on: held-out target examples where their labels are known, else what there is.

    Examples are matched with the baseline's by role and row.
    """
    table = _read(run)
    split = _split(table)
    table = table.filter(pl.col("split") == split).sort("row")
    classes = tuple(run.config["task"]["classes"])
    return Answers(
        split,
        classes,
        _indices(table["label"], classes),
        _model(table, classes),
        _before(run, table, classes),
        run.baseline.config["method"]["name"] if run.baseline else "source-only",
    )


def _read(run: Run) -> pl.DataFrame:
    """The rows of `predictions.parquet`, which fit the classes that the run names.

    Raises:
        WorkError: if it is damaged, or of another model.
    """
    try:
        table = pl.read_parquet(run.predictions_path, columns=[*_COLUMNS, "probabilities"])
    # A panic of Polars' is no Exception. It is what some damaged files get.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        said = str(error).partition("\n")[0]
        raise WorkError(f"{run.predictions_path} cannot be read: {said:.300}") from None
    if fault := _fault(table, run.config["task"]):
        raise WorkError(f"{run.predictions_path} is not as acclimate writes it: {fault}.")
    return table.drop("probabilities")


def _fault(table: pl.DataFrame, task: Mapping[str, Any]) -> str:
    """What is wrong with the answers; empty if nothing is."""
    texts = [name for name in ("split", "predicted", "label") if table.schema[name] != pl.String]
    fits = {"row": table.schema["row"].is_integer(), "confidence": table.schema["confidence"].is_numeric()}
    numbers = [name for name, fit in fits.items() if not fit]
    if odd := [*texts, *numbers]:
        return f"values of another type under {', '.join(odd)}"
    outputs = getattr(table.schema["probabilities"], "size", None)
    if outputs is None or not task["num_classes"] <= outputs <= len(task["classes"]):
        return f"probabilities of {outputs} classes, where the run tells {task['num_classes']:,} apart"
    splits = set(table["split"])
    if not (splits <= set(TARGET_ROLES) and splits & set(_JUDGED)):
        return "no answer, or answers on no target"
    if table.drop("label", "probabilities").null_count().sum_horizontal().item():
        return "answers that are missing"
    strange = ({*table["predicted"], *table["label"]} - {None}) - set(task["classes"])
    return f"classes that the run does not name, such as {min(strange)!r:.80}" if strange else ""


def _split(table: pl.DataFrame) -> str:
    labelled = set(table.filter(pl.col("label").is_not_null())["split"].unique())
    present = set(table["split"].unique())
    return next(s for pool in (labelled, present) for s in _JUDGED if s in pool)


def _before(run: Run, table: pl.DataFrame, classes: tuple[str, ...]) -> Model | None:
    baseline = run.baseline
    if baseline is None or not baseline.predictions_path.is_file():
        return None
    theirs = _read(baseline)
    matched = table.select("split", "row").join(theirs, on=["split", "row"], how="left", maintain_order="left")
    return None if matched["predicted"].null_count() else _model(matched, classes)


def _model(table: pl.DataFrame, classes: tuple[str, ...]) -> Model:
    return Model(_indices(table["predicted"], classes), table["confidence"].to_numpy())


def _indices(names: pl.Series, classes: tuple[str, ...]) -> np.ndarray:
    """Class names as indices; −1 where there is none."""
    index = {name: i for i, name in enumerate(classes)}
    return np.array([index.get(name, UNLABELLED) for name in names], dtype=np.int64)
