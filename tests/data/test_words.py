"""From texts to words, and the key of copies."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data.words import text_digest, text_key, vocabulary, words

ANY = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Great BOOK, great", ["great", "book", "great"]),
        ("don't and don’t", ["don't", "and", "don't"]),
        ("'quoted' rock'n'roll '", ["quoted", "rock'n'roll"]),
        ("wow!! 5/5 in 2005", ["wow", "!", "!", "in"]),
        ("abc123def", ["abc", "def"]),
        ("<p class='x'>good<br/>book</p>", ["good", "book"]),
        ("a <script>var evil = 1;</script> b <!-- hidden --> c <style>p {}</style>", ["a", "b", "c"]),
        ("3 < 4 and a<b", ["and", "a", "b"]),
        ("caf&eacute; &amp; bar", ["café", "bar"]),
        ("cafe\u0301 = café", ["café", "café"]),
        ("ＦＵＬＬ ﬁne", ["full", "fine"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("good 👍 ❤ bad", ["good", "👍", "❤", "bad"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("汉字。日本", ["汉字", "日本"]),
        ("a\0b\u2028c", ["a", "b", "c"]),
    ],
)
def test_words_of(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(ANY)
def test_any_text_has_words_and_they_are_their_own_words(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found
    assert all(word and not any(c.isspace() for c in word) for word in found)


@given(st.lists(st.sampled_from(["<", ">", "<b", "</", "<!--", "-->", "<script>", "&lt;", "&#60;", "a", " ", "'"])))
def test_broken_markup_is_read_somehow(pieces: list[str]) -> None:
    found = words("".join(pieces))
    assert words(" ".join(found)) == found


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<!--",
        "<!-- -->",
        "<script>",
        "<style ",
        "</script ",
        "&",
        "&#769;",
        "'",
        "a'",
        "!",
        "a\u0301",
        "\u0301\u0327",
    ],
)
def test_the_time_grows_with_the_length_and_not_with_its_square(piece: str) -> None:
    """At half a million characters a square would take minutes."""
    began = time.process_time()
    words(piece * (500_000 // len(piece)))
    assert time.process_time() - began < 5


def test_what_is_opened_and_not_closed_stays() -> None:
    assert words("a <!-- b <i>c</i>") == ["a", "!", "b", "c"]
    assert words("a <script> b <!-- hidden --> c <style>no</style> d") == ["a", "b", "c", "d"]
    assert words("<SCRIPT>x</script > y <!-- <script> --> z </script>") == ["y", "z"]


@given(ANY, ANY)
def test_copies_have_one_digest(text: str, other: str) -> None:
    assert text_digest(text) == text_digest(f" {text}\n")
    if "?" not in text + other:  # which stands for halves of characters
        assert (text_key(text) == text_key(other)) <= (text_digest(text) == text_digest(other))


def test_copies_may_differ_in_case_and_white_space_alone() -> None:
    assert text_key("A  Good\tbook\n") == text_key("a good book")
    assert text_key("a good book") != text_key("a good book!")


def test_a_vocabulary_has_the_most_frequent_words_and_ties_in_alphabetical_order() -> None:
    documents = [["b", "a", "c"], ["c", "b", "a"], ["c", "d"], []]
    assert vocabulary(documents, least=1, most=9) == ("c", "a", "b", "d")
    assert vocabulary(documents, least=2, most=9) == ("c", "a", "b")
    assert vocabulary(documents, least=1, most=2) == ("c", "a")
    assert vocabulary([], least=1, most=2) == ()
