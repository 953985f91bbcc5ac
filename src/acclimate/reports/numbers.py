"""What `predictions.parquet` says where numbers are asked for: the answers on both sides, and how wrong they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from acclimate.data.task import TARGET_ROLES
from acclimate.errors import WorkError
from acclimate.metrics.regression import number_scores
from acclimate.runs.record import Run

_JUDGED = ("target_test", "target")  # by the first of these whose numbers are known
_TYPES = {"split": pl.String, "predicted": pl.Float64, "low": pl.Float64, "high": pl.Float64, "label": pl.Float64}
_DRAWS = 2_000


@dataclass(frozen=True, eq=False)
class Numbers:
    """The answers on one set of examples, before and after adaptation.

    Attributes:
        split: role of the examples.
        numbers: `(n,)` the true ones, NaN where unknown.
        after: `(n,)` those that the adapted model answers.
        before: those of the model without adaptation, if there is one.
        margins: what is added to each answer for the ends of its interval; None if there is none.
    """

    split: str
    numbers: np.ndarray
    after: np.ndarray
    before: np.ndarray | None = None
    margins: tuple[float, float] | None = None

    @property
    def known(self) -> np.ndarray:
        """`(n,)` bool: where the true number is known."""
        return np.asarray(~np.isnan(self.numbers))

    @property
    def scores(self) -> dict[str, float]:
        """Of the adapted model, as `number_scores`."""
        return number_scores(self.after, self.numbers)

    @property
    def scores_before(self) -> dict[str, float]:
        """Of the model without adaptation; empty if there is none."""
        return {} if self.before is None else number_scores(self.before, self.numbers)

    @property
    def covered(self) -> float:
        """The share of known numbers within their interval; NaN without one."""
        if self.margins is None or not self.known.any():
            return float("nan")
        errors = (self.numbers - self.after)[self.known]
        return float(((self.margins[0] <= errors) & (errors <= self.margins[1])).mean())

    def gain(self) -> tuple[float, float, float]:
        """How much smaller the mean absolute error is than without adaptation, and its 95 % interval.

        The interval is the bootstrap's, over examples: both models' errors on the same example stay together.
        """
        assert self.before is not None
        errors = [np.abs(answers - self.numbers)[self.known] for answers in (self.before, self.after)]
        return mean_interval(errors[0] - errors[1])


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """The mean of values `(n,)`, and its 95 % percentile interval by 2,000 resamplings, always the same.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993.

    Example:
        >>> mean_interval(np.full(5, 2.0))
        (2.0, 2.0, 2.0)
    """
    rng = np.random.default_rng(0)
    means = np.array([values[rng.integers(0, len(values), len(values))].mean() for _ in range(_DRAWS)])
    low, high = np.quantile(means, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)


def read_numbers(run: Run) -> dict[str, Numbers]:
    """What a run answered, by role.

    Raises:
        WorkError: if the file is damaged, or of another model.
    """
    table, theirs = _read(run), None if run.baseline is None else _read(run.baseline)
    found = {}
    for (split,), part in table.group_by("split", maintain_order=True):
        before = None if theirs is None else theirs.filter(pl.col("split") == split)["predicted"].to_numpy()
        answers = part["predicted"].to_numpy()
        ends = [float((part[end] - part["predicted"])[0]) for end in ("low", "high") if part[end].null_count() == 0]
        found[str(split)] = Numbers(
            str(split),
            part["label"].fill_null(np.nan).to_numpy(),
            answers,
            before if before is not None and len(before) == len(answers) else None,
            (ends[0], ends[1]) if len(ends) == 2 else None,
        )
    return found


def judged(found: dict[str, Numbers]) -> Numbers:
    """Those to report on: of the held-out target where its numbers are known, else what there is."""
    there = [found[role] for role in _JUDGED if role in found]
    return next((one for one in there if one.known.sum() > 1), there[0])


def _read(run: Run) -> pl.DataFrame:
    path = run.predictions_path
    try:
        table = pl.read_parquet(path, columns=["row", *_TYPES])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        said = str(error).partition("\n")[0]
        raise WorkError(f"{path} cannot be read: {said:.300}") from None
    odd = [name for name, kind in _TYPES.items() if table.schema[name] != kind]
    splits = set(table["split"])
    if odd:
        raise WorkError(f"{path} is not as acclimate writes it: values of another type under {', '.join(odd)}.")
    if not splits & set(_JUDGED) or splits - {*TARGET_ROLES, "source_test"} or table["predicted"].null_count():
        raise WorkError(f"{path} is not as acclimate writes it: no answers on the target, or answers missing.")
    return table.sort("split", "row")
