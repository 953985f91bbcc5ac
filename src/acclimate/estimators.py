"""fit / predict / score for people who think in scikit-learn.

There is one estimator class for each method, made from the method's own declaration: `acclimate.DANN`,
`acclimate.MCD`, … Its arguments are the method's hyper-parameters, the training options and `network`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.readers import from_arrays
from acclimate.data.readers.frames import Table
from acclimate.data.readers.given import Fields, by_columns, held_to, tabled, tell
from acclimate.data.readers.given import split as _split
from acclimate.data.readers.labels import label_name
from acclimate.data.schema import TableSchema, read_schema
from acclimate.data.strings import as_texts
from acclimate.data.text import TextPreprocess
from acclimate.errors import DataError, RequestError
from acclimate.methods.base import Method
from acclimate.reports.outcome import outcome
from acclimate.reports.verdict import unmeasured
from acclimate.runs.findings import Finding, findings
from acclimate.runs.options import TrainingOptions, validated
from acclimate.runs.record import Run
from acclimate.training import adaptation
from acclimate.training.hooks import Hooks
from acclimate.training.session import Fitted, fit, make_plan, softmax
from acclimate.types import UNLABELLED, Side, other_side

Data = Any  # a Domain, an array of inputs, or a pair (inputs, labels)


class AdaptationEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
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
                `(n, d)`, or n texts as strings; y holds labels, with −1 for unlabelled.
            target: a `Domain`, an array X, or a pair `(X, y)` where y is −1 except for the labels you want used. The
                labels of a `Domain` are hidden from training, unless `Task.with_label_budget` granted them.

        Raises:
            RequestError: if an argument or the data break a rule.
            WorkError: if training diverged.
        """
        one, two, fields = by_columns(source, target, type(self).__name__, apart=self._method.heterogeneous)
        source_domain, target_domain, labels = _pair(one, two)
        method, options = self._settings()
        plan = make_plan(method, source_domain, target_domain, network=self.network, options=options)
        rows: list[Mapping[str, Any]] = []
        self._fitted: Fitted = fit(plan, source_domain, target_domain, Hooks(record=rows.append))
        self.classes_ = labels
        self.history_ = _history(rows)
        self.health_: list[Finding] = findings(rows)
        self.__dict__.pop("run_", None)  # what was loaded is no longer what this is
        width = int(np.prod(source_domain.inputs.shape[1:])) if source_domain.kind != "text" else None
        self._set_columns(fields, width)
        tell(*self._notes(source, source_domain, "source"), *self._notes(target, target_domain, "target"))
        return self

    @property
    def verdict_(self) -> str:
        """What is known of the model, and what not: of a loaded run whether adaptation helped, where labels tell."""
        check_is_fitted(self)
        run = self.__dict__.get("run_")
        return unmeasured(self.health_) if run is None else outcome(run).headline

    def predict(self, data: Data, side: Side = "target") -> np.ndarray:
        """The most probable class of each example, `(n,)`.

        Args:
            data: inputs `(n, …)` or a `Domain`.
            side: `"source"` for examples with the source's features, where the target has others.
        """
        best = self.predict_proba(data, side).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, data: Data, side: Side = "target") -> np.ndarray:
        """Class probabilities `(n, k)`; columns in the order of `classes_`; arguments as for `predict`."""
        check_is_fitted(self)
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
            DataError: if there are no labels, or none is a class of the model's.
        """
        given = _labels(data) if labels is None else labels
        names = np.array([label_name(v) for v in np.asarray(given, dtype=object).tolist()])
        predicted = np.array([label_name(v) for v in self.predict(data).tolist()])
        known = names != ""
        if not known.any():
            raise DataError(
                "labels",
                "must hold at least one",
                "unlabelled examples alone",
                "Give labels that are not all −1 or empty.",
            )
        if not np.isin(names[known], [label_name(v) for v in self.classes_.tolist()]).any():
            got = f"{sorted(set(names[known].tolist()))[:5]} for a model that knows {self.classes_.tolist()[:5]}"
            raise DataError(
                "labels",
                "must be the classes the model was fitted with, or some of them",
                got,
                "Name the classes as in fit.",
            )
        weights = None if sample_weight is None else np.asarray(sample_weight)[known]
        return float(np.average(predicted[known] == names[known], weights=weights))

    def _inputs(self, data: Data, side: Side) -> Domain:
        """What a caller gave, with the columns that this side was fitted on."""
        fields = self._fields.get(_side(side), Fields())
        held = held_to(fields, _split(data)[0], type(self).__name__, "data")
        domain: Domain = held if isinstance(held, Domain) else from_arrays(held, name="data")
        tell(*self._notes(data, domain, side))
        return domain

    def _notes(self, data: Data, domain: Domain, side: Side) -> list[str]:
        """What a user should know of a table that became a domain, and of how the model sees it."""
        if domain.kind != "features":
            return []
        inputs = _split(data)[0]
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
        parameters.pop("network")
        method = validated(self._method, {k: v for k, v in parameters.items() if k in own}, "argument")
        return method, {k: v for k, v in parameters.items() if k not in own}


def _side(side: str, argument: str = "side") -> Side:
    if side not in ("source", "target"):
        fix = f"Leave {argument} out for the target."
        raise RequestError(argument, "must be 'source' or 'target'", repr(side), fix)
    return side  # type: ignore[return-value]


def _history(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["kind"] == "losses"]


def _pair(source: Data, target: Data) -> tuple[Domain, Domain, np.ndarray]:
    """Both sides as domains whose labels index the same classes, and the labels that those stand for."""
    if isinstance(source, Domain):
        return source, _target(target, source), np.array(source.classes)
    inputs, y = _split(source)
    if y is None:
        raise DataError("source", "must come with labels", "inputs alone", "Give a pair (X, y) or a labelled Domain.")
    by_name = {label_name(v): v for v in np.asarray(y, dtype=object).tolist()}
    by_name.pop("", None)
    values = sorted(by_name.values(), key=lambda v: (isinstance(v, str), v))
    classes = [label_name(v) for v in values]
    source_domain = from_arrays(inputs, _numbers(y, classes, "source"), classes=classes, name="source")
    return source_domain, _target(target, source_domain), np.array(values)


def _target(target: Data, source: Domain) -> Domain:
    if not isinstance(target, Domain):
        inputs, y = _split(target)
        labels = None if y is None else _numbers(y, list(source.classes), "target")
        made: Domain = from_arrays(inputs, labels, classes=source.classes, name="target")
        return made
    if not target.labels_granted:
        return target.unlabelled()
    if target.classes[: len(source.classes)] != source.classes:
        raise DataError(
            "target",
            f"must number its classes as the source does: {source.classes}",
            f"{target.classes}",
            "Pair them in a Task, which matches classes by name.",
        )
    return target


def _numbers(y: Any, classes: list[str], side: str) -> np.ndarray:
    """Labels of any kind as indices into `classes`, −1 where there is none."""
    places = {name: i for i, name in enumerate(classes)} | {"": UNLABELLED}
    names = [label_name(v) for v in np.asarray(y, dtype=object).tolist()]
    unknown = sorted(set(names) - places.keys())
    if unknown:
        raise DataError(
            f"the labels of the {side}",
            "must be among the source's",
            unknown[:5],
            "Write −1 for what has no label or another class.",
        )
    return np.array([places[name] for name in names], dtype=np.int64)


def _labels(data: Data) -> np.ndarray:
    if isinstance(data, Domain) and data.num_labelled:
        return np.array([data.classes[y] if y != UNLABELLED else "" for y in data.labels])
    if (given := _split(data)[1]) is not None:
        return np.asarray(given)
    raise DataError("labels", "must be given to score", "none", "Call score(X, y), or score a labelled Domain.")


def _signature(method: type[Method]) -> inspect.Signature:
    """`(self, *, <hyper-parameters>, network=None, <training options>)`, with defaults shown."""
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    defaults = {name: field.default for name, field in method.model_fields.items()}
    defaults["network"] = None
    defaults |= dict.fromkeys(TrainingOptions.model_fields)
    for name, default in defaults.items():
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
    return inspect.Signature(parameters)


@cache
def estimator(method: type[Method]) -> type[AdaptationEstimator]:
    """The estimator class of a method, the library's or your own.

    Args:
        method: a subclass of `Method`.
    """
    signature = _signature(method)

    def __init__(self: AdaptationEstimator, **arguments: Any) -> None:  # noqa: N807  becomes a class's
        bound = signature.bind(self, **arguments)
        bound.apply_defaults()
        for name, value in list(bound.arguments.items())[1:]:
            setattr(self, name, value)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    return type(
        method.__name__,
        (AdaptationEstimator,),
        {"__init__": __init__, "__doc__": _document(method), "__module__": __name__, "_method": method},
    )


def _document(method: type[Method]) -> str:
    own = [f"    {name}: {field.description}" for name, field in method.model_fields.items()]
    training = [f"    {name}: {field.description}" for name, field in TrainingOptions.model_fields.items()]
    recipe = ", ".join(f"{name}={value!r}" for name, value in method.recipe.items())
    network = "    network: name of an architecture, a feature extractor (nn.Module) of your own, or None."
    lines = [inspect.getdoc(method) or "", "", "Args:", *own, network, *training]
    return "\n".join([*lines, "", f"Unless set, {recipe or 'the defaults of TrainingOptions'}."])


def __getattr__(name: str) -> type[AdaptationEstimator]:
    """Estimators by class name, made when first asked for."""
    for component in discovery.methods().values():
        if name in component.python_names:
            return estimator(component.load())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load(folder: Path | str) -> AdaptationEstimator:
    """The fitted estimator of a finished run; its record is in `run_`.

    Args:
        folder: a run folder, as `acclimate adapt` writes it.

    Raises:
        RequestError: if it holds no run, or an unfinished one.
    """
    fitted = adaptation.load(folder)
    plan = fitted.plan
    model = estimator(type(plan.method))(
        **plan.method.model_dump(), network=plan.network, **plan.options.model_dump()
    )
    model._fitted = fitted
    model.classes_ = np.array(plan.classes)
    model.run_ = Run(folder)
    rows = model.run_.metrics()
    model.history_, model.health_ = _history(rows), findings(rows)
    preprocess = plan.preprocess.of("source")
    width = None if isinstance(preprocess, TextPreprocess) else preprocess.width * max(preprocess.size, 1) ** 2
    model._set_columns(_fields_of(model.run_), width)
    return model


def _fields_of(run: Run) -> dict[Side, Fields]:
    """The columns of the tables that a run was trained on, as its record has them."""
    facts = run.config["task"]
    target = facts.get("schema")
    return {"source": _fields(facts.get("source_schema", target)), "target": _fields(target)}


def _fields(facts: Mapping[str, Any] | None) -> Fields:
    schema = read_schema(facts) if facts else None
    return Fields(schema, schema.names, named=True) if isinstance(schema, TableSchema) else Fields()


class SampleDomainAdapter(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An adaptation estimator in skada's form: one stacked X, and `sample_domain` to tell the sides apart.

    Works in scikit-learn pipelines and grid searches, where arrays are cut into folds together.

    Args:
        estimator: any of acclimate's estimators.
    """

    __metadata_request__fit = {"sample_domain": True}  # noqa: RUF012  scikit-learn reads this form

    def __init__(self, estimator: AdaptationEstimator) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_domain: Any = None) -> Self:
        """Adapt from the rows with `sample_domain` > 0 to those with `sample_domain` < 0.

        Args:
            X: inputs of both sides; texts as a list, or as a column.
            y: labels; −1 (or NaN) on the target unless they are to be used.
            sample_domain: `(n,)` integers, positive for source rows and negative for target rows. Without it, rows
                labelled −1 (or "", of words) are the target, as in skada.

        Raises:
            RequestError: if one side has no rows.
        """
        from sklearn.base import clone

        X, y = _rows(X), np.asarray(y)
        if y.dtype.kind == "f":
            y = np.where(np.isnan(y), UNLABELLED, y).astype(np.int64)
        labelled = np.array([label_name(label) != "" for label in y.tolist()], dtype=bool)
        is_source = labelled if sample_domain is None else np.asarray(sample_domain) > 0
        if is_source.all() or not is_source.any():
            raise RequestError(
                "sample_domain",
                "must be positive on source rows and negative on target rows, with some of each",
                f"{int(is_source.sum())} source rows of {len(y)}",
                "Mark both sides, for example np.where(is_source, 1, -1).",
            )
        self.estimator_ = clone(self.estimator).fit((X[is_source], y[is_source]), (X[~is_source], y[~is_source]))
        self.classes_ = self.estimator_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row."""
        check_is_fitted(self)
        return self.estimator_.predict(X)  # type: ignore[no-any-return]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities `(n, k)`."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)  # type: ignore[no-any-return]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy over the rows that have a label."""
        check_is_fitted(self)
        return self.estimator_.score(X, y, sample_weight)  # type: ignore[no-any-return]


def _rows(X: Any) -> Any:
    """Inputs that a mask of rows can take apart, with the names of their columns."""
    if (texts := as_texts(X, "X")) is not None:
        # NumPy's own strings are as wide as the longest of them, in every row.
        return np.array(texts, dtype=object)
    if isinstance(found := tabled(X, "X"), Table):
        return found
    return X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
