"""What `config.json` and `summary.json` of a run hold, checked wherever they are read: runs come from strangers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from acclimate import discovery
from acclimate.data.schema import read_schema
from acclimate.runs.options import complaint

# A confusion matrix of so many classes takes three gigabytes.
MOST_CLASSES = 20_000
_LARGEST = 10**15

Count = Annotated[int, Field(ge=0, le=_LARGEST)]
Text = Annotated[str, Field(max_length=1_000_000)]
Names = Annotated[list[Annotated[str, Field(max_length=10_000)]], Field(max_length=MOST_CLASSES)]


class _Part(BaseModel):
    """Types are taken by the letter; what a later version adds is kept."""

    model_config = ConfigDict(strict=True, extra="allow")


class Asked(_Part):
    """The request, as far as it is shown; to go on with a run, `Request` checks all of it."""

    task: Text | None = None
    source: Text | None = None
    target: Text | None = None
    target_test: Text | None = None
    network: Text | None = None
    method_options: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class TaskFacts(_Part):
    """The task: the classes that the model tells apart, then those that only the target has; and sizes by role."""

    name: Text
    classes: Names
    num_classes: Count
    sizes: dict[str, Count]
    names: dict[str, Text]
    labelled_target: Count
    source_counts: list[Count] | None = None
    bins: list[float] | None = Field(None, max_length=MOST_CLASSES)
    fingerprints: dict[str, Text]
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    notes: list[Text]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("must name each class once")
        if self.num_classes > len(self.classes):
            raise ValueError(f"must name the {self.num_classes:,} classes that it counts")
        if self.source_counts is not None and len(self.source_counts) > len(self.classes):
            raise ValueError("must count the examples of its classes")
        if self.bins is not None and not all(low < high for low, high in pairwise([-math.inf, *self.bins, math.inf])):
            raise ValueError("must give the edges of ranges as rising numbers")
        if not {"target"} <= self.sizes.keys() <= self.names.keys():
            raise ValueError("must give size and name of the target and whatever else there is")
        return self

    @model_validator(mode="after")
    def _says_what_columns_mean(self) -> Self:
        for facts in (self.schema_, (self.model_extra or {}).get("source_schema")):
            try:
                if facts:
                    read_schema(facts)
            except (ValidationError, TypeError) as error:
                where = complaint(error)[:2] if isinstance(error, ValidationError) else (repr(facts)[:80],)
                raise ValueError(f"must say what its columns mean: {' '.join(where)}") from None
        return self


class MethodFacts(_Part):
    """The method and all its options."""

    name: Text
    title: Text
    paper: Text = ""
    options: dict[str, Any]


class TrainingFacts(_Part):
    """Training options, as far as they are shown; to use the run, `TrainingOptions` checks all of them."""

    seed: Count = 0


class Begun(_Part):
    """The run that another began with: where it was, and the SHA-256 of its weights."""

    run: Text
    weights: Text


def problem_before(config: Mapping[str, Any]) -> str:
    """The problem of a run that was written when `config.json` did not tell: that of its method."""
    method = config.get("method")
    known = discovery.methods().get(str(method.get("name"))) if isinstance(method, dict) else None
    return str(known.fact("problem", "adaptation")) if known else "adaptation"


class Configuration(_Part):
    """`config.json`."""

    format: int | None = None
    acclimate: Text = "of an unknown version"
    command: Text = "acclimate"
    request: Asked
    task: TaskFacts
    problem: Text
    method: MethodFacts
    network: Text
    preprocess: dict[str, Any]
    training: TrainingFacts
    steps: Count
    machine: dict[str, Any] = Field(default_factory=dict)
    threads: Count | None = None
    processes: Count | None = None
    commit: Text | None = None
    begun_from: Begun | None = None

    @model_validator(mode="before")
    @classmethod
    def _tells_its_problem(cls, content: Any) -> Any:
        known = isinstance(content, dict) and "problem" not in content
        return {**content, "problem": problem_before(content)} if known else content

    @field_validator("problem")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in (known := discovery.problems()):
            raise ValueError(f"must be one of {', '.join(known)}")
        return value


_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Between(_Part):
    """A share and the interval around it."""

    value: _Share
    low: _Share
    high: _Share


class Calibrated(_Part):
    """What a run says of source examples that it was not trained on, in numbers."""

    n: Annotated[int, Field(ge=1)]
    accuracy: _Share
    confidence: _Share
    temperature: Annotated[float, Field(gt=0, le=_LARGEST)]


class Told(_Part):
    """How often a run is right on the target, estimated without a label; or why that cannot be told."""

    cannot_tell: Text = ""
    value: _Share | None = None
    low: _Share = 0.0
    high: _Share = 1.0
    confidence: _Share = 0.9
    by_class: list[Between | None] = Field(default_factory=list)
    calibration: Calibrated | None = None


class Glance(_Part):
    """What the two sides of a run tell of the shift between them, looked at when it was trained."""

    verdict: Text
    advice: list[Text]
    p: _Share
    causes: list[Text]
    outlook: Text
    looked_at: dict[str, Count]


class Summary(_Part):
    """`summary.json`."""

    scores: dict[str, float | int]
    estimate: Told | None = None
    diagnosis: Glance | None = None
    selection: Text
    steps: Count
    chosen_step: Count | None = None
    wall_s: Annotated[float, Field(ge=0, le=_LARGEST)]
    finished: Text
    failed: dict[str, Text] = Field(default_factory=dict)

    @field_validator("finished")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        datetime.fromisoformat(value)
        return value
