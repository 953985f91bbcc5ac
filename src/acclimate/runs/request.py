"""`Request`: what a user asked for, before anything is looked up or resolved. Stored in every `config.json`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from acclimate import discovery
from acclimate.data.specs import DEFAULT_METHOD, DEFAULT_METHOD_FOR_NUMBERS
from acclimate.errors import RequestError, UnknownNameError
from acclimate.runs.options import TrainingOptions, check_declared, validated
from acclimate.types import Side

_USUAL = {"adaptation": DEFAULT_METHOD, "regression": DEFAULT_METHOD_FOR_NUMBERS}


class Request(BaseModel):
    """One adaptation, in the user's words.

    Attributes:
        task: name of a public task, or None if `source` and `target` are the user's own.
        model: folder of a finished run to begin with: its weights, preprocessing, classes and options; or None.
        source: path of the labelled source.
        more_sources: paths of further labelled sources.
        target: path of the target.
        target_test: path of further target examples, only ever scored.
        text_column: name of the column of texts, for tables and JSON lines.
        label_column: name of the label column, for these.
        bins: predict so many ranges of the label, which is then a number, or None.
        id_column: name of the column that names the rows, for these.
        source_text_column: that of the source, where the sides call theirs differently.
        source_label_column: likewise.
        source_id_column: likewise.
        target_text_column: that of the target.
        target_label_column: likewise.
        target_id_column: likewise.
        columns: of tables, the columns to learn from, if not all.
        leave_out: of tables, columns not to learn from.
        delimiter: what separates the values of a text table; None tells it by the header.
        quoting: how they are quoted; see `readers.csvs.Dialect`.
        label_budget: how many target labels training may use; see `LabelBudget`.
        method: name of the method.
        method_options: its hyper-parameters that differ from the defaults.
        network: name of the architecture, or None for the default.
        training: training options that differ from the method's recipe.
        memory: what data may take of memory, such as "2GB"; None for half of what is free.
        baseline: whether to train what does not adapt beside it, for comparison.
        drawing: seed by which a public task draws its examples, where that is not the training's: what is to be
            compared example by example is drawn once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str | None = None
    model: str | None = None
    source: str | None = None
    more_sources: tuple[str, ...] = ()
    target: str | None = None
    target_test: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    bins: int | None = None
    id_column: str | None = None
    source_text_column: str | None = None
    source_label_column: str | None = None
    source_id_column: str | None = None
    target_text_column: str | None = None
    target_label_column: str | None = None
    target_id_column: str | None = None
    columns: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    delimiter: str | None = None
    quoting: str = "auto"
    label_budget: str = "0"
    method: str = "mcd"
    method_options: dict[str, Any] = Field(default_factory=dict)
    network: str | None = None
    training: dict[str, Any] = Field(default_factory=dict)
    memory: str | None = None
    baseline: bool = True
    drawing: int | None = None

    @field_validator("columns", "leave_out", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        """Names between commas, as they are typed; in quotes if they hold one."""
        return tuple(next(csv.reader([value], skipinitialspace=True), [])) if isinstance(value, str) else value

    @property
    def sources(self) -> tuple[str, ...]:
        """Paths of all labelled sources."""
        return (self.source, *self.more_sources) if self.source else ()

    def reading(self, side: Side) -> dict[str, Any]:
        """The options by which the tables and texts of a side are read, as `readers.read` takes them."""
        names = ("text_column", "label_column", "id_column")
        own = {name: getattr(self, f"{side}_{name}") or getattr(self, name) for name in names}
        others = ("columns", "leave_out", "delimiter", "quoting")
        return {**own, **{name: getattr(self, name) for name in others}}

    @property
    def asked(self) -> TrainingOptions:
        """Training options as asked for; whatever was left open is as usual, no recipe being known yet.

        Raises:
            UnknownNameError: if there is no such option.
            RequestError: if a value breaks its rule.
        """
        return TrainingOptions.resolve({}, self.training)

    @property
    def title(self) -> str:
        """The task's name, or the names of both sides; a model stands for a source that is not here."""
        return self.task or f"{' + '.join(self.sources) or self.model} → {self.target}"


def method_name(called: str) -> str:
    """The one name, of those that a method answers to, that runs and results are kept under.

    Raises:
        UnknownNameError: if there is no such method.
    """
    return discovery.find("method", called, discovery.methods()).name


def method_for(problem: str, called: str | None) -> str:
    """The method of a problem that is meant by a name, or its usual one.

    A name is that of a method of the problem, or what such a method's name has after the problem's: `coral` of
    `regression` is `regression-coral`.

    Raises:
        UnknownNameError: if there is no such problem, or it has no such method.
        RequestError: if the problem has no usual method, and none is named.
    """
    if problem not in discovery.problems():
        raise UnknownNameError("problem", problem, discovery.problems())
    known = {name: m for name, m in discovery.methods().items() if m.fact("problem", "adaptation") == problem}
    if called is None:
        if problem not in _USUAL:
            fix = f"See: acclimate methods --setting {problem}"
            raise RequestError("method", f"must be named for the problem {problem!r}", "none", fix)
        return _USUAL[problem]
    return discovery.find("method", f"{problem}-{called}" if f"{problem}-{called}" in known else called, known).name


def split_options(name: str | None, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sort options by whom they belong to: (the method's, training's). Nothing heavy is imported for that.

    Args:
        name: of the method; None if it is still to be chosen, and an option of any will do.
        options: by name.

    Raises:
        UnknownNameError: for a name that belongs to neither.
        RequestError: if the value of one of training's breaks its rule, or one of the method's breaks one that its
            class states in numbers.
    """
    methods = discovery.methods()
    chosen = list(methods.values()) if name is None else [discovery.find("method", name, methods)]
    own = list(dict.fromkeys(option for component in chosen for option in component.options))
    known = [*own, *TrainingOptions.model_fields]
    for option in options:
        if option not in known:
            raise UnknownNameError("option", option, known)
    training = {k: v for k, v in options.items() if k not in own}
    if name is not None:
        check_declared(chosen[0], {k: v for k, v in options.items() if k in own})
    validated(TrainingOptions, {k: v for k, v in training.items() if v is not None}, "option")
    return {k: v for k, v in options.items() if k in own}, training
