from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

from acclimate.data import cache, word2vec
from acclimate.data.cache import cache_folder
from acclimate.data.word2vec import train_word_vectors
from acclimate.data.word_vectors import WordVectors
from acclimate.errors import MissingExtraError

pytest.importorskip("gensim")

# Two words of one group stand in the same contexts, which no other group has.
GROUPS = [("good", "great", "fine"), ("bad", "poor", "awful"), ("book", "novel"), ("oven", "kettle")]
CONTEXTS = ["praise smile star", "return refund break", "read page author", "kitchen heat water"]


def corpus(documents: int = 1500) -> list[list[str]]:
    rng = Random(0)
    made = []
    for _ in range(documents):
        group, around = rng.choice(list(zip(GROUPS, map(str.split, CONTEXTS), strict=True)))
        made.append([rng.choice([*group, *around]) if i % 2 else rng.choice(around) for i in range(12)])
        made[-1][5] = rng.choice(group)
    return made


def never(*_: object) -> object:
    raise AssertionError("trained again")


def same(one: WordVectors, other: WordVectors) -> bool:
    return one.words == other.words and one.matrix.tobytes() == other.matrix.tobytes()


def test_words_in_the_same_contexts_get_close_vectors() -> None:
    vectors = train_word_vectors(corpus(), width=30)
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    words = [word for group in GROUPS for word in group]
    close = {a: {b: unit[vectors.words.index(a)] @ unit[vectors.words.index(b)] for b in words} for a in words}
    for group in GROUPS:
        for word in group:
            nearest = sorted(words, key=close[word].__getitem__, reverse=True)[: len(group)]
            assert set(nearest) == set(group)


def test_words_come_in_order_of_frequency_and_single_ones_get_none() -> None:
    vectors = train_word_vectors([["a", "a", "b", "a"], ["b", "once", "a"]], width=4)
    assert vectors.words == ("a", "b")
    assert vectors.matrix.shape == (2, 4)
    assert vectors.matrix.dtype == np.float32
    assert vectors.notes == ()


@pytest.mark.parametrize("documents", [[], [[]], [["once", "upon"]]])
def test_without_a_repeated_word_there_are_no_vectors(documents: list[list[str]]) -> None:
    for _ in range(2):  # made, and found
        vectors = train_word_vectors(documents, width=4)
        assert vectors.words == ()
        assert vectors.matrix.shape == (0, 4)


def test_the_end_of_a_very_long_document_counts() -> None:
    """gensim reads 10,000 words of a document and drops the others without a word."""
    start, end = ["a", "b"] * 5_000, ["c", "d"] * 3_000
    assert same(train_word_vectors([start + end], width=2), train_word_vectors([start, end], width=2))


SCRIPT = """
import hashlib
from acclimate.data.word2vec import train_word_vectors
documents = [[f"w{(i * j) % 97}" for i in range(60)] for j in range(300)]
vectors = train_word_vectors(documents, width=20, seed=3)
print(hashlib.sha256(" ".join(vectors.words).encode() + vectors.matrix.tobytes()).hexdigest())
"""


def test_processes_with_other_hashes_of_strings_train_the_same_bits(tmp_path: Path) -> None:
    def trained(hash_seed: str) -> str:
        around = os.environ | {"PYTHONHASHSEED": hash_seed, cache.VARIABLE: str(tmp_path / hash_seed)}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=around, capture_output=True, text=True, check=True)
        assert done.stderr == ""  # gensim's advice stays away
        return done.stdout.strip()

    one, other = trained("1"), trained("4242")
    assert len(one) == 64
    assert one == other
    documents = [[f"w{(i * j) % 97}" for i in range(60)] for j in range(300)]
    here = train_word_vectors(documents, width=20, seed=3)
    assert hashlib.sha256(" ".join(here.words).encode() + here.matrix.tobytes()).hexdigest() == one


def test_what_was_trained_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = train_word_vectors(corpus(50), width=8)
    monkeypatch.setattr(word2vec, "_train", never)
    found = train_word_vectors(corpus(50), width=8)
    assert same(made, found)
    assert len(list(cache_folder().iterdir())) == 2


@pytest.mark.parametrize("change", ["width", "seed", "words", "cuts", "settings", "gensim"])
def test_anything_that_decides_the_vectors_makes_another_entry(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import gensim

    documents = [["a", "b", "a", "b"], ["a", "b"]]
    train_word_vectors(documents, width=8)
    monkeypatch.setattr(word2vec, "_train", never)
    train_word_vectors(documents, width=8)
    if change == "settings":
        monkeypatch.setitem(word2vec._SETTINGS, "window", 7)
    if change == "gensim":
        monkeypatch.setattr(gensim, "__version__", "0")
    if change == "words":
        documents = [["a", "b", "a", "a"], ["a", "b"]]
    if change == "cuts":
        documents = [["a", "b", "a"], ["b", "a", "b"]]
    with pytest.raises(AssertionError, match="trained again"):
        train_word_vectors(documents, width=9 if change == "width" else 8, seed=int(change == "seed"))


@pytest.mark.parametrize("suffix", [".npy", ".json"])
def test_a_damaged_entry_is_trained_again(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = train_word_vectors(corpus(50), width=8)
    matrix = made.matrix.copy()
    (path,) = cache_folder().glob(f"*{suffix}")
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-7])
    again = train_word_vectors(corpus(50), width=8)
    np.testing.assert_array_equal(again.matrix, matrix)
    monkeypatch.setattr(word2vec, "_train", never)
    assert same(train_word_vectors(corpus(50), width=8), again)


def test_without_a_cache_it_trains_once_a_call_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = train_word_vectors(corpus(50), width=8)
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "cache"))
    direct = train_word_vectors(corpus(50), width=8)
    assert same(cached, direct)
    assert "word vectors were trained and will be trained again" in direct.notes[0]
    assert cache.VARIABLE in direct.notes[0]


def test_a_full_disk_costs_no_second_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, block: np.ndarray) -> None:
        raise OSError(28, "No space left on device")

    trainings, train = [], word2vec._train
    monkeypatch.setattr(cache._FileRows, "append", full)
    monkeypatch.setattr(word2vec, "_train", lambda *parts: trainings.append(1) or train(*parts))
    assert "No space left" in train_word_vectors(corpus(50), width=8).notes[0]
    assert len(trainings) == 1


def test_without_gensim_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gensim", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'acclimate\[text\]'"):
        train_word_vectors([["a", "a"]], width=4)
