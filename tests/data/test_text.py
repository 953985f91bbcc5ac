"""From texts to numbers of words, decided on the training texts and replayed afterwards."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.data.domain import Domain
from acclimate.data.preprocess import read_preprocess
from acclimate.data.ragged import Ragged
from acclimate.data.text import PADDING, UNKNOWN, TextPreprocess
from acclimate.errors import DataError

SOURCE = Domain(["Good book, good!", "bad book", ""], [0, 1, 0], ("a", "b"), "source")
TARGET = Domain(["good pan", "a bad, bad pan!", "zebra"], name="target")


def numbers(domain: Domain) -> list[list[int]]:
    return [row.tolist() for row in domain.rows]


def test_the_vocabulary_has_the_words_of_both_training_sides_that_occur_twice() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET])
    assert made.words == ("!", "bad", "good", "book", "pan")
    assert made.channels == 7
    assert TextPreprocess.of_texts([SOURCE, TARGET], most=2).words == ("bad", "good")
    assert "zebra" in TextPreprocess.of_texts([SOURCE, TARGET], least=1).words


def test_signs_come_first_and_the_full_stop_is_always_there() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET], signs=".!?")
    assert made.words[:3] == (".", "!", "bad")  # no text has a question mark
    assert made.fit(Domain(["bad. 3.5 mm? bad!"])).rows[0].tolist() == [4, 2, UNKNOWN, UNKNOWN, 4, 3]


def test_no_word_comes_from_elsewhere() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET])
    assert "secret" not in made.words
    assert numbers(made.fit(Domain(["secret secret good"]))) == [[UNKNOWN, UNKNOWN, made.words.index("good") + 2]]


def test_words_become_numbers_and_only_the_first_are_read() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET], limit=3)
    place = {word: i for i, word in enumerate(made.words, start=2)}
    stored = made.fit(SOURCE)
    assert numbers(stored) == [[place["good"], place["book"], place["good"]], [place["bad"], place["book"]], []]
    assert stored.rows.dtype == np.int32
    assert (stored.labels.tolist(), stored.ids, stored.kind) == ([0, 1, 0], (), "text")
    assert made.fit(stored) is stored
    assert made.read("Good zebra book good") == ["good", "zebra", "book"]


def test_batches_are_filled_up_to_the_longest_of_them() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET])
    rows = made.fit(SOURCE).rows
    batch = made.batch(rows, None)
    assert batch.shape == (3, 4)
    assert batch.dtype == torch.int64
    assert (batch != PADDING).sum(dim=1).tolist() == [4, 2, 0]
    assert made.batch(rows[np.array([2])], None).tolist() == [[0]]
    assert made.batch(rows[np.array([], dtype=np.int64)], None).shape == (0, 1)
    for index in ([0], [1], [2, 0]):
        alone = made.batch(rows[np.array(index)], None)
        assert torch.equal(alone, batch[index][:, : alone.shape[1]])


def test_words_are_left_out_of_training_texts_only_and_the_rest_keeps_its_order() -> None:
    made = TextPreprocess(vocabulary=" ".join(f"w{i}" for i in range(1000)), dropout=0.3, limit=1000)
    rows = Ragged.of([np.arange(2, 1002), np.arange(2, 502), np.empty(0)], np.int32)
    whole = made.batch(rows, None)
    assert torch.equal(whole, made.model_copy(update={"dropout": 0.0}).batch(rows, None))
    assert torch.equal(whole, made.model_copy(update={"dropout": 0.0}).batch(rows, torch.Generator()))
    generator = torch.Generator().manual_seed(0)
    first, second = made.batch(rows, generator), made.batch(rows, generator)
    assert torch.equal(first, made.batch(rows, torch.Generator().manual_seed(0)))
    assert not torch.equal(first[:, :300], second[:, :300])
    for batch in (first, second):
        left = [row[row != PADDING] for row in batch]
        assert [batch.shape[1], 0] == [max(map(len, left)), len(left[2])]
        assert 0.65 < len(left[0]) / 1000 < 0.75
        assert 0.63 < len(left[1]) / 500 < 0.77
        for row, kept in zip(batch, left, strict=True):
            assert row[: len(kept)].tolist() == sorted(set(kept.tolist()))  # in order, closed up, none twice


def test_a_run_from_before_words_were_left_out_is_read() -> None:
    stored = TextPreprocess.of_texts([SOURCE]).model_dump()
    del stored["dropout"]
    assert read_preprocess(stored) == TextPreprocess.of_texts([SOURCE])


def test_a_text_of_any_length_takes_the_words_that_are_read() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET], limit=500)
    (row,) = made.fit(Domain(["good " * 100_000])).rows
    assert row.tolist() == [made.words.index("good") + 2] * 500


def test_it_is_told_how_many_texts_are_cut() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET], limit=4)
    assert made.notes(SOURCE) == []
    texts = ["a b c d", "a b c d e", "!!!!!", "\ufdfa\ufdfa", "1 2 3 4 5", "", "<b>a</b> b", "x" * 99]
    domain = Domain(texts, name="mine")
    long = sum(len(made.model_copy(update={"limit": 99}).read(text)) > 4 for text in texts)
    assert long == 3  # the Arabic formula is one character of three bytes and four words
    assert made.notes(SOURCE, domain) == ["Of long texts the first 4 words are read: 3 of mine."]
    assert made.notes(made.fit(domain)) == []
    assert made.notes(Domain(np.zeros((2, 2), np.float32))) == []


def test_it_survives_its_record() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET], limit=7)
    again = read_preprocess(made.model_dump(mode="json"))
    assert again == made
    assert numbers(again.fit(TARGET)) == numbers(made.fit(TARGET))


def test_texts_without_words_are_refused() -> None:
    with pytest.raises(DataError, match="a and b must have words that occur 2 times or more; got none"):
        TextPreprocess.of_texts([Domain(["one", "1 1 1"], name="a"), Domain(["", "two"], name="b")])


def test_other_kinds_are_refused() -> None:
    made = TextPreprocess.of_texts([SOURCE, TARGET])
    with pytest.raises(DataError, match="mine must hold texts, as in training; got features"):
        made.fit(Domain(np.zeros((2, 2), np.float32), name="mine"))
    assert isinstance(SOURCE.rows, Ragged)
