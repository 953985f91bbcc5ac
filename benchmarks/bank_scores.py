"""What stands in the bank of a task: scores of every candidate, and how right it was."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from acclimate.selection.estimates import LEAST_ANSWERS, expected, expected_by_class
from acclimate.selection.evidence import Candidate, Evidence
from acclimate.selection.scored import scored
from acclimate.selection.scores import agreement, balance, confidence, domains, structure, validation
from acclimate.selection.scores.structure import compact
from bank_tasks import Task

FLOOR, BESIDE_FLOOR = "source-only", "mcc"
_BESIDE = ("stirred", "mixed", "source_features", "target_features")
Arrays = dict[str, np.ndarray]


def row_of(task: Task, found: Arrays, candidates: tuple[str, ...], seeds: tuple[int, ...]) -> dict[str, object]:
    """A task's row: `right` has accuracies on the target, everything else is known without its labels."""
    partners = found["partners"]
    seen = [Candidate(name, tuple(evidence(found, name, seed) for seed in seeds)) for name in candidates]
    scores = scored(seen, seen[0])
    for candidate in seen:
        single = [
            _single(copy, {what: found[f"{candidate.name}/{seed}/{what}"] for what in _BESIDE}, partners)
            for copy, seed in zip(candidate.copies, seeds, strict=True)
        ]
        scores[candidate.name] |= {name: float(np.mean([one[name] for one in single])) for name in single[0]}
    labels = found["labels"]
    return {
        "task": task.name,
        "part": task.part,
        "domain": task.domain,
        "kind": task.kind,
        "classes": seen[0].copies[0].num_classes,
        "examples": len(labels),
        "core_seconds": round(float(found["seconds"].sum()), 1),
        "scores": {name: rounded(of) for name, of in scores.items()},
        "estimates": {c.name: forms(c, beside(c, seen)) for c in seen},
        "right": rounded(
            {c.name: float(np.mean([(copy.answers == labels).mean() for copy in c.copies])) for c in seen}
        ),
        "by_class": {c.name: by_class(c, beside(c, seen), labels) for c in seen},
    }


def beside(candidate: Candidate, all_of_them: list[Candidate]) -> Candidate:
    """The one that an estimate holds a candidate against: the baseline, and MCC for the baseline."""
    return next(c for c in all_of_them if c.name == (BESIDE_FLOOR if candidate is all_of_them[0] else FLOOR))


def forms(candidate: Candidate, other: Candidate) -> dict[str, float]:
    """Each form of the estimate of a candidate's accuracy."""
    alone = Candidate(candidate.name, candidate.copies[:1])
    found = [expected(one, two) for one in (candidate, alone) for two in (other, None)]
    return rounded({form: value for value, form in found})


def evidence(found: Arrays, name: str, seed: int) -> Evidence:
    """What a run showed, as runs keep it."""

    def of(what: str) -> np.ndarray:
        return found[f"{name}/{seed}/{what}"].astype(np.float64)

    target = compact(of("target_features"))
    return Evidence(
        found["source_labels"], of("source_scores"), of("target_scores"), target_features=target, seed=seed
    )


def by_class(candidate: Candidate, other: Candidate, labels: np.ndarray) -> list[tuple[float, float]]:
    """How often the first copy's answers of each class were estimated to be right, and are; but of rare answers."""
    answers = candidate.copies[0].answers
    values, counts = expected_by_class(candidate, other, expected(candidate, other)[0])
    return [
        (round(value, 3), round(float((labels[answers == label] == label).mean()), 3))
        for label, (value, count) in enumerate(zip(values, counts, strict=True))
        if count >= LEAST_ANSWERS
    ]


def rounded(scores: dict[str, float]) -> dict[str, float]:
    """To three digits: more would say nothing."""
    return {name: round(float(value), 3) for name, value in scores.items()}


def _single(copy: Evidence, beside: Arrays, partners: np.ndarray) -> dict[str, float]:
    """The scores that a rule does not look at, of one run."""
    source, labels, target = copy.source_scores, copy.source_labels, copy.target_scores
    here, there = (beside[f"{side}_features"].astype(np.float64) for side in ("source", "target"))
    distance, weights = domains.discriminability(here, there)
    own = balance.shares(labels, copy.num_classes)
    of: dict[str, Callable[[], float]] = {
        "IWV": lambda: validation.source_validation(source, labels, weights),
        "DEV": lambda: validation.deep_embedded_validation(source, labels, weights),
        "entropy": lambda: confidence.negative_entropy(target),
        "information": lambda: confidence.information(target),
        "BNM": lambda: confidence.nuclear_norm(target),
        "SND": lambda: structure.neighbourhood_density(target),
        "Corr-C": lambda: structure.class_correlation(target),
        "class balance": lambda: balance.class_balance(balance.answered(target), own),
        "stability": lambda: agreement.stability(target, beside["stirred"]),
        "MixVal": lambda: float(np.nanmean(agreement.mixtures(target, beside["mixed"], partners))),
        "ATC": lambda: confidence.thresholded_confidence(source, labels, target),
        "silhouette": lambda: float(np.nan_to_num(structure.silhouette(there, copy.answers), nan=-1)),
        "reverse validation": lambda: validation.reverse_validation(here, labels, there, copy.answers),
        "sides alike": lambda: -distance,
    }
    return {name: score() for name, score in of.items()}
