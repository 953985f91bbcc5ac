"""What estimators that predict numbers do otherwise than those that tell classes apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from acclimate.data.domain import Domain
from acclimate.data.pairs import Data, checked_weights
from acclimate.data.readers.given import split
from acclimate.data.readers.labels import read_numbers
from acclimate.errors import DataError, RequestError
from acclimate.metrics.regression import answers_of
from acclimate.test_time import Adapt
from acclimate.training.fitted import Fitted
from acclimate.types import Side


class PredictsNumbers(RegressorMixin):  # type: ignore[misc]
    """Of a regressor adapted from a source with numbers to a target without.

    As `AdaptationEstimator`, but y `(n,)` holds numbers, NaN or None where there is none, `predict` gives numbers in
    the same units, and there are no classes: no `classes_`, no `predict_proba`, and `bins` must be None.
    """

    _estimator_type = "regressor"
    _fitted: Fitted
    _inputs: Callable[[Data, Side], Domain]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = None
        return tags

    def __getattribute__(self, name: str) -> Any:
        if name in ("predict_proba", "classes_") and name not in object.__getattribute__(self, "__dict__"):
            raise AttributeError(f"{type(self).__name__} predicts numbers and has no {name}")
        return super().__getattribute__(name)

    def predict(self, data: Data, side: Side = "target", *, adapt: Adapt | None = None) -> np.ndarray:
        """The number of each example, float64 `(n,)`, in the units of y.

        Args:
            data: inputs `(n, …)` or a `Domain`.
            side: left at `"target"`; both sides have the same features.
            adapt: must be None: no method adapts numbers while answering.

        Raises:
            RequestError: if `adapt` is given.
        """
        check_is_fitted(self)
        if adapt is not None:
            fix = "Leave it out."
            raise RequestError("adapt", "must be left out where numbers are predicted", repr(adapt), fix)
        return answers_of(self._fitted.outputs(self._inputs(data, side), side, keep_features=False))

    def score(self, data: Data, labels: Any = None, sample_weight: Any = None) -> float:
        """R² on labelled examples: 1 at best, 0 for their mean, below 0 for worse; see `metrics.regression`.

        Args:
            data: inputs, a labelled `Domain`, or a pair `(X, y)`.
            labels: the true numbers, unless `data` brings them; rows without one are left out.
            sample_weight: weight of each example.

        Raises:
            DataError: if fewer than two numbers are known, or weights are none.
        """
        predicted = self.predict(data)
        given = split(data)[1] if labels is None else labels
        if given is None and isinstance(data, Domain) and data.numbers is not None:
            given = data.numbers
        if given is None:
            raise DataError(
                "labels", "must be given to score", "none", "Call score(X, y), or score a labelled Domain."
            )
        numbers = read_numbers(given, len(predicted), "labels")
        known = ~np.isnan(numbers)
        if known.sum() < 2:
            raise DataError(
                "labels", "must be known for two examples at least", int(known.sum()), "Give more of them."
            )
        weights = None if sample_weight is None else checked_weights(sample_weight, len(known))[known]
        return float(r2_score(numbers[known], predicted[known], sample_weight=weights))

    def adapt(self, *args: Any, **options: Any) -> NoReturn:
        """Not there: begin anew with `fit`.

        Raises:
            RequestError: always.
        """
        rule = "must be one that tells classes apart to be gone on with"
        raise RequestError("model", rule, type(self).__name__, "Fit a new one on the new data.")
