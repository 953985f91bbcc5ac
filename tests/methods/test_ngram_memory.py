"""The n-gram memory against scikit-learn on the same strings, and what it is not allowed to learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import two_vocabularies
from acclimate.data.task import Task
from acclimate.data.words import words
from acclimate.methods.sentiment.ngram_memory import NGramMemory
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from worlds import same_weights, target_accuracy


def fitted(method: NGramMemory, task: Task):
    return fit(make_plan(method, task.source, task.target), task.source, task.target)


def sentences(task: Task) -> Task:
    """The task with a full stop after the third word of every text, and some more signs."""

    def written(domain: Domain) -> Domain:
        cut = [text.split() for text in to_texts(domain.rows)]
        return replace(domain, inputs=[" ".join(t[:3]) + ". " + " ".join(t[3:]) + "!" for t in cut])  # type: ignore[arg-type]

    return Task(
        written(task.source),
        written(task.target),
        target_test=replace(written(task.target_test), labels=task.hidden.target_test),
    )


def log_ratio(has: csr_array, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    p, q = (1 + np.asarray(has[rows].multiply(w[rows, None]).sum(axis=0)).ravel() for rows in (y, ~y))
    return np.log(p / p.sum()) - np.log(q / q.sum())


def by_how_sure(p: np.ndarray, positive_share: float) -> np.ndarray:
    """Weights of own answers whose probability of the second class is p, its share held."""
    sure = [abs(2 * x - 1) for x in p]
    sums = {answer: sum(s for s, x in zip(sure, p, strict=True) if (x > 0.5) == answer) for answer in (False, True)}
    shares = {False: 1 - positive_share, True: positive_share}
    scale = {answer: shares[answer] * sum(sums.values()) / sums[answer] for answer in sums}
    return np.array([s * scale[bool(x > 0.5)] for s, x in zip(sure, p, strict=True)])


@pytest.mark.parametrize(("alpha", "begun", "rounds"), [(0.0, 0.0, 0), (0.7, 0.0, 0), (0.7, 1.0, 0), (0.7, 1.0, 2)])
def test_equals_scikit_learn_on_the_same_strings(alpha: float, begun: float, rounds: int) -> None:
    task = sentences(two_vocabularies(120))
    # As many labels of one class as of the other would hold no share.
    task = replace(
        task, source=task.source.take(np.flatnonzero((task.source.labels == 1) | (np.arange(120) % 3 > 0)))
    )
    method = NGramMemory(opening=alpha, beginnings=begun, vectors=0.0, self_training=rounds)
    ours = fitted(method, task)
    roles = ("source", "target", "target_test")
    texts = {role: [words(t, ".!?") for t in to_texts(getattr(task, role).rows)] for role in roles}
    training = texts["source"] + texts["target"]
    times = Counter(word for text in training for word in text)

    def grams(text: list[str], longest: int, letters: int = 99) -> list[str]:
        runs = [text[i : i + n] for n in range(1, longest + 1) for i in range(len(text) - n + 1)]
        return [" ".join(w[:letters] for w in run) for run in runs if all(times[w] >= 2 for w in run)]

    def first(text: list[str]) -> list[str]:
        return text[: text.index(".")] if "." in text else text[:30]

    def blocks() -> Iterator[tuple[csr_array, csr_array, float]]:
        analysers = (lambda t: grams(t, 3), lambda t: grams(first(t), 2), lambda t: grams(t, 3, 4))
        for analyser, scale in zip(analysers, (1.0, alpha, begun), strict=True):
            vectorizer = CountVectorizer(analyzer=analyser, min_df=2, binary=True).fit(training)
            seen, scored = (
                csr_array(vectorizer.transform(t).astype(float)) for t in (training, texts["target_test"])
            )
            yield seen, scored, scale

    given = task.source.labels == 1
    y, w = given, np.ones(len(given))
    for _ in range(rounds + 1):
        rows = np.arange(len(y))
        ratios = [(seen, scored, scale * 1.0, log_ratio(seen[rows], y, w)) for seen, scored, scale in blocks()]
        inside = hstack(
            [scale * normalize(csr_array(seen.multiply(r))) for seen, _, scale, r in ratios], format="csr"
        )
        outside = hstack([scale * normalize(csr_array(x.multiply(r))) for _, x, scale, r in ratios], format="csr")
        model = LogisticRegression(C=10.0, max_iter=1000).fit(inside[rows], y, sample_weight=w)
        p = model.predict_proba(inside[len(given) :])[:, 1]
        y = np.concatenate([given, p > 0.5])
        w = np.concatenate([np.ones(len(given)), by_how_sure(p, given.mean())])
    logits = ours.outputs(task.target_test).logits
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], model.decision_function(outside), atol=2e-3)


def test_learns_and_says_why() -> None:
    task = two_vocabularies(400)
    ours = fitted(NGramMemory(), task)
    source = ours.outputs(task.source_test).logits.argmax(axis=1)
    assert (source == task.source_test.labels).mean() > 0.95
    assert target_accuracy(ours, task) > 0.6
    found = ours.explain(Domain(["excellent knife", "worst knife"]))
    assert found is not None
    assert found.contributions[0][0, 1] > 0 > found.contributions[1][0, 1]


def test_three_classes_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    kinds = (["red", "scarlet"], ["green", "olive"], ["blue", "navy"])
    labels = np.arange(90) % 3
    texts = [" ".join([rng.choice(kinds[y]), *rng.choice(["a", "thing", "of", "colour"], 3)]) for y in labels]
    task = Task(
        Domain(texts, labels, ("r", "g", "b")),
        Domain(texts[::-1]),
        target_test=Domain(texts, labels, ("r", "g", "b")),
    )
    ours = fitted(NGramMemory(), task)
    assert target_accuracy(ours, task) == 1
    found, logits = ours.explain(task.target_test), ours.outputs(task.target_test).logits
    empty = ours.outputs(Domain(["", ""])).logits[0]
    added = np.array([row.sum(axis=0) for row in found.contributions])
    np.testing.assert_allclose(added + empty, logits, atol=1e-4)


def test_target_labels_have_no_say_and_granted_ones_do() -> None:
    task = two_vocabularies(120)
    hidden = Task(task.source, replace(task.target, labels=1 - task.hidden.target, classes=task.classes))
    assert same_weights(fitted(NGramMemory(), task), fitted(NGramMemory(), hidden))
    granted = task.with_label_budget(20)
    assert not same_weights(fitted(NGramMemory(), task), fitted(NGramMemory(), granted))
