"""What an estimator gives to those whose data come batch after batch: a copy that adapts while it answers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from acclimate.errors import DataWarning, RequestError
from acclimate.methods.online import Online
from acclimate.reports.adapting import guarded, reasons
from acclimate.training.fitted import softmax
from acclimate.training.online import Adapting, Streamed, adapted_by
from acclimate.types import Side

if TYPE_CHECKING:
    from acclimate.data.pairs import Data

Adapt = str | Online[Any]


class Stream:
    """A classifier that learns from each batch it has answered; the model it began with stays as it is.

    Attributes:
        classes_: as the model's.
        facts_: of the last call: batches, resets by the guard, and how many answers are of the adapted copy.
    """

    def __init__(self, model: Any, adapting: Adapting) -> None:
        self._model, self._adapting = model, adapting
        self.classes_ = model.classes_
        self.facts_: dict[str, Any] = {}

    def predict_proba(self, data: Data) -> np.ndarray:
        """Probabilities `(n, k)` of the next examples, answered batch by batch; the stream goes on where it stood.

        Warns by a `DataWarning` where the guard stepped in.

        Raises:
            RequestError: if there are fewer examples than a batch needs.
        """
        found = self._adapting.answers(self._model._inputs(data, self._adapting.begun.side))
        self._tell(found)
        return softmax(found.logits)

    def predict(self, data: Data) -> np.ndarray:
        """The most probable classes `(n,)` of the next examples; as `predict_proba`."""
        return np.asarray(self.classes_[self.predict_proba(data).argmax(axis=1)])

    def reset(self) -> None:
        """Begin another stream with the model as it is."""
        self._adapting.reset()

    def _tell(self, found: Streamed) -> None:
        self.facts_ = self._adapting.facts(found)
        if said := guarded(self.facts_):
            sentences = (f"{said[0].upper()}{said[1:]}.", *reasons(self.facts_))
            warnings.warn(" ".join(sentences), DataWarning, stacklevel=5)


class Adapts:
    """The part of an estimator that adapts while it answers."""

    _fitted: Any

    def adapting(self, adapt: Adapt = "tent", *, side: Side = "target", **options: Any) -> Stream:
        """A copy that learns from each batch it has answered; this model stays as it is.

        Args:
            adapt: `"bn"`, `"tent"`, `"eta"` or `"lame"`, or one with options of its own, such as `TENT(lr=1e-4)`.
            side: as for `predict`.
            options: of the method, where it is named, and of the stream: batch_size, order, reset, guard.

        Raises:
            RequestError: if the method cannot adapt this model, which for all but lame needs batch norm.
        """
        check_is_fitted(self)
        if isinstance(adapt, str):
            return Stream(self, Adapting(self._fitted, *adapted_by(adapt, options), side))
        if not isinstance(adapt, Online):
            fix = "For example adapt='tent' or adapt=acclimate.TENT(lr=1e-4)."
            raise RequestError("adapt", "must be a method of test time or its name", repr(adapt), fix)
        return Stream(self, Adapting(self._fitted, *adapted_by(adapt.name, {**adapt.model_dump(), **options}), side))
