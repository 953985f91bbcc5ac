"""`Auto`: several methods fitted, and one chosen by what they show without target labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from sklearn.utils.validation import check_is_fitted

from acclimate import discovery
from acclimate.arguments import with_arguments
from acclimate.data.pairs import Data, Pair, paired
from acclimate.data.readers.given import by_columns
from acclimate.data.task import Task
from acclimate.errors import DataError, RequestError, WorkError
from acclimate.estimators import AdaptationEstimator, estimator
from acclimate.methods import needs
from acclimate.reports.trust import headline
from acclimate.running.auto import SEEDS, USUAL, check_can_choose, order
from acclimate.running.choosing import decided, first_sound
from acclimate.running.diagnosing import explaining
from acclimate.running.evidence import evidence_of
from acclimate.runs.chosen import Chosen
from acclimate.runs.options import validated
from acclimate.selection.evidence import Candidate


class AutoOptions(BaseModel):
    """Several methods fitted with two seeds each, and one of them taken by what they show without target labels.

    What does not adapt is among them, and is taken where evidence is weak: `verdict_` begins with that. A tenth of
    the source is set aside, which no step trains on. The target needs 30 examples, and none of their labels is used.

    After `fit` there are, beside what every estimator has:
        best_estimator_: the fitted estimator of the method that was taken.
        choice_: why, a `Chosen` with scores, an estimate of accuracy and its interval for each candidate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: int = Field(USUAL, ge=2, description="How many methods are tried at most, source-only among them.")
    budget: float | None = Field(
        None, gt=0, description="Seconds after which no further method is begun; the first two are tried in any case."
    )


class _Auto(AdaptationEstimator):
    """What `Auto` does."""

    best_estimator_: AdaptationEstimator
    choice_: Chosen

    def _fit(self, source: Data, target: Data, grant: Callable[[Pair], Pair] = lambda pair: pair) -> Self:
        one, two, fields = by_columns(source, target, type(self).__name__, apart=False)
        pair = grant(paired(one, two, self.bins))
        asked, training = self._own_settings()
        if pair.target.num_labelled:
            got = f"{pair.target.num_labelled:,} labelled examples"
            fix = "Leave them out and score with them; or fit one method with them."
            raise DataError("target", "must come without labels to choose by none", got, fix)
        tasks = self._tasks(pair)
        fitted, shown, failed = self._candidates(asked, training, tasks)
        names = list(fitted)
        titles = {name: fitted[name][0]._method.title for name in names}
        seeds = {name: [f"seed {s}" for s in list(tasks)[: len(fitted[name])]] for name in names}
        explained = explaining(pair.source, pair.target)
        classes = [*map(str, pair.classes)]
        choice = decided([shown[name] for name in names], names[0], titles, seeds, classes, explained)
        self.choice_ = choice.model_copy(update={"failed": failed})
        self._take(fitted[choice.name][first_sound(shown[choice.name])], pair, fields)
        return self

    def _own_settings(self) -> tuple[AutoOptions, dict[str, Any]]:
        """What a choice is asked, and what all trainings are."""
        parameters = self.get_params(deep=False)
        own = {name: parameters.pop(name) for name in AutoOptions.model_fields}
        parameters.pop("bins")
        seed = parameters.pop("seed")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
            raise RequestError("seed", "must be a whole number from 0", repr(seed), "Leave it at None for 0.")
        return validated(AutoOptions, own, "argument"), parameters

    def _tasks(self, pair: Pair) -> dict[int, Task]:
        """The task of each seed, which differ in what is set aside."""
        whole, first = Task(pair.source, pair.target), self.get_params()["seed"] or 0
        tasks = {seed: whole.with_source_test(seed=seed) for seed in range(first, first + SEEDS)}
        check_can_choose(tasks[first])
        return tasks

    def _candidates(
        self, asked: AutoOptions, training: Mapping[str, Any], tasks: Mapping[int, Task]
    ) -> tuple[dict[str, list[AdaptationEstimator]], dict[str, Candidate], dict[str, str]]:
        """The fitted copies and what they showed by candidate, the baseline first; and what failed.

        Raises:
            RequestError: if the baseline cannot be fitted, or nothing else.
            WorkError: if the baseline fails in its training, or all others do.
        """
        fitted: dict[str, list[AdaptationEstimator]] = {}
        shown: dict[str, Candidate] = {}
        failed: dict[str, str] = {}
        refused: RequestError | None = None
        task = next(iter(tasks.values()))
        for name in self._in_time(asked, task, needs.seen(task.source.kind, training), fitted):
            try:
                copies = [self._copy(name, training, seed, task) for seed, task in tasks.items()]
            except (WorkError, RequestError) as error:
                if not fitted:  # the baseline
                    raise
                failed[name], refused = str(error), error if isinstance(error, RequestError) else refused
                continue
            fitted[name] = copies
            shown[name] = Candidate(name, tuple(map(_shown, copies, tasks.values())))
        if len(fitted) < 2:
            raise refused or WorkError(f"Nothing to choose from. {' '.join(failed.values())}")
        return fitted, shown, failed

    def _in_time(self, asked: AutoOptions, task: Task, kind: str, fitted: Mapping[str, Any]) -> Iterator[str]:
        """Names of methods, the baseline first, as long as the budget lasts."""
        began, known = time.monotonic(), discovery.methods()
        tried = order(task, kind)[: asked.candidates - 1]
        yield needs.baseline(known[tried[0]], kind)
        for name in tried:
            if len(fitted) < 2 or asked.budget is None or time.monotonic() - began < asked.budget:
                yield name

    def _copy(self, name: str, training: Mapping[str, Any], seed: int, task: Task) -> AdaptationEstimator:
        model = estimator(discovery.methods()[name].load())(**training, seed=seed)
        return model.fit(task.source, task.target)

    def _take(self, best: AdaptationEstimator, pair: Pair, fields: Any) -> None:
        """Be the chosen estimator, in the columns and classes that were given."""
        width = int(np.prod(pair.source.inputs.shape[1:])) if pair.source.kind != "text" else None
        for model in (best, self):
            model._fitted, model._bins, model.classes_ = best._fitted, pair.source.bins, pair.classes
            model.history_, model.health_ = best.history_, best.health_
            model._set_columns(fields, width)
        self.best_estimator_ = best

    @property
    def verdict_(self) -> str:
        """What was taken and how often it is likely to be right."""
        check_is_fitted(self)
        return headline(self.choice_)

    def adapt(self, target: Data, source: Data | None = None, **how: Any) -> AdaptationEstimator:
        """Another batch for the method that was taken; as for every estimator."""
        check_is_fitted(self)
        return self.best_estimator_.adapt(target, source, **how)


def _shown(model: AdaptationEstimator, task: Task) -> Any:
    return evidence_of(model._fitted, task.source_test, task.target, model._fitted.plan.options.seed)


_UNSET = "Training options that are left at None are each method’s own; the seeds are `seed` and the next."
Auto = with_arguments("Auto", _Auto, AutoOptions, _UNSET)
