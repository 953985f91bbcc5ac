"""What memory networks start from: vectors of the texts' own words, of a file, or none."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from acclimate.data.domain import Domain
from acclimate.data.ragged import from_texts
from acclimate.data.task import Task
from acclimate.data.word2vec import train_word_vectors
from acclimate.errors import DataError, RequestError
from acclimate.inputs.word_vectors import SPREAD
from acclimate.methods.sentiment.amn import AMN
from acclimate.problems.fitting import prepare
from acclimate.problems.planning import make_plan
from acclimate.running import requests
from acclimate.running.adaptation import adapt, load
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.plan import Plan

pytest.importorskip("gensim")
QUICK = {"patience": 0, "steps": 2, "batch_size": 4, "evaluations": 1, "word_width": None, "precision": "fp32"}


def reviews(name: str, seed: int, labelled: bool = True) -> Domain:
    rng, words = Random(seed), ["good", "bad", "great", "poor", "book", "oven", "story", "handle"]
    texts = [" ".join(rng.choices(words, k=9)) for _ in range(24)]
    labels = np.arange(24) % 2 if labelled else np.full(24, -1)
    return Domain(from_texts(texts), labels, ("negative", "positive"), name)


SOURCE, TARGET = reviews("books", 0), reviews("kitchen", 1, labelled=False)


def planned(**options: object) -> Plan:
    return make_plan(AMN(), SOURCE, TARGET, options={**QUICK, **options})


def started(plan: Plan) -> tuple[np.ndarray, tuple[str, ...]]:
    """The memory's rows before the first step, and what is told of them."""
    prepared = prepare(plan, SOURCE, TARGET)
    return prepared.nets["features"].words.weight.detach().numpy(), prepared.notes


def random_start(plan: Plan) -> np.ndarray:
    return plan.networks()["features"].words.weight.detach().numpy()


def row(plan: Plan, word: str) -> int:
    return plan.preprocess.words.index(word) + 2


def glove(path: Path, rows: dict[str, list[float]]) -> str:
    path.write_text("".join(f"{word} {' '.join(map(str, numbers))}\n" for word, numbers in rows.items()))
    return str(path)


def test_words_of_the_file_get_their_vectors_and_the_others_keep_their_random_start(tmp_path: Path) -> None:
    path = glove(tmp_path / "v.txt", {"Good": [1, 2, 3], "oven": [4, 5, 6], "absent": [7, 8, 9]})
    plan = planned(word_vectors=path)
    memory, notes = started(plan)
    expected = random_start(plan)
    expected[row(plan, "good")], expected[row(plan, "oven")] = [1, 2, 3], [4, 5, 6]
    np.testing.assert_array_equal(memory, expected)
    assert memory.shape == (10, 3)
    assert not memory[0].any()
    assert notes == (f"2 of 8 words start from a vector from {path}, the others at random.",)


def test_the_random_start_is_the_seeds_whatever_the_vectors(tmp_path: Path) -> None:
    path = glove(tmp_path / "v.txt", {"good": [1, 2, 3]})
    plan, bare = planned(word_vectors=path, seed=7), planned(word_vectors="random", word_width=3, seed=7)
    torch.manual_seed(99)  # what was drawn before does not count
    (memory, _), (alone, notes) = started(plan), started(bare)
    others = np.arange(10) != row(plan, "good")
    np.testing.assert_array_equal(memory[others], alone[others])
    assert notes == ()
    assert not np.array_equal(alone, started(planned(word_vectors="random", word_width=3, seed=8))[0])


def test_own_vectors_are_trained_on_both_sides_with_the_runs_seed() -> None:
    plan = planned(seed=3, word_width=6)
    memory, notes = started(plan)
    documents = [plan.preprocess.read(row.tobytes().decode()) for side in (SOURCE, TARGET) for row in side.rows]
    vectors = train_word_vectors(documents, 6, seed=3)
    assert len(vectors.words) == 8
    given = np.stack([memory[row(plan, word)] for word in vectors.words])
    factors = given / vectors.matrix
    np.testing.assert_allclose(factors, factors[0, 0], rtol=1e-6)
    assert np.sqrt((given**2).mean()) == pytest.approx(SPREAD)
    assert notes == ("8 of 8 words start from a vector trained on the texts of both sides.",)


def test_words_that_stand_behind_the_limit_only_start_at_random() -> None:
    """They are in the vocabulary, but the words that are read occur once each."""
    sides = [
        Domain(from_texts([f"{a} good" for a in first]), np.arange(4) % 2, ("a", "b"), first)
        for first in ("abcd", "efgh")
    ]
    plan = make_plan(AMN(), *sides, options={**QUICK, "words": 1, "word_width": 6})
    prepared = prepare(plan, *sides)
    np.testing.assert_array_equal(prepared.nets["features"].words.weight.detach(), random_start(plan))
    assert prepared.notes[0].startswith("0 of 1 words start from a vector")


def test_the_network_takes_the_width_of_the_file(tmp_path: Path) -> None:
    plan = planned(word_vectors=glove(tmp_path / "v.txt", {"good": [1, 2, 3, 4]}))
    assert plan.options.word_width == plan.architecture.width == 4
    assert planned().options.word_width == 300


def test_a_width_that_is_not_the_files_is_refused(tmp_path: Path) -> None:
    plan = planned(word_vectors=glove(tmp_path / "v.txt", {"good": [1, 2, 3, 4]}), word_width=5)
    with pytest.raises(DataError, match=r"must have 5 numbers.*got 4 numbers.*word_width=4"):
        started(plan)


def test_a_file_without_any_word_of_the_texts_is_refused(tmp_path: Path) -> None:
    plan = planned(word_vectors=glove(tmp_path / "v.txt", {"gut": [1, 2], "schlecht": [3, 4]}))
    with pytest.raises(DataError, match=r"must have a vector for some of the 8 words of the texts; got none\. Give"):
        started(plan)


def test_a_missing_file_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="^word_vectors must be .*no such file"):
        planned(word_vectors=str(tmp_path / "absent.txt"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    test = reviews("kitchen test", 2)
    task = Task(SOURCE, TARGET, target_test=test, name="amazon:books-kitchen")
    monkeypatch.setattr(requests, "load_task", lambda name, seed: task)
    path = glove(tmp_path / "v.txt", {"good": [1, 2, 3], "bad": [-1, -2, -3]})
    request = Request(task="amazon:books-kitchen", method="amn", training={**QUICK, "word_vectors": path})
    return adapt(request, tmp_path / "run")


def test_the_record_says_how_many_words_have_a_vector(run: Run) -> None:
    assert any(note.startswith("2 of 8 words start from a vector from ") for note in run.config["task"]["notes"])
    assert run.config["training"]["word_width"] == 3


def test_a_finished_run_needs_the_file_no_more(run: Run, tmp_path: Path) -> None:
    (tmp_path / "v.txt").unlink()
    fitted = load(run.folder)
    assert fitted.nets["features"].words.weight.shape == (10, 3)
    assert fitted.outputs(reviews("new", 5)).logits.shape == (24, 2)
