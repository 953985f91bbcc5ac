"""What people and programs write where there is no value: one rule for labels and for the columns to learn from."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

# R's, SQL's, Excel's, ARFF's and pandas' signs for "no value", which none of them takes for a word.
NO_VALUE = frozenset(
    (
        *("na", "n/a", "n.a.", "nan", "-nan", "+nan", "null", "<na>", "nat", "?"),
        *("#n/a", "#na", "#n/a n/a", "#nv", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    )
)
# Beside numbers or dates these mean nothing either; beside words each may be one, as "-" beside "+".
NO_NUMBER = NO_VALUE | {"none", "nil", "-", "--", "–", "—", "."}


def is_no_value(text: str) -> bool:
    """Whether a text stands for no value in any column."""
    return text.strip().casefold() in NO_VALUE


def is_no_number(text: str) -> bool:
    """Whether a text stands for no value in a column of numbers or dates."""
    return text.strip().casefold() in NO_NUMBER


def without_no_value(text: pl.Series, but: Sequence[str] = ()) -> pl.Series:
    """A column of words, null where the text stands for no value; those of `but` are values."""
    return text.set(_among(text, NO_VALUE) & ~text.is_in(list(but)), None)


def without_no_number(text: pl.Series) -> pl.Series:
    """A column of numbers or dates, null where the text stands for no value."""
    return text.set(_among(text, NO_NUMBER), None)


def _among(text: pl.Series, signs: frozenset[str]) -> pl.Series:
    return text.str.to_lowercase().is_in(sorted(signs)).fill_null(value=False)
