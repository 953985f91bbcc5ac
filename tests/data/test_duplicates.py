"""Texts that occur more than once: left out where a split would tear them apart, kept where answers are wanted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data.domain import Domain
from acclimate.data.duplicates import tail_key, without_copies, without_endings
from acclimate.data.ragged import to_texts
from acclimate.data.readers import duplicates_between


def texts(*values: str, labels: list[int] | None = None, name: str = "mine") -> Domain:
    ids = tuple(str(i) for i in range(len(values)))
    return Domain(list(values), labels, ("bad", "good"), name, ids)


def test_the_first_of_copies_stays_and_they_are_counted() -> None:
    left = without_copies(texts("a b", "c", "A  b\n", "d", "c ", "c"))
    assert list(to_texts(left.rows)) == ["a b", "c", "d"]
    assert left.ids == ("0", "1", "3")
    assert left.notes == ("mine: 3 of 6 texts were left out: 3 repeat another one.",)


def test_what_stands_elsewhere_goes_altogether() -> None:
    one, two = texts("a", name="one"), texts("B", "x", name="two")
    left = without_copies(texts("a", "b", "c", "c", "b"), [one, two])
    assert left.ids == ("2",)
    assert left.notes == ("mine: 4 of 5 texts were left out: 1 repeat another one and 3 stand in one or two.",)
    assert duplicates_between(one, left) == duplicates_between(two, left) == 0
    assert len(without_copies(texts("a"), [one])) == 0


def test_without_copies_nothing_changes() -> None:
    domain = texts("a", "b")
    assert without_copies(domain) is domain
    assert without_copies(domain, [texts("c")]) is domain
    assert len(without_copies(texts())) == 0


def test_labels_that_contradict_each_other_are_counted_and_the_first_is_kept() -> None:
    left = without_copies(texts("a", "b", "a", "b", "c", labels=[1, 0, 0, 0, 1]))
    assert (left.ids, left.labels.tolist()) == (("0", "1", "4"), [1, 0, 1])
    assert left.notes[1:] == ("mine: texts whose copies have different labels: 1; the first label was kept.",)


def test_of_copies_the_one_with_a_label_is_kept() -> None:
    left = without_copies(texts("a", "b", "a", "b", "a", labels=[-1, -1, 1, -1, 0]))
    assert (left.ids, left.labels.tolist()) == (("1", "2"), [-1, 1])
    assert "different labels: 1;" in left.notes[1]


def test_contradictions_among_texts_that_went_do_not_count() -> None:
    left = without_copies(texts("a", "a", "b", labels=[0, 1, 1]), [texts("a", name="one")])
    assert left.notes == ("mine: 2 of 3 texts were left out: 2 stand in one.",)


TAIL = "the plot is thin and the people in it are thinner still, " * 8


def test_a_review_without_its_title_has_the_same_tail() -> None:
    assert tail_key(f"A waste of paper! {TAIL}") == tail_key(TAIL.upper().replace(",", ";"))
    assert tail_key(TAIL) != tail_key(f"{TAIL} Really")
    assert len(tail_key(TAIL)) == 200
    assert tail_key("Short") == "short"
    leaked = texts(TAIL, "other", name="unlabelled")
    labelled = texts(f"Title. {TAIL}", name="labelled")
    assert len(without_copies(leaked, [labelled])) == 2, "the whole text is another one"
    assert list(to_texts(without_copies(leaked, [labelled], tail_key).rows)) == ["other"]


def test_a_short_review_without_its_title_is_seen_too() -> None:
    body = "Broke after a week. Do not buy it!"
    labelled = texts(f"A waste: {body.upper()}", "Fine " * 100, name="labelled")
    left = without_endings(texts(body, "do not buy it", body + " ever", "It broke", name="unlabelled"), [labelled])
    assert list(to_texts(left.rows)) == ["do not buy it", body + " ever", "It broke"]
    assert left.notes == ("unlabelled: 1 of 4 texts were left out: texts of labelled end with them.",)
    assert without_endings(left, [labelled]) is left


@given(
    st.lists(st.text("ab ", max_size=30), max_size=8, unique=True),
    st.lists(st.text("ab ", max_size=60), max_size=8),
)
def test_endings_are_those_a_loop_finds(mine: list[str], others: list[str]) -> None:
    def letters(text: str) -> str:
        return text.replace(" ", "")

    expected = [t for t in mine if len(letters(t)) < 20 or not any(letters(o).endswith(letters(t)) for o in others)]
    left = without_endings(texts(*mine), [texts(*others)])
    assert list(to_texts(left.rows)) == expected


@pytest.mark.parametrize("n", [0, 1, 2])
def test_empty_texts_are_copies_of_each_other(n: int) -> None:
    assert len(without_copies(texts("x", *[" "] * n))) == 1 + min(n, 1)
    assert np.array_equal(without_copies(texts("x", *[""] * n)).labels, np.full(1 + min(n, 1), -1))
