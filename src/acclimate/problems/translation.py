"""Translation: as adaptation, and each side's images are asked for as the other would show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.data.streams import PairedStream, Weigh
from acclimate.data.task import Task
from acclimate.methods.base import Method
from acclimate.problems.base import Network, Problem
from acclimate.problems.drafts import drafted
from acclimate.problems.pairs import batch_notes, divided, floor_of_labels, label_notes, read_pair, task_of_pair
from acclimate.runs.options import TrainingOptions
from acclimate.runs.request import Request
from acclimate.training.fitted import Fitted
from acclimate.training.judge import translation_scores
from acclimate.training.own_data import Own
from acclimate.training.plan import Plan
from acclimate.training.reading import Reading
from acclimate.training.validation import Validation


class Translation(Problem):
    """Translation: as adaptation, and each side's images are asked for as the other would show them."""

    name: ClassVar[str] = "translation"

    def sides(self, request: Request, reading: Reading) -> Own:
        """Both have the same features."""
        return read_pair(request, reading)

    def task(self, request: Request, own: Own, seed: int) -> Task:
        """A tenth of the source is set aside to test on."""
        return task_of_pair(request, own, seed)

    def draft(
        self, method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]
    ) -> Plan:
        """One network for both sides."""
        return drafted(method, source, target, network, options)

    def divide(
        self, plan: Plan, source: Domain, target: Domain, source_test: Domain | None
    ) -> tuple[Domain, Domain, Validation | None]:
        """Early stopping asks the source alone."""
        return divided(plan, source, target, source_test)

    def stream(
        self,
        method: Method,
        source: Domain,
        target: Domain,
        preprocess: AnyPreprocess,
        options: TrainingOptions,
        place: tuple[int, int],
        weigh: Weigh | None,
    ) -> PairedStream:
        """Batches of both sides, each at its own pace."""
        size, seed = options.batch_size, options.seed
        return PairedStream(
            source, target, preprocess, size, seed, place, interleaved=method.interleaved, weigh=weigh
        )

    def floors(self, plan: Plan, task: Task) -> dict[str, str]:
        """The source alone."""
        return floor_of_labels(plan, task)

    def notes(self, request: Request, plan: Plan, task: Task) -> list[str]:
        """Which labels were granted unasked, and which side is smaller than a batch."""
        return [*label_notes(request, plan, task), *batch_notes(plan, task)]

    def scores(self, fitted: Fitted, task: Task) -> dict[str, float]:
        """What judges say of images translated from each side to the other."""
        return translation_scores(fitted, task)
