"""Choosing between finished runs by what they showed without a target label."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acclimate.errors import RequestError
from acclimate.problems.answers import check_no_labels, check_shares_compare
from acclimate.running.adaptation import Read, load
from acclimate.running.description import check_unchanged
from acclimate.running.evidence import evidence_of, has_evidence, read_evidence
from acclimate.running.requests import task_of
from acclimate.running.shelf import Shelf
from acclimate.runs.candidates import adapts, common
from acclimate.runs.chosen import Chosen, Estimated, Weighed
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.selection.estimates import CannotTell, estimate
from acclimate.selection.evidence import LEAST_TARGET, Candidate, Evidence
from acclimate.selection.lost import class_shares
from acclimate.selection.rule import choose

# So many classes are named at most.
_NAMED = 5


@dataclass(frozen=True)
class Contender:
    """Finished runs that differ in their seeds alone, and what they showed.

    Attributes:
        name: tells them from others.
        runs: at least one, in the order of their seeds.
        shown: what each showed.
    """

    name: str
    runs: tuple[Run, ...]
    shown: Candidate


def contender(name: str, runs: Sequence[Run], shown: Callable[[Run], Evidence]) -> Contender:
    """Runs that differ in their seeds alone, looked at by `shown`."""
    method = runs[0].config["method"]["name"]
    return Contender(name, tuple(runs), Candidate(name, tuple(map(shown, runs)), method))


def seen(run: Run, read: Read = task_of) -> Evidence:
    """What a finished run shows: what it keeps, or else what its model says now; nothing is written.

    Args:
        run: finished.
        read: gives the data of its request.

    Raises:
        RequestError: if its weights are gone, or its data have changed since.
        WorkError: if something in its folder is damaged.
    """
    if has_evidence(run):
        return read_evidence(run)
    fitted, task = load(run.folder), read(Request(**run.config["request"]), run)
    check_unchanged(run, task)
    return evidence_of(fitted, task.source_test, task.target, fitted.plan.options.seed)


def chosen_of(
    contenders: Sequence[Contender], baseline: str, within: Path | None = None, explaining: str = ""
) -> Chosen:
    """The choice between runs that were looked at, and how often each is likely to be right.

    Args:
        contenders: with different names, of one task.
        baseline: name of the one that does not adapt.
        within: folder that the runs' are told from; by default they are told as they are.
        explaining: as for `rule.choose`.

    Raises:
        RequestError: if they are not of one task.
    """

    def told(run: Run) -> str:
        return str(run.folder.relative_to(within) if within else run.folder)

    titles = {one.name: one.runs[0].config["method"]["title"] for one in contenders}
    runs = {one.name: [told(run) for run in one.runs] for one in contenders}
    task = contenders[0].runs[0].config["task"]
    classes = task["classes"][: task["num_classes"]]
    return decided([one.shown for one in contenders], baseline, titles, runs, classes, explaining)


def decided(
    candidates: Sequence[Candidate],
    baseline: str,
    titles: Mapping[str, str],
    runs: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    explaining: str = "",
) -> Chosen:
    """The choice between candidates, with what is likely of each.

    Args:
        candidates: with different names, of one task.
        baseline: name of the one that does not adapt.
        titles: their methods in words, by name.
        runs: what each copy is called, by name.
        classes: names of those that a candidate answers.
        explaining: as for `rule.choose`.

    Raises:
        RequestError: if they are not of one task.
    """
    choice, by_name = (
        choose(tuple(candidates), baseline, explaining),
        {candidate.name: candidate for candidate in candidates},
    )
    # Each is held against the baseline, and the baseline against the first that adapts.
    adapted = next((one for one in candidates if one.name != baseline and one.sound), None)
    weighed = tuple(
        _weighed(
            one,
            adapted if one.name == baseline else by_name[baseline],
            choice.scores[one.name],
            titles[one.name],
            runs[one.name],
        )
        for one in candidates
    )
    return Chosen(
        name=choice.name,
        run=runs[choice.name][first_sound(by_name[choice.name])],
        baseline=baseline,
        guarded=choice.guarded,
        reasons=(*choice.reasons, *_classes_hardly_met(by_name[choice.name], by_name[baseline], classes)),
        examples=len(by_name[baseline].copies[0].target_scores),
        candidates=weighed,
    )


def _classes_hardly_met(chosen: Candidate, baseline: Candidate, classes: Sequence[str]) -> Iterator[str]:
    """Sentences about classes of the source that seem missing in the target, and that adapting seems to lose."""
    if len(baseline.copies[0].target_scores) < LEAST_TARGET or (seen := class_shares(chosen, baseline)) is None:
        return
    if seen.absent:
        named = _named(seen.absent, classes)
        yield f"{baseline.name} hardly answers {named} on the target: missing there, or taken for another class."
    if seen.lost:
        named = _named(seen.lost, classes)
        yield (
            f"{chosen.name} hardly answers {named}, though by {baseline.name}'s scores it is there: lost in adapting."
        )


def _named(places: Sequence[int], classes: Sequence[str]) -> str:
    """The first five in quotes, and how many more."""
    more = f" and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
    return ", ".join(f"“{classes[place]}”" for place in places[:_NAMED]) + more


def first_sound(candidate: Candidate) -> int:
    """Which of the copies to use: the first that did not diverge."""
    return next((i for i, copy in enumerate(candidate.copies) if not copy.failed), 0)


def _weighed(
    shown: Candidate, other: Candidate | None, scores: Mapping[str, float], title: str, runs: Sequence[str]
) -> Weighed:
    told = estimate(shown, other)
    accuracy = float(np.mean([copy.source_accuracy for copy in shown.copies]))
    return Weighed(
        name=shown.name,
        title=title,
        runs=list(runs),
        scores={name: score if math.isfinite(score) else None for name, score in scores.items()},
        source_accuracy=accuracy if math.isfinite(accuracy) else None,
        estimate=None if isinstance(told, CannotTell) else Estimated(value=told.value, low=told.low, high=told.high),
        cannot_tell=told.reason if isinstance(told, CannotTell) else "",
    )


def contenders_of(runs: Sequence[Run]) -> tuple[list[Contender], str]:
    """Finished runs as contenders, those that differ in their seeds alone as one, and the name of the baseline.

    What does not adapt is among them, or lies beside one of them.

    Args:
        runs: at least one.

    Raises:
        RequestError: if they are not all of one task and its classes, one is there twice, or none does without
            adaptation.
        WorkError: if something in a folder is damaged.
    """
    fix = "Choose between runs on the same data; compare methods on them with: acclimate compare"
    common(runs, fix)
    _check_target(runs, fix)
    check_shares_compare(runs)
    check_no_labels(runs)
    _check_sources(runs)
    baselines = [run for run in runs if not adapts(run)]
    if not baselines:
        beside = {_seed(run): run.baseline for run in runs if run.baseline is not None and run.baseline.summary}
        baselines = [
            baseline for baseline in beside.values() if not adapts(baseline)
        ]  # not so a model that a run began with
    if not baselines:
        got = f"{' and '.join(str(run.folder) for run in runs)}, which adapt and have none beside them that does not"
        fix = "Add one: acclimate adapt --method source-only …"
        raise RequestError("runs", "must have one among them that does not adapt", got, fix)
    shelf = Shelf()
    groups: dict[str, list[Run]] = {}
    for run in [*baselines, *(run for run in runs if adapts(run))]:
        groups.setdefault(_key(run), []).append(run)
    names = _names(list(groups.values()))
    found = [
        contender(name, _by_seed(copies), lambda run: seen(run, shelf.task))
        for name, copies in zip(names, groups.values(), strict=True)
    ]
    return found, names[0]


def _seed(run: Run) -> int:
    return int(run.config["training"]["seed"])


def _by_seed(copies: Sequence[Run]) -> list[Run]:
    """Copies in the order of their seeds.

    Raises:
        RequestError: if two have the same.
    """
    found: dict[int, Run] = {}
    for run in copies:
        if (other := found.setdefault(_seed(run), run)) is not run:
            got = f"{other.folder} and {run.folder}, both {run.config['method']['name']} with seed {_seed(run)}"
            raise RequestError("runs", "must differ in method, options or seed", got, "Leave one of them out.")
    return [found[seed] for seed in sorted(found)]


def _key(run: Run) -> str:
    """What runs that differ in their seeds alone have in common."""
    config = run.config
    training = {name: value for name, value in config["training"].items() if name != "seed"}
    return json.dumps([config["method"], config["network"], training], sort_keys=True)


def _names(groups: Sequence[Sequence[Run]]) -> list[str]:
    """The method's name where it is one of a kind, and the first folder's with it where it is not."""
    names = [runs[0].config["method"]["name"] for runs in groups]
    return [
        name if names.count(name) == 1 else f"{name} ({runs[0].folder})"
        for name, runs in zip(names, groups, strict=True)
    ]


def _check_sources(runs: Sequence[Run]) -> None:
    """Refuse runs without source examples, by which a model's answers are weighed."""
    for run in runs:
        if "source" not in run.config["task"]["sizes"]:
            raise RequestError(
                "runs",
                "must have been trained with source examples, on which a choice rests",
                f"{run.folder}, which began with a model alone",
                f"Forty labels choose: {shlex.join(['acclimate', 'audit', *(str(one.folder) for one in runs)])}",
            )


def _check_target(runs: Sequence[Run], fix: str) -> None:
    """Refuse runs whose target examples are not the same."""
    prints = {run.config["task"]["fingerprints"]["target"]: run for run in runs}
    if len(prints) > 1:
        one, other, *_ = prints.values()
        got = f"{one.folder} and {other.folder}, whose targets hold other examples"
        raise RequestError("runs", "must not be of different tasks", got, fix)
