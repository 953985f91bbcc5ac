"""The n-gram memory against scikit-learn on the same strings, and what it is not allowed to learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from acclimate.data.domain import Domain, Task
from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import two_vocabularies
from acclimate.data.words import words
from acclimate.methods.sentiment.ngram_memory import NGramMemory
from acclimate.training.session import fit, make_plan
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
        target_test=replace(written(task.target_test), labels=task.answers.target_test),
    )


@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_equals_scikit_learn_on_the_same_strings(alpha: float) -> None:
    task = sentences(two_vocabularies(120))
    ours = fitted(NGramMemory(opening=alpha, vectors=0.0), task)
    texts = {
        role: [words(t, ".!?") for t in to_texts(getattr(task, role).rows)]
        for role in ("source", "target", "target_test")
    }
    known = {
        w
        for w in {w for t in texts["source"] + texts["target"] for w in t}
        if sum(t.count(w) for t in texts["source"] + texts["target"]) >= 2
    }

    def grams(text: list[str], longest: int) -> list[str]:
        runs = [text[i : i + n] for n in range(1, longest + 1) for i in range(len(text) - n + 1)]
        return [" ".join(run) for run in runs if all(word in known for word in run)]

    def first(text: list[str]) -> list[str]:
        return text[: text.index(".")] if "." in text else text[:30]

    y = task.source.labels == 1
    blocks = {"source": [], "target_test": []}
    for analyser, scale in ((lambda t: grams(t, 3), 1.0), (lambda t: grams(first(t), 2), alpha)):
        vectorizer = CountVectorizer(analyzer=analyser, min_df=2, binary=True).fit(texts["source"] + texts["target"])
        has = {role: vectorizer.transform(texts[role]).astype(float) for role in blocks}
        p, q = (1 + np.asarray(has["source"][rows].sum(axis=0)).ravel() for rows in (y, ~y))
        r = np.log(p / p.sum()) - np.log(q / q.sum())
        for role, x in has.items():
            blocks[role].append(scale * normalize(csr_array(x.multiply(r))))
    model = LogisticRegression(C=10.0, max_iter=1000).fit(hstack(blocks["source"], format="csr"), y)
    theirs = model.decision_function(hstack(blocks["target_test"], format="csr"))
    logits = ours.outputs(task.target_test).logits
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], 2 * theirs, atol=2e-3)


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
    hidden = Task(task.source, replace(task.target, labels=1 - task.answers.target, classes=task.classes))
    assert same_weights(fitted(NGramMemory(), task), fitted(NGramMemory(), hidden))
    granted = task.with_label_budget(20)
    assert not same_weights(fitted(NGramMemory(), task), fitted(NGramMemory(), granted))
