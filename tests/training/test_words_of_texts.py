"""What a fitted model of texts says about the words, where its weights are set by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from acclimate.data.domain import Domain
from acclimate.data.synthetic import shifted_blobs
from acclimate.data.task import HiddenLabels, Task
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.running.explanations import Read, can_explain, words_of_run, words_of_texts, write_words
from acclimate.runs.words import WordsOfText
from acclimate.training.fitted import Fitted, softmax

FILLER = ("the", "was", "it", "pan", "lid", "knife", "bowl", "cup", "pot", "oven", "spoon", "fork", "plate", "tray")
CLASSES = ("negative", "positive")


def texts_of(n: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Texts of filler with one word that decides, at a random place."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    chosen = [[*rng.choice(FILLER, 25), ("awful", "great")[y]] for y in labels]
    return [" ".join(rng.permutation(row)) for row in chosen], labels


@pytest.fixture(scope="module")
def task() -> Task:
    domains = {name: Domain(*texts_of(40, i), CLASSES, name) for i, name in enumerate(("source", "target", "test"))}
    return Task(domains["source"], domains["target"], target_test=domains["test"])


@pytest.fixture(scope="module")
def fitted(task: Task) -> Fitted:
    """A model that attends to "great" and "awful", nearly to nothing else, and answers by them."""
    plan = make_plan(SourceOnly(), task.source, task.target, options={"device": "cpu", "precision": "fp32"})
    nets = plan.networks()
    memory, classifier = nets["features"], nets["classifier"]
    numbers = {word: number for number, word in enumerate(plan.preprocess.words, start=2)}
    with torch.no_grad():
        memory.words.weight.mul_(0.01)
        for word, sign in (("awful", -1.0), ("great", 1.0)):
            memory.words.weight[numbers[word], :2] = torch.tensor([sign, 1.0])
        memory.attention.weight.copy_(torch.eye(300))
        memory.query.zero_()[1] = 6.0
        classifier.weight.zero_()[:, 0] = torch.tensor([-2.0, 2.0])
        classifier.bias.copy_(torch.tensor([0.3, 0.0]))
    return Fitted(plan, {name: net.eval() for name, net in nets.items()}, torch.device("cpu"))


def found(fitted: Fitted, *texts: str, labels: list[int] | None = None) -> list[WordsOfText]:
    known = None if labels is None else np.array(labels)
    return list(words_of_texts(fitted, Domain(list(texts)), known, fitted.plan.classes))


def test_weights_and_contributions_explain_the_answer(fitted: Fitted) -> None:
    (text,) = found(fitted, "The lid was GREAT!", labels=[0])
    assert text.tokens == ["the", "lid", "was", "great", "!"]
    assert text.known == [True, True, True, True, False]
    assert text.weights[3] > 0.9
    assert sum(text.weights) == pytest.approx(1, abs=1e-4)
    assert text.contributions[3] > 1
    assert (text.predicted, text.label, text.right) == ("positive", "negative", False)
    lead = sum(text.contributions) + text.offset
    assert text.confidence == pytest.approx(1 / (1 + np.exp(-lead)), abs=1e-4)
    assert text.offset == pytest.approx(-0.3, abs=1e-4)  # the bias, which is for the other answer


def test_a_word_against_the_answer_counts_below_zero(fitted: Fitted) -> None:
    (text,) = found(fitted, "great great great awful")
    assert text.predicted == "positive"
    assert [value > 0 for value in text.contributions] == [True, True, True, False]
    assert text.label is None
    assert text.right is None


@pytest.mark.parametrize("empty", ["", "   ", "1234 --- 5", "<p></p>"])
def test_a_text_without_words(fitted: Fitted, empty: str) -> None:
    between = found(fitted, "great", empty, "awful")
    assert between[1].tokens == between[1].weights == between[1].contributions == []
    assert between[1].predicted == "negative"  # the bias alone
    assert between[1].offset == pytest.approx(0.3, abs=1e-4)
    alone = found(fitted, empty)[0]
    assert replace(alone, id="1") == between[1]


def test_a_very_long_text_is_cut_and_says_so(fitted: Fitted) -> None:
    (text,) = found(fitted, "pan " * 100_000)
    assert text.length == 100_000
    assert len(text.tokens) == len(text.weights) == len(text.known) == fitted.plan.preprocess.limit == 500


def test_only_texts_can_be_explained(fitted: Fitted) -> None:
    assert can_explain(fitted, Domain(["a pan"]))
    blobs = shifted_blobs(20)
    plan = make_plan(SourceOnly(), blobs.source, blobs.target, options={"steps": 1, "batch_size": 8})
    other = fit(plan, blobs.source, blobs.target)
    assert not can_explain(other, blobs.target)
    assert words_of_run(other, blobs, "target", np.zeros((20, 3))) is None


def test_a_file_of_many_texts_is_whole_and_in_order(fitted: Fitted, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("acclimate.running.explanations._CHUNK", 7)
    texts, labels = texts_of(30, 5)
    texts[3], texts[4] = "awful <script>alert(1)</script> 🙂", ""
    domain = Domain(texts, ids=[f"r{i}" for i in range(30)])
    p = softmax(fitted.outputs(domain).logits)
    shown = write_words(tmp_path / "w.jsonl", fitted, Read(domain, np.where(labels, 1, -1), p, "target"), CLASSES)
    rows = [json.loads(line) for line in (tmp_path / "w.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == list(domain.ids)
    assert [row["label"] for row in rows] == [CLASSES[1] if y else None for y in labels]
    np.testing.assert_allclose([row["confidence"] for row in rows], p.max(axis=1), atol=1e-6)
    assert rows[3]["tokens"] == ["awful", "🙂"]
    read = [WordsOfText.from_json(row) for row in rows]
    assert [text.as_json() for text in read] == rows
    assert shown
    assert {text.id: text for texts in shown.values() for text in texts}.items() <= {t.id: t for t in read}.items()


def test_texts_without_a_name_are_numbered_through(fitted: Fitted, monkeypatch) -> None:
    monkeypatch.setattr("acclimate.running.explanations._CHUNK", 7)
    assert [text.id for text in found(fitted, *["a great pan"] * 16)] == [str(i) for i in range(16)]


def content_of(fitted: Fitted, task: Task) -> dict:
    return words_of_run(fitted, task, "target_test", fitted.outputs(task.target_test).logits)


def test_the_words_of_a_run_on_a_world_where_one_word_decides(fitted: Fitted, task: Task) -> None:
    content = content_of(fitted, task)
    assert content["classes"] == list(CLASSES)
    for side, name in (("source", "source"), ("target", "test")):
        assert content[side]["pivots"]["words"] == [[["awful", 10]], [["great", 10]]]
        assert content[side]["pivots"]["scored"]
        assert content[side]["name"] == name
        assert set(content[side]["groups"]) == {"right certain", "right uncertain"}
    curve = content["deletion"]
    assert curve["texts"] == 40
    assert curve["attended"]["accuracy"][:2] == [1, 0.5]  # then the bias answers
    assert curve["random"]["accuracy"][1] > 0.9
    assert curve["gap"][1] > curve["gap_ci95"][1]


def test_the_words_of_a_run_are_the_same_twice_and_plain_json(fitted: Fitted, task: Task) -> None:
    one, two = (content_of(fitted, task) for _ in range(2))
    assert json.loads(json.dumps(one, allow_nan=False)) == two


def test_pivots_leave_out_wrong_answers_where_answers_are_known(fitted: Fitted, task: Task) -> None:
    right = task.hidden.target_test
    mistaken = np.where(right == 0, 1, right)  # every text is said to be positive
    found = content_of(fitted, replace(task, hidden=HiddenLabels(target_test=mistaken)))["target"]
    assert found["pivots"]["words"] == [[], [["great", 10]]]
    assert {"wrong certain", "right certain"} <= set(found["groups"])


def test_without_answers_nothing_is_called_right(fitted: Fitted, task: Task) -> None:
    unknown = content_of(fitted, replace(task, hidden=HiddenLabels()))
    assert unknown["target"]["pivots"]["scored"] is False
    assert unknown["target"]["pivots"]["words"] == [[["awful", 10]], [["great", 10]]]
    assert set(unknown["target"]["groups"]) == {"certain", "uncertain"}
    curves = [content["deletion"]["attended"] for content in (unknown, content_of(fitted, task))]
    assert curves[0]["accuracy"] is None
    assert curves[0]["confidence"] == curves[1]["confidence"]  # hidden labels change scores and nothing else
