"""Source-free adaptation: a model stands for the source, which may be nowhere any more."""

from __future__ import annotations

from typing import ClassVar

from acclimate.data.domain import Domain
from acclimate.errors import RequestError
from acclimate.methods.base import Method
from acclimate.problems.base import Drawing, Problem
from acclimate.problems.own_data import Own, read_target
from acclimate.problems.pairs import read_pair
from acclimate.problems.reading import Reading
from acclimate.runs.request import Request
from acclimate.streams.target import TargetStream
from acclimate.training.plan import Plan
from acclimate.training.validation import Validation


class SourceFree(Problem):
    """A trained model and a target; where a source is given, the model is first trained on it."""

    name: ClassVar[str] = "source-free"
    roles: ClassVar[tuple[str, ...]] = ("model", "target")

    def sides(self, request: Request, reading: Reading) -> Own:
        """The target alone, read as the model's data were; without a model as for adaptation."""
        return read_pair(request, reading) if request.model is None else read_target(request, reading)

    def check(self, plan: Plan, target: Domain) -> None:
        """No target label: no step would see it."""
        if target.num_labelled:
            rule = f"must be 0 for the method {plan.method.name!r}, whose steps see no label"
            fix = "Leave it out; to learn from labels, give the source and take mcc or dann."
            raise RequestError("label_budget", rule, f"{target.num_labelled:,} granted labels", fix)

    def divide(
        self, plan: Plan, source: Domain, target: Domain, source_test: Domain | None
    ) -> tuple[Domain, Domain, Validation | None]:
        """Nothing chooses the weights: no example has a label that this training may see."""
        return source, target, None

    def stream(self, method: Method, of: Drawing) -> TargetStream:
        """Batches of the target; no part of the source reaches a step."""
        return TargetStream(of.target, of.preprocess.of("target"), of.options.batch_size, of.options.seed, of.place)
