"""Small worlds for each check of class proportions, on the right side and on the wrong one.

The world is known, so it is known whether a check must speak: classes that are more frequent on one side, classes
that are confused because the target was moved, classes that nobody has learnt.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.ragged import from_texts
from acclimate.data.synthetic import other_proportions, shifted_blobs
from acclimate.data.task import Task
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.runs.findings import Finding, checks_made, findings
from acclimate.training.collapse import collapsed
from acclimate.training.hooks import Hooks
from acclimate.training.probe import Probed
from acclimate.training.proportions import Baseline, fallen, mix, restored

OPTIONS = {"steps": 150, "batch_size": 64, "precision": "fp32"}
Found = dict[str, Finding]


def train(name: str, task: Task, baseline: Baseline | None = None, **options: Any) -> tuple[Found, np.ndarray, float]:
    """What the checks found by kind, the answers on the target, and how many are right, which no check sees."""
    plan = make_plan(discovery.methods()[name].load()(), task.source, task.target, options={**OPTIONS, **options})
    held_out = None if task.source_test is None else plan.preprocess.of("source").fit(task.source_test)
    rows: list[Any] = []
    fitted = fit(plan, task.source, task.target, Hooks(record=rows.append, held_out=held_out, baseline=baseline))
    answers = fitted.outputs(task.target).logits.argmax(axis=1)
    found = {finding.kind: finding for finding in findings(rows) if finding.until is None}
    assert {"proportions", "class-shares"} <= set(checks_made(rows) or ())
    return found, answers, float((answers == task.hidden.target).mean())


def adapted(name: str, task: Task) -> tuple[Found, Found, float]:
    """What is found of source-only and, beside it, of a method; how many more of the latter's answers are right."""
    before, answers, was = train("source-only", task)
    after, _, right = train(name, task, Baseline(answers, "proportions" in before))
    return before, after, right - was


OTHER_PROPORTIONS = {
    "9 : 1 and 1 : 9": ((0.9, 0.1), (0.1, 0.9)),
    "about half, and nearly all": ((0.54, 0.46), (0.05, 0.95)),
    "three classes": ((0.6, 0.3, 0.1), (0.1, 0.3, 0.6)),
    "a class that takes over": ((0.25,) * 4, (0.7, 0.1, 0.1, 0.1)),
}


@pytest.mark.parametrize("world", OTHER_PROPORTIONS)
def test_other_proportions_are_named_and_what_they_make_of_adaptation(world: str) -> None:
    task = other_proportions(*OTHER_PROPORTIONS[world])
    before, after, gain = adapted("adabn", task)
    assert gain < -0.1, "the world is one where aligning the sides harms"
    assert before["proportions"].sentence.startswith("Other class proportions alone would explain what")
    found = after["shares-restored"]
    assert found.severity == "warning"
    assert "rather use the model without adaptation" in found.advice
    assert "not-learnt" not in before
    assert "not-learnt" not in after
    for finding in (*before.values(), *after.values()):  # none advises what harms here, unless it says so
        assert "rain longer" not in finding.advice or "may differ" in finding.advice, finding
        assert "adabn" not in finding.advice or "harm" in finding.advice, finding


@pytest.mark.parametrize("name", ["mcc", "sa"])
def test_other_methods_that_align_harm_too_and_are_told_so(name: str) -> None:
    before, after, gain = adapted(name, other_proportions((0.9, 0.1), (0.1, 0.9)))
    assert gain < -0.1
    assert "proportions" in before
    assert after["shares-restored"].severity == "warning"


def test_the_estimate_is_near_the_truth() -> None:
    before, _, _ = train("source-only", other_proportions((0.6, 0.4), (0.2, 0.8), n=1000))
    share = float(before["proportions"].sentence.split("some ")[1].split(" %")[0])
    assert min(abs(share - 20), abs(share - 80)) < 8


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.7, 0.3), (0.25,) * 4])
def test_equal_proportions_are_not_called_others(shares: tuple[float, ...]) -> None:
    """Without any move, and with one across all classes, which confuses none of them."""
    for task in (other_proportions(shares, shares), shifted_blobs(400, shift=3.0)):
        before, after, _ = adapted("adabn", task)
        assert not {"proportions", "class-shares", "not-learnt"} & {*before, *after}
        assert "shares-restored" not in after


def test_a_move_that_confuses_classes_leaves_the_question_open() -> None:
    """Equal proportions, but the target lies where another class does: adaptation helps, and only labels tell."""
    task = shifted_blobs(400, shift=4.0)
    before, after, gain = adapted("adabn", task)
    assert gain > 0.1
    assert "proportions" not in before
    found = after["shares-restored"]
    assert found.severity == "question"
    assert "right if the target's proportions are the source's, and wrong if they differ" in found.sentence
    assert "acclimate audit" in found.advice


def test_statistics_of_the_target_are_advised_with_what_they_would_do() -> None:
    """Where they would bring the answers' shares back to the source's, it is said that this may be wrong."""
    before, _, _ = adapted("adabn", shifted_blobs(400, shift=4.0))
    advice = before["foreign-statistics"].advice
    assert advice.startswith("If the target's class proportions are the source's, try adabn")
    assert "right if the proportions are equal, and harm if not" in advice


# By arithmetic


def logits(answers: np.ndarray, k: int, sure: float = 3.0) -> np.ndarray:
    return sure * np.eye(k)[answers]


def test_shares_that_fell() -> None:
    """13 % at home, and of 500 answers 15: less than 0.3 of what was to be expected. 20 are not."""
    labels, at_home = np.array([870, 130]), np.repeat([0, 1], [87, 13])
    for n, spoken in ((15, True), (20, False)):
        abroad = np.repeat([0, 1], [500 - n, n])
        seen = mix(labels, logits(at_home, 2), at_home, logits(abroad, 2))
        found = fallen(9, seen, ("ham", "spam"))
        assert (found is not None) == spoken
    seen = mix(labels, logits(at_home, 2), at_home, logits(np.repeat([0, 1], [485, 15]), 2))
    found = fallen(9, seen, ("ham", "spam"))
    assert found is not None
    assert (
        "the share of “spam” fell from 13.0 % of the source to 3.0 %: either the target has so few" in found.sentence
    )
    assert "weights=balanced" in found.advice
    # Of 100 answers 13 were to be expected: too few to say.
    assert fallen(9, mix(labels, logits(at_home, 2), at_home, logits(np.repeat(0, 100), 2)), ("ham", "spam")) is None


def test_shares_restored_by_hand() -> None:
    labels = np.array([0.5, 0.5])
    before, alike = np.repeat([0, 1], [80, 20]), np.repeat([0, 1], [50, 50])
    open_, told = (restored(1, labels, alike, Baseline(before, differ), ("a", "b")) for differ in (False, True))
    assert open_ is not None
    assert told is not None
    assert (open_.severity, told.severity) == ("question", "warning")
    assert "changed 30.0 % of the answers" in open_.sentence
    assert "“a” went from 80.0 % to 50.0 % (50.0 % of the source)" in open_.sentence
    assert restored(1, labels, before, Baseline(before), ("a", "b")) is None, "nothing was changed"
    assert restored(1, labels, before, Baseline(alike), ("a", "b")) is None, "shares were like the source's before"
    assert restored(1, labels, np.repeat([1, 0], [80, 20]), Baseline(before), ("a", "b")) is None, (
        "no nearer than before"
    )


def look(right: list[int], answers: list[int], expected: list[int]) -> Probed:
    return Probed(np.array(expected), np.array(right), np.array(answers))


def test_not_learnt_is_told_from_confused() -> None:
    """The same answers on the target; on the source found, or not found either."""
    confused = collapsed(1, look([70, 70, 70], [200, 3, 3], [80, 80, 80]), "abc")
    assert confused is not None
    assert confused.kind == "class-collapse"
    assert "Either the target has such proportions, or classes are taken for each other there." in confused.sentence
    assert "do harm where they differ" in confused.advice
    unlearnt = collapsed(1, look([80, 2, 3], [200, 3, 3], [80, 80, 80]), "abc")
    assert unlearnt is not None
    assert unlearnt.kind == "not-learnt"
    assert "35.4 % of a class are found on average, where guessing finds 33.3 %" in unlearnt.sentence
    assert "train longer" in unlearnt.advice
    assert "weights=balanced" not in unlearnt.advice
    uneven = collapsed(1, look([200, 2], [256, 0], [200, 20]), "ab")
    assert uneven is not None
    assert "let every class count alike (weights=balanced), train longer" in uneven.advice


def test_a_training_on_classes_of_several_sizes_that_is_well_is_silent() -> None:
    found, _, right = train("source-only", other_proportions((0.5, 0.3, 0.2), (0.5, 0.3, 0.2)))
    assert right > 0.8
    assert not found


# Texts


def messages(n: int, *, words: tuple[int, int], tell: float, spam: float, seed: int) -> Domain:
    """Messages of so many words, some of them spam, each of whose words is one that tells with probability `tell`."""
    rng = np.random.default_rng(seed)
    plain = [f"word{i}" for i in range(200)]
    shouting = ["free", "prize", "winner", "urgent", "cash", "claim", "offer", "call"]

    def write(label: int) -> str:
        length = int(rng.integers(*words))
        return " ".join(rng.choice(shouting if label and rng.random() < tell else plain) for _ in range(length))

    labels = rng.permutation((np.arange(n) < spam * n).astype(np.int64))
    return Domain(from_texts(write(int(y)) for y in labels), labels, ("ham", "spam"), "messages")


@pytest.mark.parametrize("name", ["tfidf", "ngram-memory"])
def test_spam_that_is_hardly_found_in_longer_texts_is_told(name: str) -> None:
    """In short messages every other word of spam shouts; in long ones one in five hundred: hardly any is found."""
    source = messages(600, words=(4, 10), tell=0.5, spam=0.15, seed=0)
    held_out = messages(200, words=(4, 10), tell=0.5, spam=0.15, seed=1)
    task = Task(source, messages(400, words=(60, 90), tell=0.002, spam=0.15, seed=2), source_test=held_out)
    found, answers, right = train(name, task)
    spam = task.hidden.target == 1
    assert (answers[spam] == 1).mean() < 0.2
    assert right > 0.8, "accuracy hides it"
    told = found.get("class-shares") or found["class-collapse"]
    assert "“spam”" in told.sentence
    assert "either the target has so few" in told.sentence or "Either the target has such" in told.sentence
    assert "acclimate audit" in told.advice


@pytest.mark.parametrize("name", ["tfidf", "ngram-memory"])
def test_spam_that_is_found_is_no_reason_to_warn(name: str) -> None:
    source = messages(600, words=(4, 10), tell=0.5, spam=0.15, seed=0)
    held_out = messages(200, words=(4, 10), tell=0.5, spam=0.15, seed=1)
    task = Task(source, messages(400, words=(12, 20), tell=0.5, spam=0.15, seed=2), source_test=held_out)
    found, answers, _ = train(name, task)
    assert (answers[task.hidden.target == 1] == 1).mean() > 0.9
    assert not found
