"""A run's model as serving sees it where it reads no pictures: texts or rows in, probabilities out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.readers.arrays import from_arrays
from acclimate.data.readers.given import Fields, held_to
from acclimate.data.schema import TableSchema
from acclimate.errors import DataError
from acclimate.problems.reading import reading_of
from acclimate.running.adaptation import load
from acclimate.runs.record import Run
from acclimate.training.fitted import Fitted, softmax


class RunExaminer:
    """The answers of a run and of the baseline in its folder, as `serving.encoder.Examiner` asks for them.

    Args:
        run: the run's folder.

    Raises:
        RequestError: if it is unfinished or has no weights.
        WorkError: if it is damaged.
    """

    def __init__(self, run: Path | str) -> None:
        record = Run(run)
        self._after = load(run)
        self._before = None if record.baseline is None else load(record.baseline.folder)
        schema = reading_of(record).like
        self._fields = Fields(schema, schema.names, named=True) if isinstance(schema, TableSchema) else Fields()
        self.columns = self._fields.names
        self.takes: Literal["texts", "rows"] = "texts" if _kind(self._after) == "text" else "rows"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in index order."""
        return self._after.plan.classes

    @property
    def before_name(self) -> str | None:
        """The baseline's method."""
        return None if self._before is None else self._before.plan.method.name

    def read(self, examples: list[Any]) -> Domain:
        """Texts, dicts by column or lists of numbers as the target was read.

        Raises:
            DataError: if they are none of these, or lack a column.
        """
        if self.takes == "rows" and not self.columns:
            return from_arrays(_numbers(examples), name="the request")
        held = held_to(self._fields, examples, "the run", "the request")
        return held if isinstance(held, Domain) else from_arrays(held, name="the request")

    def notes(self, examples: Domain) -> list[str]:
        """How columns were read, and what of them the model does not know."""
        return [*examples.notes, *self._after.plan.preprocess.of("target").notes(examples)]

    def after(self, examples: Domain) -> np.ndarray:
        """Probabilities float64 `(n, k)`."""
        return _probabilities(self._after, examples)

    def before(self, examples: Domain) -> np.ndarray | None:
        """The same of the baseline."""
        return None if self._before is None else _probabilities(self._before, examples)


def reads_pictures(run: Run) -> bool:
    """Whether a run's target is one of pictures; no model is loaded for it."""
    preprocess = run.config["preprocess"]
    return bool(preprocess.get("target", preprocess).get("kind") == "images")


def _kind(fitted: Fitted) -> str:
    return fitted.plan.preprocess.of("target").kind


def _numbers(rows: list[Any]) -> np.ndarray:
    try:
        found = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0)
    if found.ndim == 2:
        return found
    got = "rows of different lengths, or with something else in them"
    raise DataError("the request", "must have rows of numbers, equally long", got, "Send [[0.1, 0.2], [0.3, 0.4]].")


def _probabilities(fitted: Fitted, examples: Domain) -> np.ndarray:
    return softmax(fitted.outputs(examples, keep_features=False).logits)
