"""fit / predict / score for people who think in scikit-learn.

There is one estimator class for each method, made from the method's own declaration: `acclimate.DANN`,
`acclimate.MCD`, … Its arguments are the method's hyper-parameters, the training options and `network`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from acclimate import discovery
from acclimate.arguments import with_arguments
from acclimate.data.domain import Domain
from acclimate.data.pairing import renumbered
from acclimate.data.pairs import Data, Pair, checked_weights, paired, right_answers
from acclimate.data.preprocess import Preprocess
from acclimate.data.readers import from_arrays
from acclimate.data.readers.given import Fields, by_columns, held_to, split, tell
from acclimate.data.readers.labels import read_labels
from acclimate.errors import DataError, RequestError
from acclimate.export.mixin import Exports
from acclimate.methods.base import Method
from acclimate.networks.backbone_names import allow
from acclimate.problems.answers import answered_values, numbered_answers
from acclimate.problems.base import problem_called
from acclimate.problems.fitting import fit, taken_over
from acclimate.problems.planning import make_plan
from acclimate.regressors import PredictsNumbers
from acclimate.reports.outcome import outcome
from acclimate.reports.verdict import unmeasured
from acclimate.running.begun import begun_with
from acclimate.running.memory import fitting
from acclimate.runs.findings import Finding, findings
from acclimate.runs.options import validated
from acclimate.test_time import Adapt, Adapts
from acclimate.training import checkpoints
from acclimate.training.fitted import Fitted, softmax
from acclimate.training.hooks import Hooks
from acclimate.types import UNLABELLED, Side, other_side

_SOURCE_FREE = "shot"


class AdaptationEstimator(Exports, Adapts, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier adapted from a labelled source to a target.

    Constructor arguments are stored as they come and checked in `fit`. An argument left at None takes the method's
    own recipe.

    Attributes (after `fit`):
        classes_: class names or labels, in the order of the columns of `predict_proba`.
        history_: one dict per logged step: losses and rates.
        health_: what was noticed to be unhealthy, each a `Finding` with its `sentence` and `advice`. An empty list is
            no proof of health: the checks see no target label. docs/health.md tells their rules.
        verdict_: what is known of the model in one sentence, as the command line and the report begin with.
        n_features_in_: features per example (for images, height × width × channels; for a table, its columns); not
            there for texts.
        feature_names_in_: the names of the columns, where the source was a table whose columns have names.
    """

    _method: type[Method]

    def fit(self, source: Data, target: Data) -> Self:
        """Adapt.

        Args:
            source: a labelled `Domain`, or a pair `(X, y)` of arrays: images `(n, h, w)` or `(n, h, w, c)`, features
                `(n, d)`, or n texts as strings; y `(n,)` holds words, numbers or truth values, and where there is no
                label −1, None, NaN or "".
            target: a `Domain`, an array X, or a pair `(X, y)`, whose labels training uses: y is −1 but where you want
                that. The labels of a `Domain` are hidden from training, unless `Task.with_label_budget` granted them.

        Raises:
            RequestError: if an argument or the data break a rule.
            WorkError: if training diverged.
        """
        return self._fit(source, target)

    def _fit(self, source: Data, target: Data, grant: Callable[[Pair], Pair] = lambda pair: pair) -> Self:
        """As `fit`; `grant` may reveal target labels."""
        one, two, fields = by_columns(
            source, target, type(self).__name__, apart=self._method.problem == "heterogeneous"
        )
        pair = grant(paired(one, two, problem_called(self._method.problem).ranges(self.bins)))
        method, options = self._settings()
        if isinstance(self.network, str):
            allow(self.network)
        plan = make_plan(method, pair.source, pair.target, network=self.network, options=options)
        plan = fitting(plan, pair.source, pair.target)
        rows: list[Mapping[str, Any]] = []
        self._fitted: Fitted = fit(plan, pair.source, pair.target, Hooks(record=rows.append))
        self._bins = pair.source.bins
        if not problem_called(plan.method.problem).asks_number:
            self.classes_ = answered_values(plan, pair.classes)
        self.history_ = history(rows)
        self.health_: list[Finding] = findings(rows)
        self.__dict__.pop("run_", None)  # what was loaded is no longer what this is
        width = int(np.prod(pair.source.inputs.shape[1:])) if pair.source.kind != "text" else None
        self._set_columns(fields, width)
        tell(*self._notes(source, pair.source, "source"), *self._notes(target, pair.target, "target"))
        return self

    def adapt(
        self, target: Data, source: Data | None = None, *, method: str | None = None, **options: Any
    ) -> AdaptationEstimator:
        """A new model that begins with this one's weights and goes on with another batch; this one stays as it is.

        Classes, columns and preprocessing are this model's. What is computed in closed form is computed anew.

        Args:
            target: as for `fit`.
            source: labelled, in classes that this model knows; as for `fit`. None for a method that needs no source.
            method: name of the method; by default this model's own or, without a source, `"shot"`.
            options: hyper-parameters and training options that are to differ, such as `epochs=5`.

        Raises:
            RequestError: if an option would change what the networks see, or the sides have features of their own.
            DataError: if the data break a rule, or have other columns or classes.
        """
        check_is_fitted(self)
        fitted, model = self._fitted, self._to_go_on(source, method)
        known = {**model.get_params(deep=False), **options}
        wanted = validated(model._method, {k: known[k] for k in model._method.model_fields}, "argument")
        new = self._batch(target, "target")
        old = new.nothing(fitted.plan.classes, "source") if source is None else self._batch(source, "source")
        training = {name: value for name, value in options.items() if name not in model._method.model_fields}
        plan = fitting(begun_with(fitted.plan, wanted, new, training), old, new)
        model.set_params(**options)
        rows: list[Mapping[str, Any]] = []
        start = taken_over(checkpoints.of_networks(fitted.nets), fitted.plan.method.name, plan)
        model._fitted = fit(plan, old, new, Hooks(record=rows.append), start)
        model._bins, model.classes_ = self._bins, self.classes_
        model.history_, model.health_ = history(rows), findings(rows)
        for name in ("_fields", "n_features_in_", "feature_names_in_"):
            if name in self.__dict__:
                setattr(model, name, getattr(self, name))
        return model

    def _to_go_on(self, source: Data | None, method: str | None) -> AdaptationEstimator:
        """What becomes the new model: one of the method named, or of this one's own.

        Raises:
            RequestError: if the method needs a source and there is none, or has no use for the one that there is.
        """
        named = method or (_SOURCE_FREE if source is None else None)
        kind = self._method if named is None else discovery.find("method", named, discovery.methods()).load()
        model = clone(self) if kind is self._method else estimator(kind)(network=self.network, bins=self.bins)
        if problem_called(kind.problem).begins_with_model != (source is None):
            rule, got, fix = (
                ("must be given to", "none", f"Give it, or method={_SOURCE_FREE!r}, which needs none.")
                if source is None
                else ("must not be given to", "one", "Leave it out, or give it to this model's own method.")
            )
            raise RequestError("source", f"{rule} the method {kind.name!r} beside a model", got, fix)
        return model

    def _batch(self, data: Data, side: Side) -> Domain:
        """A further batch of a side, in this model's columns and classes."""
        domain, classes = self._inputs(data, side), self._fitted.plan.classes
        if isinstance(data, Domain):
            kept = side == "source" or data.labels_granted
            return (
                replace(domain, labels=renumbered(domain, classes), classes=classes) if kept else domain.unlabelled()
            )
        if (y := split(data)[1]) is not None:
            what = f"the labels of {side}"
            return replace(
                domain, labels=read_labels(y, len(domain), what, self._bins).among(classes, what), classes=classes
            )
        if side == "source":
            raise DataError(
                "source", "must come with labels", "inputs alone", "Give a pair (X, y) or a labelled Domain."
            )
        return replace(domain, classes=classes)

    @property
    def verdict_(self) -> str:
        """What is known of the model, and what not: of a loaded run whether adaptation helped, where labels tell."""
        check_is_fitted(self)
        run = self.__dict__.get("run_")
        return unmeasured(self.health_) if run is None else run.what_failed or outcome(run).headline

    def predict(self, data: Data, side: Side = "target", *, adapt: Adapt | None = None) -> np.ndarray:
        """The most probable class of each example, `(n,)`.

        Args:
            data: inputs `(n, …)` or a `Domain`.
            side: `"source"` for examples with the source's features, where the target has others.
            adapt: let a copy of the model learn from each batch that it has answered; see `adapting`.
        """
        best = self.predict_proba(data, side, adapt=adapt).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, data: Data, side: Side = "target", *, adapt: Adapt | None = None) -> np.ndarray:
        """Class probabilities `(n, k)`; columns in the order of `classes_`; arguments as for `predict`."""
        check_is_fitted(self)
        if adapt is not None:
            return self.adapting(adapt, side=side).predict_proba(data)
        return softmax(self._fitted.outputs(self._inputs(data, side), _side(side), keep_features=False).logits)

    def transform(self, data: Data, side: Side = "target") -> np.ndarray:
        """Adapted features `(n, d)`, of both sides in one space; arguments as for `predict`."""
        check_is_fitted(self)
        return self._fitted.outputs(self._inputs(data, side), _side(side)).features

    def encode(self, data: Data, side: Side = "target") -> np.ndarray:
        """The codes of examples, `(n, d)`: what `transform` gives, by the name it has where there are decoders."""
        return self.transform(data, side)

    def translate(self, data: Data, to: Side = "target") -> np.ndarray:
        """Images of the other side as images of the side `to`.

        Args:
            data: images of the side that `to` is not, `(n, h, w)` or `(n, h, w, c)`, or a `Domain` of them.
            to: the side to translate to.

        Returns:
            uint8 `(n, h, w, c)` in the size that the networks see.

        Raises:
            RequestError: if the method does not translate, or `to` is no side.
        """
        to = _side(to, "to")
        return self._decoded(data, other_side(to), to)

    def reconstruct(self, data: Data, side: Side = "target") -> np.ndarray:
        """Images of a side as its own decoder makes them of their codes; the rest as for `translate`."""
        side = _side(side)
        return self._decoded(data, side, side)

    def _decoded(self, data: Data, side: Side, to: Side) -> np.ndarray:
        check_is_fitted(self)
        self._fitted.check_translates("model")
        return self._fitted.decoded(self._fitted.codes(self._inputs(data, side), side), to)

    def score(self, data: Data, labels: Any = None, sample_weight: Any = None) -> float:
        """Accuracy in [0, 1] on labelled examples.

        Args:
            data: inputs, a labelled `Domain`, or a pair `(X, y)`.
            labels: the right answers, unless `data` brings them; unlabelled rows are left out, and classes that the
                source does not have count as wrong.
            sample_weight: weight of each example.

        Raises:
            DataError: if there are no labels, or none is a class of the model's, or weights are none.
        """
        predicted = self.predict_proba(data).argmax(axis=1)
        plan = self._fitted.plan
        answers = numbered_answers(plan, right_answers(data, labels, plan.classes, len(predicted), self._bins))
        known = answers != UNLABELLED
        weights = np.ones(len(known)) if sample_weight is None else checked_weights(sample_weight, len(known))
        if not weights[known].sum() > 0:
            fix = "Leave sample_weight out to count every example once."
            raise DataError("sample_weight", "must give some labelled example weight", "none", fix)
        return float(np.average(predicted[known] == answers[known], weights=weights[known]))

    def _inputs(self, data: Data, side: Side) -> Domain:
        """What a caller gave, with the columns that this side was fitted on."""
        fields = self._fields.get(_side(side), Fields())
        held = held_to(fields, split(data)[0], type(self).__name__, "data")
        preprocess = self._fitted.plan.preprocess.of(side)
        white = (preprocess.white or {}).get(side) if isinstance(preprocess, Preprocess) else None
        domain: Domain = held if isinstance(held, Domain) else from_arrays(held, name="data", white=white)
        tell(*self._notes(data, domain, side))
        return domain

    def _notes(self, data: Data, domain: Domain, side: Side) -> list[str]:
        """What a user should know of a table that became a domain, and of how the model sees it."""
        if domain.kind != "features":
            return []
        inputs = split(data)[0]
        known = len(inputs.notes) if isinstance(inputs, Domain) else 0
        return [*domain.notes[known:], *self._fitted.plan.preprocess.of(side).notes(domain)]

    def _set_columns(self, fields: dict[Side, Fields], width: int | None) -> None:
        """Set what scikit-learn wants to know of the columns; what an earlier fit left must not stay.

        Texts have none.
        """
        self._fields = fields
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        own = fields["source"]
        if width is not None:
            self.n_features_in_ = len(own.names) or width
        if own.named:
            self.feature_names_in_ = np.array(own.names, dtype=object)

    def _settings(self) -> tuple[Method, dict[str, Any]]:
        own = self._method.model_fields
        parameters = self.get_params(deep=False)
        for name in ("network", "bins"):
            parameters.pop(name)
        method = validated(self._method, {k: v for k, v in parameters.items() if k in own}, "argument")
        return method, {k: v for k, v in parameters.items() if k not in own}


class RegressionEstimator(PredictsNumbers, AdaptationEstimator):
    """A regressor adapted from a source with numbers to a target without; see `PredictsNumbers`."""


def _side(side: str, argument: str = "side") -> Side:
    if side not in ("source", "target"):
        fix = f"Leave {argument} out for the target."
        raise RequestError(argument, "must be 'source' or 'target'", repr(side), fix)
    return side  # type: ignore[return-value]


def history(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of a run's record that hold losses."""
    return [row for row in rows if row["kind"] == "losses"]


@cache
def estimator(method: type[Method]) -> type[AdaptationEstimator]:
    """The estimator class of a method, the library's or your own.

    Args:
        method: a subclass of `Method`.
    """
    recipe = ", ".join(f"{name}={value!r}" for name, value in method.recipe.items())
    unset = f"Unless set, {recipe or 'the defaults of TrainingOptions'}."
    return with_arguments(method.__name__, _base(method), method, unset)


def _base(method: type[Method]) -> type[AdaptationEstimator]:
    """What an estimator does: tell classes apart, or predict numbers."""
    if not problem_called(method.problem).asks_number:
        return AdaptationEstimator
    return RegressionEstimator


def __getattr__(name: str) -> type[AdaptationEstimator]:
    """Estimators by class name, made when first asked for."""
    for component in discovery.methods().values():
        if name in component.python_names:
            return estimator(component.load())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
