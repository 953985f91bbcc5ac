"""The result of a run in plain words, and how sure it is.

`reports.outcome` reads a run and asks for it; the terminal, `--json`, the page and Python all show that one answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from acclimate.discovery import methods
from acclimate.metrics.grouping import fowlkes_mallows
from acclimate.metrics.intervals import mcnemar_p, paired_interval, wilson_interval
from acclimate.reports.answers import Answers, Model, class_shares
from acclimate.reports.by_class import evened, is_uneven, missed, unevenness
from acclimate.reports.told import Tile, Verdict
from acclimate.reports.views.base import baseline, called, view_of
from acclimate.reports.wording import capital, counted, interval, percent, points
from acclimate.runs.findings import CHECKS, Finding
from acclimate.runs.learning import learning

SIGNIFICANT = 0.05
_SELECTION = {
    "last": "The weights of the last step were taken (step {steps:,}). No label, hidden or not, chose them.",
    "source-validation": "The weights of step {chosen_step:,} of {steps:,} were taken, which had the lowest loss on "
    "source examples that no step trained on. No target label, hidden or not, chose them.",
    "validation-map": "The weights of step {chosen_step:,} of {steps:,} were taken, with the best mean average "
    "precision "
    "on photos and sketches that were set aside from the training ones. The held-out test chose nothing.",
    "oracle": "The weights with the best score on the hidden target labels were taken. Nobody can do that without "
    "those labels, so this number only serves to compare with papers that did the same.",
}


def what_was_done(config: Mapping[str, Any]) -> str:
    """Method, source, target and their sizes, in one sentence or two."""
    method, task = config["method"], config["task"]
    granted = task["labelled_target"]
    source = view_of(config).source(config)
    target = f"{task['sizes']['target']:,} examples of {called('target', config)}"
    who = f"{method['title']} ({method['paper']})"
    how = learning(config)
    if how.from_all_labels:
        return (
            f"{who} trained on {target}, {granted:,} of them with a label. Adaptation does without those, so this is "
            "an upper bound for it."
        )
    if not how.from_target:
        extra = f" and on {granted:,} labelled examples of the target" if granted else ""
        return f"{who} trained on {source}{extra}. Nothing was adapted to {target}."
    seen = f"{granted:,} of them with a label" if granted else "without any of their labels"
    begun = f" It began with the weights of {config['begun_from']['run']}." if config.get("begun_from") else ""
    return f"{who} learned from {source} and adapted to {target}, {seen}.{begun}"


def how_chosen(config: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """How the weights were chosen, and whether labels had a say."""
    if learning(config).computed:
        return "The weights are a solution, computed at once: there was nothing to choose by a label, hidden or not."
    rule = str(summary["selection"])
    known = _SELECTION.get(rule, f"The weights were chosen by {rule}.")
    return known.format(**summary) if rule in _SELECTION else known


def verdict(
    config: Mapping[str, Any],
    answers: Answers,
    source_shares: np.ndarray | None,
    found: Sequence[Finding] = (),
) -> Verdict:
    """What a run shows.

    Args:
        config: the run's `config.json`.
        answers: its answers on the target.
        source_shares: `(k,)` shares of the source's classes, if known.
        found: what the checks of its training noticed.
    """
    if answers.num_known == 0:
        return _unscored(config, answers, source_shares, found)
    how = learning(config)
    if not how.names:
        return _grouped(config, answers)
    if answers.before is None or not how.adapts:
        return _alone(config, answers)
    return _compared(config, answers, answers.before)


def _examined(config: Mapping[str, Any], answers: Answers) -> str:
    """What the score was measured on, and what to think of that."""
    n = answers.num_known
    if answers.split == "data":
        return f"the {counted(n, 'labelled example')} given"
    if answers.split == "target_test":
        return f"{n:,} held-out examples of {called('target_test', config)}, which no training saw"
    granted = config["task"]["labelled_target"]
    if not granted:
        return f"the {n:,} target training examples whose label is known; training never saw those labels"
    if n + granted <= config["task"]["sizes"]["target"]:
        return f"{n:,} target training examples; training never saw their labels, but those of {granted:,} others"
    but = f"{granted:,} of those labels were given to training, so the score flatters"
    return f"the {n:,} target training examples whose label is known; {but}"


def score(answers: Answers, model: Model) -> tuple[float, str]:
    """The share of right answers, and its 95 % interval in words."""
    right = int(answers.right(model).sum())
    return right / answers.num_known, interval(wilson_interval(right, answers.num_known))


def _grouped(config: Mapping[str, Any], answers: Answers) -> Verdict:
    """Groups that nothing ties to a class: their accuracy is one of names given at random."""
    score = f"{fowlkes_mallows(answers.after.predicted, answers.labels):.2f}"
    return Verdict(
        f"Groups without names: Fowlkes-Mallows score {score}",
        (
            "No target label was given, so which group is which class cannot be known. The names in the answers were "
            "given at random, and their accuracy means nothing.",
            f"How well examples of a class are kept together can be scored all the same, on "
            f"{_examined(config, answers)}: {score}, where 1 is perfect.",
            "One labelled example of each class names the groups: --label-budget 1.",
        ),
        (Tile("Fowlkes-Mallows score", score, "1 is perfect"), Tile("Target accuracy", "unknown", "no names")),
    )


def _alone(config: Mapping[str, Any], answers: Answers) -> Verdict:
    """Scored, with nothing to compare with."""
    share, ends = score(answers, answers.after)
    missing = (
        f"No model of {baseline(config)} was trained beside this one, so it cannot say whether adaptation helped.",
    )
    return Verdict(
        f"{percent(share)} of answers on the target are right{missed(answers)}",
        (
            f"Scored on {_examined(config, answers)}: {percent(share)} right ({ends}).",
            *unevenness(answers),
            *(missing if learning(config).adapts else ()),
        ),
        (Tile("Target accuracy", percent(share), ends), *_evened_tiles(answers)),
    )


def _evened_tiles(answers: Answers) -> tuple[Tile, ...]:
    """Scores in which classes count alike, where they differ in size; what they were without adaptation below."""
    if not is_uneven(answers):
        return ()
    after = evened(answers, answers.after)
    without = ("", "")
    if answers.before is not None:
        before = evened(answers, answers.before)
        without = percent(before.balanced_accuracy), percent(before.macro_f1)
    return tuple(
        Tile(name, percent(score), f"{was} without adaptation" if was else "")
        for name, score, was in (
            ("Balanced accuracy", after.balanced_accuracy, without[0]),
            ("Macro F1", after.macro_f1, without[1]),
        )
    )


def _compared(config: Mapping[str, Any], answers: Answers, before_model: Model) -> Verdict:
    """Scored, and compared with source-only on the same examples."""
    after, after_ends = score(answers, answers.after)
    before, before_ends = score(answers, before_model)
    right, was_right = answers.right(answers.after), answers.right(before_model)
    mended, broken = int((right & ~was_right).sum()), int((~right & was_right).sum())
    p = mcnemar_p(mended, broken)
    ends = paired_interval(mended, broken, answers.num_known)
    reach = f"95\u00a0% interval {points(ends[0])} to {points(ends[1])}"
    alone = baseline(config)
    return Verdict(
        _headline(before, after, p) + missed(answers),
        (
            f"Scored on {_examined(config, answers)}: {percent(after)} right ({after_ends}). "
            f"{_model_without_it(config, answers.before_by)} "
            f"is right on {percent(before)} ({before_ends}).",
            f"Adaptation mended {counted(mended, 'wrong answer')} and broke {counted(broken, 'right one')}, a "
            f"difference of {points(after - before)} percentage points ({reach}). {meaning(p)}",
            *unevenness(answers),
            "These intervals cover the choice of examples, not the luck of training: another seed gives another "
            "number.",
        ),
        (
            Tile(capital(alone), percent(before), before_ends),
            Tile(config["method"]["title"], percent(after), after_ends),
            Tile("Difference, in points", points(after - before), reach),
            *_evened_tiles(answers),
        ),
    )


def _model_without_it(config: Mapping[str, Any], by: str) -> str:
    """What was trained for comparison, by the method of that name."""
    if config.get("begun_from"):
        return f"The model begun with, {config['begun_from']['run']} as it was,"
    if baseline(config) != "source only":
        return f"A network for {baseline(config)}"
    also = " and the labelled target examples" if config["task"]["labelled_target"] else ""
    same = "A network" if learning(config).computed else "The same network"
    model = same if by == "source-only" else methods()[by].fact("title", by)
    return f"{model} trained on the source{also} only"


def _headline(before: float, after: float, p: float) -> str:
    numbers = f"{percent(after)} right on the target, {percent(before)} without it"
    if p >= SIGNIFICANT:
        return f"Adaptation made no clear difference: {numbers}"
    return f"Adaptation {'helped' if after > before else 'hurt'}: {numbers}"


def meaning(p: float) -> str:
    """The exact McNemar test in words."""
    value = "p\u00a0<\u00a00.001" if p < 0.001 else f"p\u00a0=\u00a0{p:.2g}"
    test = f"(exact McNemar test, {value})"
    if p >= SIGNIFICANT:
        return f"Were both models equally good, chance alone could well give such a split {test}."
    return f"Were both models equally good, chance alone would hardly give such a split {test}."


def unmeasured(found: Sequence[Finding], known: str = "") -> str:
    """The headline of a model that no target label measures: what is known of it, and what not.

    Args:
        found: what the checks of its training noticed.
        known: something else to tell, that ends in a comma.
    """
    holding = [CHECKS.get(finding.kind, finding.word) for finding in found if finding.until is None]
    checks = f"the checks noticed {' and '.join(holding)}" if holding else "no check noticed anything"
    return f"Target accuracy is unknown, as no target label is known; {known}{checks}"


def _unscored(
    config: Mapping[str, Any], answers: Answers, source_shares: np.ndarray | None, found: Sequence[Finding]
) -> Verdict:
    """Nobody knows the right answers: say so, and say what can be said."""
    known = ""
    confidence = float(answers.after.confidence.mean())
    tiles = [
        Tile("Target accuracy", "unknown", "no held-out labels"),
        Tile("Mean confidence", percent(confidence), f"over {len(answers.labels):,} answers"),
    ]
    sentences = [
        "No target example has a label to check against, so nothing here proves that the model is good. What follows "
        "describes its answers; none of it can tell right from wrong.",
    ]
    if answers.before is not None:
        changed = float((answers.after.predicted != answers.before.predicted).mean())
        was = float(answers.before.confidence.mean())
        known = f"{percent(changed)} of answers differ from those of {baseline(config)}, "
        tiles.insert(1, Tile("Answers changed", percent(changed), f"against {baseline(config)}"))
        sentences.append(
            f"Against {baseline(config)}, {percent(changed)} of the {len(answers.labels):,} answers changed; mean "
            f"confidence is {percent(confidence)}, before it was {percent(was)}."
        )
    else:
        sentences.append(f"Mean confidence over {len(answers.labels):,} answers is {percent(confidence)}.")
    sentences.append(balance(config, answers, source_shares))
    sentences.append("To learn the accuracy from 40 labels, run “acclimate audit”.")
    return Verdict(unmeasured(found, known), tuple(sentences), tuple(tiles))


def balance(config: Mapping[str, Any], answers: Answers, source_shares: np.ndarray | None) -> str:
    """How the predictions spread over the classes, and which class they favour most against the source."""
    k = config["task"]["num_classes"]
    shares = class_shares(answers.after.predicted, len(answers.classes))[:k]
    never = int((shares == 0).sum())
    top = int(shares.argmax())
    sentence = f"The most frequent answer is “{answers.classes[top]}” with {percent(shares[top])} of all answers"
    if source_shares is not None:
        sentence += f" (about {percent(source_shares[top])} of the source)"
    if never == 0:
        return f"{sentence}; every one of the {k} classes is predicted at least once."
    return f"{sentence}; {never} of the {k} classes {'is' if never == 1 else 'are'} never predicted."
