"""Estimators in skada's form: one stacked X, cut into folds together, and `sample_domain` to tell the sides apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from acclimate.data.budget import LabelBudget
from acclimate.data.class_names import together
from acclimate.data.pairs import Pair, checked_weights
from acclimate.data.readers.frames import Table
from acclimate.data.readers.given import tabled
from acclimate.data.readers.labels import Labels, read_labels, read_numbers
from acclimate.data.strings import as_texts
from acclimate.data.task import Task
from acclimate.errors import DataError, RequestError

if TYPE_CHECKING:
    from acclimate.estimators import AdaptationEstimator


class SampleDomainAdapter(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An adaptation estimator in skada's form: one stacked X, and `sample_domain` to tell the sides apart.

    Works in scikit-learn pipelines and grid searches, where arrays are cut into folds together. Labels of target rows
    are hidden from `fit`, as skada hides them, unless `label_budget` says otherwise; `score` may use them.

    Args:
        estimator: any of acclimate's estimators.
        label_budget: how many of the target's labels in y training may use: 0, so many per class, a share such as
            "10%", or "all"; see `Task.with_label_budget`. The estimator's seed draws them.

    Attributes (after `fit`):
        estimator_: the fitted estimator.
        classes_: labels of the source, in the order of the columns of `predict_proba`.
        n_features_in_: features per example; not there for texts.
        feature_names_in_: names of the columns, where X has such.
    """

    # scikit-learn reads this form; `score` gets it too, so that it can tell the sides of a fold.
    __metadata_request__fit = {"sample_domain": True}  # noqa: RUF012
    __metadata_request__score = {"sample_domain": True}  # noqa: RUF012

    def __init__(self, estimator: AdaptationEstimator, label_budget: str | float = 0) -> None:
        self.estimator = estimator
        self.label_budget = label_budget

    def fit(self, X: Any, y: Any, sample_domain: Any = None) -> Self:
        """Adapt from the rows with `sample_domain` > 0 to those with `sample_domain` < 0.

        Args:
            X: inputs of both sides; texts as a list, or as a column.
            y: labels `(n,)`; −1, None, NaN or "" where there is none.
            sample_domain: `(n,)` integers, positive for source rows and negative for target rows. Several positive
                ones are several sources, for methods that tell them apart. Without it, rows without a label are the
                target, as in skada.

        Raises:
            RequestError: if one side has no rows, or a label breaks a rule.
        """
        X, n = _rows(X)
        labels = _Answers.of(y, n, ranges=self.estimator.get_params().get("bins") is not None)
        is_source = labels.known if sample_domain is None else _is_source(sample_domain, n)
        if is_source.all() or not is_source.any():
            raise RequestError(
                "sample_domain",
                "must be positive on source rows and negative on target rows, with some of each",
                f"{int(is_source.sum())} source rows of {n}",
                "Mark both sides, for example np.where(is_source, 1, -1).",
            )
        source, of_target = (X[is_source], labels.take(is_source)), labels.take(~is_source)
        model = clone(self.estimator)
        origins = _origins(sample_domain, is_source)
        self.estimator_ = model._fit(
            source, X[~is_source], lambda pair: _from_several(self._with_labels(pair, of_target), origins)
        )
        self.classes_ = self.estimator_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def _with_labels(self, pair: Pair, given: Any) -> Pair:
        """The pair with so many target labels as the label budget grants."""
        budget = LabelBudget.parse(self.label_budget)
        if budget.is_empty:
            return pair
        labels = read_labels(given, len(pair.target), "y of the target", pair.source.bins)
        classes = together(pair.source.classes, labels.classes)
        target = replace(pair.target, labels=labels.among(classes, "y of the target"), classes=classes)
        granted = Task(pair.source, target).with_label_budget(budget, self.estimator.get_params().get("seed") or 0)
        return replace(pair, target=granted.target)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row, `(n,)`."""
        check_is_fitted(self)
        return self.estimator_.predict(X)  # type: ignore[no-any-return]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities `(n, k)`."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)  # type: ignore[no-any-return]

    def score(self, X: Any, y: Any, sample_weight: Any = None, sample_domain: Any = None) -> float:
        """Accuracy in [0, 1] on the target rows that have a label.

        Args:
            X: inputs.
            y: the right answers; −1, None, NaN or "" where there is none.
            sample_weight: weight of each row.
            sample_domain: as for `fit`; rows of the source do not count. Without it every row does, and one without a
                label is taken for the target's, as in `fit`.

        Raises:
            DataError: if nothing tells how good the answers on the target are: what is right on source rows alone is
                no measure of adaptation, and a search by it would choose none.
        """
        check_is_fitted(self)
        X, n = _rows(X)
        labels = read_labels(y, n, "y", self.estimator_._bins)
        known = labels.known
        on_target = ~known if sample_domain is None else ~_is_source(sample_domain, n)
        if on_target.any() and not (on_target & known).any():
            raise DataError(
                "y",
                "must hold labels of target rows to score an adaptation by",
                f"{int(on_target.sum()):,} target rows without any",
                "Leave the target's labels in y, where fit does not see them; or score labelled rows alone, "
                "score(X[known], y[known]).",
            )
        rows = on_target if on_target.any() else known
        weights = None if sample_weight is None else checked_weights(sample_weight, n)[rows]
        return self.estimator_.score(X[rows], labels.take(rows), weights)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Answers:
    """Labels of all rows before they are parted: classes, or numbers whose ranges the source's rows will make."""

    given: Labels | np.ndarray

    @classmethod
    def of(cls, y: Any, n: int, *, ranges: bool) -> _Answers:
        return cls(read_numbers(y, n, "y") if ranges else read_labels(y, n, "y"))

    @property
    def known(self) -> np.ndarray:
        """Which rows have a label."""
        return self.given.known if isinstance(self.given, Labels) else ~np.isnan(self.given)

    def take(self, rows: np.ndarray) -> Labels | np.ndarray:
        """Those of some rows."""
        return self.given.take(rows) if isinstance(self.given, Labels) else self.given[rows]


def _rows(X: Any) -> tuple[Any, int]:
    """Inputs that a mask of rows can take apart, with the names of their columns, and how many rows there are.

    Raises:
        DataError: if they have no rows.
    """
    if (texts := as_texts(X, "X")) is not None:
        # NumPy's own strings are as wide as the longest of them, in every row.
        return np.array(texts, dtype=object), len(texts)
    if isinstance(found := tabled(X, "X"), Table):
        return found, found.frame.height
    try:
        X = X.tocsr() if hasattr(X, "tocsr") else X.detach().cpu().numpy() if hasattr(X, "detach") else np.asarray(X)
    except ValueError:
        X = np.zeros(())
    if not X.ndim:
        fix = "Give an array, a frame or a list with one row for each example."
        raise DataError("X", "must hold examples, one a row", "none, or rows of different lengths", fix)
    return X, X.shape[0]


def _origins(sample_domain: Any, is_source: np.ndarray) -> np.ndarray | None:
    """The numbers of the sources' rows, where there are several sources."""
    if sample_domain is None:
        return None
    numbers = np.asarray(sample_domain, dtype=np.float64)[is_source]
    return numbers if len(np.unique(numbers)) > 1 else None


def _from_several(pair: Pair, numbers: np.ndarray | None) -> Pair:
    """The pair, whose source's rows `(n,)` come from sources of these numbers."""
    if numbers is None:
        return pair
    names, origins = np.unique(numbers, return_inverse=True)
    told = tuple(f"{name:g}" for name in names)
    return replace(pair, source=replace(pair.source, origins=origins, origin_names=told))


def _is_source(sample_domain: Any, n: int) -> np.ndarray:
    """Which rows `(n,)` are the source's.

    Raises:
        DataError: if it is not one number other than 0 for each row.
    """
    try:
        sides = np.asarray(sample_domain, dtype=np.float64)
    except (TypeError, ValueError):
        sides = np.zeros(0)
    if sides.shape != (n,) or not ((sides > 0) | (sides < 0)).all():
        fix = "Mark both sides, for example np.where(is_source, 1, -1)."
        got = f"{sample_domain!r:.60}"
        raise DataError("sample_domain", f"must be {n} numbers, positive or negative, one per row", got, fix)
    return sides > 0
