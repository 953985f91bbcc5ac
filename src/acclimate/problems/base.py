"""The contract of a problem: how what is given is read and checked, drawn and divided, and how the outcome is scored.

A method names its problem by a literal and says how to learn; the loop asks neither. So a new problem is one file
here, and a stream where batches are of another form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
from torch import nn

from acclimate import discovery
from acclimate.data.bins import Bins
from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.methods.stepwise import batches_of
from acclimate.metrics.classification import Examiner, class_scores
from acclimate.metrics.grouping import grouping_scores
from acclimate.problems.drafts import Network, drafted
from acclimate.problems.own_data import Own
from acclimate.problems.pairs import baseline_of_source, batch_notes, divided, label_notes, read_pair, task_of_pair
from acclimate.problems.reading import Reading
from acclimate.runs.options import TrainingOptions
from acclimate.runs.request import Request
from acclimate.streams.base import Stream
from acclimate.streams.interleaved import InterleavedStream
from acclimate.streams.order import Weigh
from acclimate.streams.pair import PairedStream
from acclimate.training.collapse import ALL_CLASSES, Expected
from acclimate.training.fitted import Fitted
from acclimate.training.hooks import Observer
from acclimate.training.plan import Plan
from acclimate.training.validation import Validation
from acclimate.types import InterleavedBatch, Outputs


@dataclass(frozen=True)
class Drawing:
    """What batches are drawn of, and how.

    Attributes:
        source: labelled source in stored form.
        target: the target likewise.
        preprocess: of both sides.
        options: batch size and seed.
        place: this process's number, and how many there are.
        weigh: gives labels their weights; None where all examples count alike.
    """

    source: Domain
    target: Domain
    preprocess: AnyPreprocess
    options: TrainingOptions
    place: tuple[int, int]
    weigh: Weigh | None


class Problem:
    """Base of every problem; it holds no state.

    What a problem leaves out is as for two sides with the same features, a labelled source and a target.

    Attributes:
        name: what methods call it, and `config.json`.
        roles: what is given: `"source"` and `"target"`, or `"model"` and `"target"`, where a model stands for the
            source. Training then begins with its weights, which a run's baseline has.
        learns_from: what a method that cannot do without target labels learns from, in words.
        expected: what the source's classes let health checks expect of answers on the target.
        has_unknown: whether answers may be `unknown`, the last class, which no source example has.
        asks_number: whether answers are numbers (`Domain.numbers`), and not classes.
    """

    name: ClassVar[str]
    roles: ClassVar[tuple[str, ...]] = ("source", "target")
    learns_from: ClassVar[str] = "nothing else"
    expected: ClassVar[Expected] = ALL_CLASSES
    has_unknown: ClassVar[bool] = False
    asks_number: ClassVar[bool] = False

    @property
    def begins_with_model(self) -> bool:
        """Whether training begins with the weights of the run that it is compared with."""
        return "model" in self.roles

    def ranges(self, asked: int | None) -> int | Bins | None:
        """What labels are read as: so many ranges of a number, or classes where none were asked for.

        Raises:
            RequestError: if the problem has no ranges.
        """
        return asked

    def check_asks(self, source: Domain, method: str) -> None:
        """Let pass a source that has what the problem asks for, classes or a number.

        Raises:
            RequestError: naming the method, otherwise.
        """
        if (source.numbers is not None) == self.asks_number:
            return
        asked, got, fix = (
            ("numbers", "classes", "Name a label column of numbers, or a method that tells classes apart.")
            if self.asks_number
            else ("classes", "numbers", "Name a method of regression: acclimate methods --setting regression")
        )
        raise RequestError("source", f"must be labelled with {asked} for the method {method!r}", got, fix)

    def sides(self, request: Request, reading: Reading) -> Own:
        """The user's own data, read.

        Args:
            request: names the files.
            reading: what data that have to match others are held to.

        Raises:
            RequestError: if the files do not fit the problem; DataError: if their content does not.
        """
        return read_pair(request, reading)

    def task(self, request: Request, own: Own, seed: int) -> Task:
        """A task of what was read.

        Args:
            request: names it.
            own: the sides.
            seed: of what is set aside.

        Raises:
            RequestError: if there is too little to set any aside.
        """
        return task_of_pair(request, own, seed)

    def completed(self, task: Task, request: Request) -> Task:
        """A task, read or public, with what its inputs have to go through once; by default nothing."""
        return task

    def label_budget(self, request: Request, task: Task) -> str:
        """The budget asked for; where none was, what the method cannot do without."""
        method = discovery.find("method", request.method, discovery.methods())
        return "all" if needs.takes_target_labels(method) and request.label_budget == "0" else request.label_budget

    def draft(
        self, method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]
    ) -> Plan:
        """Network, preprocessing and options for two sides that fit each other; the number format is left open.

        Raises:
            RequestError: if sides, network or options do not fit.
        """
        return drafted(method, source, target, network, options)

    def check(self, plan: Plan, target: Domain) -> None:
        """Let pass a target with the labels that the method cannot do without.

        Raises:
            RequestError: if they are missing.
        """
        if needs.takes_target_labels(plan.method) and target.num_labelled == 0:
            raise RequestError(
                "label_budget",
                f"must grant target labels to the method {plan.method.name!r}, which learns from {self.learns_from}",
                "none",
                "Add --label-budget all; in Python Task.with_label_budget('all') or "
                "SampleDomainAdapter(label_budget=…).",
            )

    def check_asked(self, request: Request, plan: Plan, task: Task) -> None:
        """As `check`, as soon as a request's plan is made and in the words of the request; by default nothing.

        Raises:
            RequestError: if labels are missing.
        """

    def divide(
        self, plan: Plan, source: Domain, target: Domain, source_test: Domain | None
    ) -> tuple[Domain, Domain, Validation | None]:
        """What is trained on, and what chooses the weights: None keeps the last step's.

        Args:
            plan: says whether anything chooses.
            source: labelled source in its raw form.
            target: the target likewise.
            source_test: held-out source examples, if there are any.
        """
        return divided(plan, source, target, source_test)

    def prepare_networks(self, nets: Mapping[str, nn.Module], source: Domain) -> None:
        """Tell fresh networks, in place, what they have to know of the source; by default nothing."""

    def stream(self, method: Method, of: Drawing) -> Stream[Any]:
        """Batches for the method, in the form that it takes."""
        size, seed = of.options.batch_size, of.options.seed
        pair = PairedStream(of.source, of.target, of.preprocess, size, seed, of.place, weigh=of.weigh)
        return InterleavedStream(pair) if batches_of(method) is InterleavedBatch else pair

    def baselines(self, plan: Plan, source: Domain, target: Domain) -> dict[str, str]:
        """Names of the methods to compare with, by the folder that each is trained in; the source alone."""
        return baseline_of_source(plan, source)

    def examiner(self, labels: Mapping[str, np.ndarray]) -> Observer:
        """Turns answers into scores along the way, by labels or numbers of each role."""
        return Examiner(labels)

    def scored(self, seen: Mapping[str, Outputs], labels: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Scores of the final answers, by what is known of each role."""
        return Examiner(labels)(seen) | class_scores(seen, labels) | grouping_scores(seen, labels)

    def scores(self, fitted: Fitted, task: Task) -> dict[str, float]:
        """What is scored beside the answers of each role; by default nothing."""
        return {}

    def notes(self, request: Request, plan: Plan, task: Task) -> list[str]:
        """What the user should know about what was given."""
        return [*label_notes(request, plan, task), *batch_notes(plan, task)]


def problem_of(method: discovery.Component) -> Problem:
    """The problem that a method is for, of which nothing is imported."""
    return problem_called(method.fact("problem", "adaptation"))


@cache
def problem_called(name: str) -> Problem:
    """The problem of that name.

    Raises:
        UnknownNameError: if there is none.
    """
    found: Problem = discovery.find("problem", name, discovery.problems()).load()()
    return found
