"""Regression: a source whose examples have a number each, and a target whose numbers are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
from torch import nn

from acclimate.data.bins import WHOLE, Bins
from acclimate.data.domain import Domain
from acclimate.data.pairing import check_numbers
from acclimate.errors import RequestError
from acclimate.metrics.regression import Margins, NumberExaminer, answers_of
from acclimate.networks.regressor import Regressor
from acclimate.problems.base import Problem
from acclimate.problems.own_data import Own
from acclimate.problems.pairs import read_pair, set_aside_by_class
from acclimate.problems.reading import Reading
from acclimate.runs.request import Request
from acclimate.training.collapse import NO_CLASSES, Expected
from acclimate.training.plan import Plan
from acclimate.training.validation import NumberValidation, Validation
from acclimate.types import Outputs


class Regression(Problem):
    """As adaptation, with a number in the place of classes.

    Networks learn it in units of the source's deviation and answer it in the user's own.
    """

    name: ClassVar[str] = "regression"
    expected: ClassVar[Expected] = NO_CLASSES
    asks_number: ClassVar[bool] = True

    def ranges(self, asked: int | None) -> int | Bins | None:
        """Every number as itself.

        Raises:
            RequestError: if ranges were asked for.
        """
        if asked is None:
            return WHOLE
        raise RequestError(
            "bins",
            "must be left out where the number itself is asked for",
            asked,
            "Leave it out; or predict ranges with a method that tells classes apart, such as mcd.",
        )

    def sides(self, request: Request, reading: Reading) -> Own:
        """Both sides with their numbers."""
        whole = reading.bins if isinstance(reading.bins, Bins) else self.ranges(reading.bins)
        own = read_pair(request, replace(reading, bins=whole))
        if own.source.numbers is None:
            fix = "Give a part of it."
            raise RequestError("source", "must fit into memory where a number is asked for", own.source.contents, fix)
        check_numbers(own.source)
        return own

    def prepare_networks(self, nets: Mapping[str, nn.Module], source: Domain) -> None:
        """Tell the regressor the source's mean and deviation."""
        for net in nets.values():
            if isinstance(net, Regressor):
                assert source.numbers is not None
                net.know(source.numbers)

    def divide(
        self, plan: Plan, source: Domain, target: Domain, source_test: Domain | None
    ) -> tuple[Domain, Domain, Validation | None]:
        """As for adaptation, by the squared error."""
        if not plan.options.patience:
            return source, target, None
        if source_test is None:
            source, source_test = set_aside_by_class(source, plan.options.seed)
        if source_test is None:
            return source, target, None
        return source, target, NumberValidation(plan.preprocess.of("source").fit(source_test), plan.options.patience)

    def examiner(self, labels: Mapping[str, np.ndarray]) -> NumberExaminer:
        """Errors of the numbers."""
        return NumberExaminer(labels)

    def scored(self, seen: Mapping[str, Outputs], labels: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Errors by role; and of the target, how the interval around answers holds there."""
        errors, own = NumberExaminer(labels)(seen), seen.get("source_test")
        margins = None if own is None else Margins.of(answers_of(own), labels["source_test"])
        if margins is None:
            return errors
        held = {role: margins.scores(answers_of(of), labels[role]) for role, of in seen.items() if role in labels}
        return errors | {
            f"{role}_{name}": score
            for role, scores in held.items()
            for name, score in scores.items()
            if role != "source_test"  # which made it
        }
