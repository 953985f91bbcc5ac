"""What is known of several methods on a user's own target, from their finished runs alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from acclimate.metrics.agreement import agreement
from acclimate.metrics.intervals import mean_ci95
from acclimate.reports.answers import Answers, read_answers
from acclimate.reports.by_class import is_uneven
from acclimate.runs.findings import Finding, checks_made, findings
from acclimate.runs.record import Run
from acclimate.runs.scores import balanced, in_words, scored_by


@dataclass(frozen=True, slots=True)
class _Seen:
    """One run, its answers, and its score where labels are known."""

    run: Run
    answers: Answers
    score: float | None


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """What is known of one method's runs; shares are fractions, means over seeds.

    Attributes:
        name: of the row.
        runs: one for each seed.
        scores: target accuracy of each run; empty where no label is known.
        balanced: mean recall of the target's classes, where these differ in size; None where they hardly do.
        gain: its mean above that of the baseline; None without either.
        changed: share of answers that are others than the baseline's with the same seed.
        alike: share of answers that another method gives too, on average over the others.
        steady: share of answers that another seed of its own gives too; None for a single seed.
        source: accuracy on the source, if there is one.
        source_held_out: whether that is on source examples which no step trained on.
        findings: what its checks noticed.
        checked: whether any checks were made.
        wall_s: seconds a run.
        labels: target labels that training was given.
        flattered: whether it is scored on labels that it was given.
    """

    name: str
    runs: tuple[Run, ...]
    scores: tuple[float, ...]
    balanced: float | None
    gain: float | None
    changed: float | None
    alike: float | None
    steady: float | None
    source: float | None
    source_held_out: bool
    findings: tuple[Finding, ...]
    checked: bool
    wall_s: float
    labels: int
    flattered: bool

    @property
    def mean(self) -> float | None:
        """Mean score over seeds."""
        return float(np.mean(self.scores)) if self.scores else None

    @property
    def ci95(self) -> float | None:
        """Half the width of Student's 95 % interval of the mean; None for fewer than two seeds."""
        half = mean_ci95(self.scores) if self.scores else math.nan
        return None if math.isnan(half) else half

    @property
    def noticed(self) -> str:
        """What the checks still held of at the end, by short names."""
        words = dict.fromkeys(finding.word for finding in self.findings if finding.until is None)
        return ", ".join(words) or ("–" if self.checked else "not checked")


@dataclass(frozen=True, eq=False)
class OwnTable:
    """All methods of a comparison.

    Attributes:
        methods: in the order to show.
        baseline: name of the row that adapts nothing, which the others are compared with; empty without one.
        shares: `(m, m)` how often two methods give the same answer; NaN where they answer different examples.
        known: how many target examples scores are counted on.
        held_out: whether those are examples that no training saw.
        score: what is scored, in words.
    """

    methods: tuple[MethodFacts, ...]
    baseline: str
    shares: np.ndarray
    known: int
    held_out: bool
    score: str

    @property
    def measured(self) -> bool:
        """Whether target labels say anything of any method."""
        return any(facts.scores for facts in self.methods)

    @property
    def seeds(self) -> int:
        """The most runs of a method."""
        return max(len(facts.runs) for facts in self.methods)


def read_table(runs: Mapping[str, Mapping[int, Run]], baseline: str) -> OwnTable:
    """What finished runs tell.

    Args:
        runs: of each row, by seed; at least one of each.
        baseline: name of the row that the others are compared with; empty without one.
    """
    seen = {name: {seed: _read(run) for seed, run in own.items()} for name, own in runs.items()}
    shares = _shares(list(seen.values()))
    facts = [_facts(name, own, seen.get(baseline, {}), list(seen).index(name), shares) for name, own in seen.items()]
    one = next(iter((seen.get(baseline) or next(iter(seen.values()))).values()))
    scored = scored_by((one.run.summary or {}).get("scores", {}))
    return OwnTable(
        tuple(facts),
        baseline if baseline in seen else "",
        shares,
        one.answers.num_known,
        one.answers.split != "target",
        in_words(scored),
    )


def _read(run: Run) -> _Seen:
    scores = (run.summary or {}).get("scores", {})
    name = scored_by(scores)
    return _Seen(run, read_answers(run), float(scores[name]) if name else None)


def _facts(
    name: str, own: Mapping[int, _Seen], baseline: Mapping[int, _Seen], place: int, shares: np.ndarray
) -> MethodFacts:
    runs, rows = [one.run for one in own.values()], [one.run.metrics() for one in own.values()]
    source = [found for row in rows if (found := _source_accuracy(row)) is not None]
    task = runs[0].config["task"]
    against = {seed: baseline[seed] for seed in own if seed in baseline} if baseline is not own else {}
    gains = [o.score - f.score for s, f in against.items() if (o := own[s]).score is not None and f.score is not None]
    changed = [1 - share for s, f in against.items() if (share := _share(own[s].answers, f.answers)) is not None]
    return MethodFacts(
        name,
        tuple(runs),
        tuple(one.score for one in own.values() if one.score is not None),
        _mean([share for one in own.values() if (share := _balanced(one)) is not None]),
        _mean(gains),
        _mean(changed),
        _mean(np.delete(shares[place], place)),
        _steady(own),
        _mean([accuracy for accuracy, _ in source]),
        all(held_out for _, held_out in source),
        tuple(finding for row in rows for finding in findings(row)),
        any(checks_made(row) for row in rows),
        float(np.mean([(run.summary or {})["wall_s"] for run in runs])),
        task["labelled_target"],
        task["labelled_target"] == task["sizes"]["target"] and next(iter(own.values())).answers.split == "target",
    )


def _balanced(seen: _Seen) -> float | None:
    return balanced((seen.run.summary or {}).get("scores", {})) if is_uneven(seen.answers) else None


def _mean(values: Sequence[float] | np.ndarray) -> float | None:
    """The mean of those that are numbers; None if none is."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else None


def _source_accuracy(rows: Sequence[Mapping[str, object]]) -> tuple[float, bool] | None:
    """At the end of a training: the accuracy on the source, and whether on examples set aside."""
    last = [row for row in rows if row["kind"] == "evaluation"][-1:]
    for name, held_out in (("source_test_accuracy", True), ("source_accuracy", False)):
        for row in last:
            if isinstance(value := row.get(name), float):
                return value, held_out
    return None


def _share(one: Answers, other: Answers) -> float | None:
    """How often two models give the same answer; None if they answered different examples."""
    if (one.split, one.classes, len(one.labels)) != (other.split, other.classes, len(other.labels)):
        return None
    return float(agreement([one.after.predicted, other.after.predicted])[0, 1])


def _shares(seen: Sequence[Mapping[int, _Seen]]) -> np.ndarray:
    """`(m, m)` how often two methods give the same answer with the same seed, on average over seeds."""
    shares = np.full((len(seen), len(seen)), math.nan)
    for i, one in enumerate(seen):
        for j, other in enumerate(seen):
            found = (_share(one[seed].answers, other[seed].answers) for seed in one if seed in other)
            mean = _mean([share for share in found if share is not None])
            shares[i, j] = math.nan if mean is None else mean
    return shares


def _steady(own: Mapping[int, _Seen]) -> float | None:
    """How often two seeds of a method give the same answer, on average over pairs."""
    pairs = itertools.combinations([one.answers for one in own.values()], 2)
    return _mean([share for one, other in pairs if (share := _share(one, other)) is not None])
