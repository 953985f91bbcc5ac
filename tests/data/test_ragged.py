"""Rows of different length, against Python lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data import storage
from acclimate.data.domain import Domain
from acclimate.data.ragged import Ragged, from_texts, to_texts
from acclimate.errors import DataError

ROWS = [[3, 1, 2], [], [7], [], [9, 9, 9, 9], []]


def ragged(rows: list[list[int]], dtype: type[np.generic] = np.int32) -> Ragged:
    return Ragged.of([np.array(row, dtype=dtype) for row in rows], dtype)


def lists(rows: Ragged) -> list[list[int]]:
    return [row.tolist() for row in rows]


@pytest.mark.parametrize("rows", [ROWS, [], [[]], [[], [], []], [[1]]])
def test_it_has_the_rows_it_was_made_of(rows: list[list[int]]) -> None:
    made = ragged(rows)
    assert lists(made) == rows
    assert (len(made), made.shape, made.ndim) == (len(rows), (len(rows),), 1)
    assert made.lengths.tolist() == [len(row) for row in rows]
    assert made.dtype == np.int32
    assert [made[i].tolist() for i in range(len(rows))] == rows
    assert [made[-1 - i].tolist() for i in range(len(rows))] == rows[::-1]


@pytest.mark.parametrize(
    "index",
    [
        np.array([4, 0, 0, 1]),
        np.array([-1, -2]),
        np.array([], dtype=np.int64),
        np.array([True, False, True, False, False, True]),
        np.zeros(6, dtype=bool),
        slice(1, 5),
        slice(None, None, -2),
        slice(3, 3),
    ],
)
def test_rows_are_gathered_as_a_loop_would(index: np.ndarray | slice) -> None:
    expected = [ROWS[i] for i in np.arange(len(ROWS))[index]]
    found = ragged(ROWS)[index]
    assert isinstance(found, Ragged)
    assert lists(found) == expected


@given(st.lists(st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=6), max_size=12))
def test_the_values_kept_are_those_that_a_loop_would_keep(rows: list[list[tuple[int, bool]]]) -> None:
    keep = np.array([kept for row in rows for _, kept in row], dtype=bool)
    found = ragged([[value for value, _ in row] for row in rows]).keeping(keep)
    assert lists(found) == [[value for value, kept in row if kept] for row in rows]
    assert found.dtype == np.int32


@given(st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=12), st.data())
def test_any_rows_are_gathered_and_padded_as_a_loop_would(rows: list[list[int]], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1), max_size=8) if rows else st.just([]))
    found = ragged(rows)[np.array(places, dtype=np.int64)]
    assert lists(found) == [rows[i] for i in places]
    longest = data.draw(st.integers(1, 7))
    cut = [rows[i][:longest] for i in places]
    width = max([1, *map(len, cut)])
    padded = found.padded(longest)
    assert padded.dtype == np.int64
    assert padded.tolist() == [row + [0] * (width - len(row)) for row in cut]


def test_it_reads_from_a_memory_map(tmp_path: Path) -> None:
    made = ragged(ROWS)
    np.save(tmp_path / "values.npy", made.values)
    mapped = Ragged(np.load(tmp_path / "values.npy", mmap_mode="r"), made.offsets)
    assert isinstance(mapped.values, np.memmap)
    assert lists(mapped[np.array([4, 1, 0])]) == [ROWS[4], ROWS[1], ROWS[0]]
    assert mapped.padded(2).tolist() == ragged(ROWS).padded(2).tolist()


@pytest.mark.parametrize(
    "offsets", [[0, 2], [1, 3], [0, 2, 1, 3], [[0, 3]], [0.0, 3.0], [], [0, 4]], ids=lambda offsets: str(offsets)
)
def test_offsets_that_cut_no_rows_are_refused(offsets: list[object]) -> None:
    with pytest.raises(ValueError, match="offsets must rise from 0 to 3"):
        Ragged(np.arange(3), np.array(offsets))


@given(st.lists(st.text()))
def test_every_text_survives(texts: list[str]) -> None:
    assert list(to_texts(from_texts(texts))) == texts


@given(st.lists(st.text(st.characters(exclude_categories=()))))
def test_halves_of_characters_become_question_marks_and_nothing_else_changes(texts: list[str]) -> None:
    expected = ["".join("?" if "\ud800" <= c <= "\udfff" else c for c in text) for text in texts]
    assert list(to_texts(from_texts(texts))) == expected


AWKWARD = ["", "a\0b", "😀 ünï", "<b>x</b>", "汉字", " ", "\n", "x" * 1000, ""]


def test_a_domain_of_texts_takes_rows_by_index_and_mask() -> None:
    labels = np.arange(len(AWKWARD)) % 2
    domain = Domain(AWKWARD, labels, ("a", "b"), ids=tuple(map(str, range(len(AWKWARD)))))
    assert domain.kind == "text"
    assert domain.in_words == "9 texts, 9 labelled"
    for index in (np.array([3, 0]), labels == 1, slice(2, 4)):
        places = np.arange(len(AWKWARD))[index]
        taken = domain.take(index)
        assert list(to_texts(taken.rows)) == [AWKWARD[i] for i in places]
        assert taken.labels.tolist() == labels[places].tolist()
        assert taken.ids == tuple(map(str, places))


def test_where_rows_end_counts_in_the_hash() -> None:
    hashes = {Domain(texts).content_hash for texts in (["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"])}
    assert len(hashes) == 5
    assert Domain(["ab", "c"]).content_hash == Domain(("ab", "c")).content_hash


def test_texts_are_stored_and_opened_as_a_memory_map(tmp_path: Path) -> None:
    domain = Domain(AWKWARD, np.arange(len(AWKWARD)) % 2, ("a", "b"), "texts", tuple(AWKWARD), ("A note.",))
    stored = storage.store(domain, tmp_path / "texts", "a test")
    assert isinstance(stored.rows.values, np.memmap)
    assert list(to_texts(stored.rows)) == AWKWARD
    assert stored.content_hash == domain.content_hash == storage.about(tmp_path / "texts")["content_hash"]
    assert (stored.ids, stored.notes, stored.classes) == (domain.ids, domain.notes, domain.classes)
    with pytest.raises(ValueError, match="read-only"):
        stored.rows.values[0] = 0


def test_texts_without_a_letter_are_stored_too(tmp_path: Path) -> None:
    stored = storage.store(Domain(["", ""]), tmp_path / "texts", "a test")
    assert list(to_texts(stored.rows)) == ["", ""]


def test_stored_texts_whose_rows_do_not_fit_are_damaged(tmp_path: Path) -> None:
    storage.store(Domain(["ab", "c"]), tmp_path / "texts", "a test")
    np.save(tmp_path / "texts" / "offsets.npy", np.array([0, 2, 99]))
    with pytest.raises(DataError, match="must hold a whole stored domain; got a damaged one"):
        storage.load(tmp_path / "texts")


def test_a_list_of_something_else_is_refused_by_its_place() -> None:
    with pytest.raises(DataError, match="domain.inputs must be texts throughout; got None in place 1"):
        Domain(["a", None])  # type: ignore[list-item]
    with pytest.raises(DataError, match="must be an array of images"):
        Domain([1, 2])  # type: ignore[arg-type]
