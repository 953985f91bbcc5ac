"""The door for labels: from what people write to classes, by one rule wherever it comes from."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from acclimate.data.bins import WHOLE, Bins, bins_of
from acclimate.data.class_names import name_key, numeric, ordered_names, places_of
from acclimate.data.readers.label_notes import name_notes
from acclimate.data.readers.nothing import is_no_number, is_no_value
from acclimate.data.readers.wording import some
from acclimate.data.strings import is_unicode
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

# Of up to 18 digits; what has more is no number of a class, but may be a name.
_whole_number = re.compile(r"^(-?(?:0|[1-9]\d{0,17}))(?:\.0+)?$", re.ASCII)
_MINUS_ONE, _MINUS = str(UNLABELLED), "−1"
COLUMN = "a column-vector y of shape (n, 1) was taken for one of shape (n,)."
_FIRST_WITH_EXPONENT = 1e16


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as classes.

    Attributes:
        indices: int64 `(n,)`, indices into `classes`; −1 where there is no label.
        classes: class names as they were found, numbers in numeric order, others alphabetically.
        values: for each class, a label that names it, `(k,)`, of the type that was given.
        signs: what stands `(n,)` where it means that there is no label: "−1", or "NA" as written; "" elsewhere.
        about: what is odd about the names, in plain sentences.
        bins: the ranges that the classes are, where the labels are numbers to predict.
        counts: how many examples `(n,)` each of these stands for; None if for itself alone.
        numbers: float64 `(n,)`, the labels where these are asked for (`bins.WHOLE`); NaN where there is none.
    """

    indices: np.ndarray
    classes: tuple[str, ...]
    values: np.ndarray
    signs: np.ndarray
    about: tuple[str, ...] = ()
    bins: Bins | None = None
    counts: np.ndarray | None = None
    numbers: np.ndarray | None = None

    @property
    def known(self) -> np.ndarray:
        """Which examples `(n,)` have a label."""
        return np.asarray(self.indices != UNLABELLED)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know, in plain sentences; also what was taken for no label where it may be a class."""
        weights = np.ones(len(self.indices), np.int64) if self.counts is None else self.counts
        n, count = int(weights.sum()), int(weights[self.signs == _MINUS].sum())
        there = self.signs != ""
        words_count = int(weights[there].sum()) - count
        words = sorted(set(self.signs[there].tolist()) - {_MINUS})
        notes = list(self.about)
        if words:
            notes.append(
                f"{words_count:,} of {n:,} labels are {some([repr(word) for word in words])}, which means no "
                "label; if it is a class, give it another name."
            )
        if count and self.classes and set(self.classes) <= {"0", "1"}:
            notes.append(
                f"{count:,} of {n:,} labels are −1, which means no label; if −1 is a class beside "
                f"{' and '.join(self.classes)}, give it another name, in Python y = np.where(y == -1, 2, y)."
            )
        return tuple(notes)

    def take(self, rows: np.ndarray) -> Labels:
        """Those of some examples, with the classes that these have."""
        indices = self.indices[rows]
        present = np.unique(indices[indices != UNLABELLED])
        places = np.full(len(self.classes) + 1, UNLABELLED)
        places[present] = np.arange(len(present))
        return Labels(
            places[indices],
            tuple(self.classes[i] for i in present),
            self.values[present],
            self.signs[rows],
            self.about,
            self.bins,
            numbers=None if self.numbers is None else self.numbers[rows],
        )

    def among(self, classes: Sequence[str], what: str) -> np.ndarray:
        """The labels as indices `(n,)` into other classes, which must have them all.

        Raises:
            DataError: naming those that they do not have.
        """
        places = places_of(classes)
        unknown = [name for name in self.classes if name_key(name) not in places]
        if unknown:
            shown = ", ".join(map(str, classes[:5])) + (", …" if len(classes) > 5 else "")
            fix = "Leave the label empty (None, NaN, −1) where there is none or it is of another class."
            raise DataError(what, f"must be among the classes {shown}", unknown[:5], fix)
        return np.asarray(np.array([*(places[name_key(name)] for name in self.classes), UNLABELLED])[self.indices])


def label_name(value: Any) -> str:
    """A label as a class name.

    3, 3.0, "3" and "3.0" are one class, and so are True and "true"; None, NaN, NaT, pandas' NA, −1, "" and what is
    written for these (`nothing.NO_VALUE`) are no label, which is "". White space around a name does not count.

    Raises:
        TypeError: if it is no word, number or truth value.
        ValueError: if it is infinite, or text that no file could hold.
    """
    if is_missing(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | float | Decimal | np.integer | np.floating):
        name = _number_name(value)
    elif isinstance(value, bytes | str):
        name = (value.decode() if isinstance(value, bytes) else value).strip()
    else:
        raise TypeError(value)
    if not is_unicode(name):
        raise ValueError(value)
    whole = _whole_number.match(name)
    name = str(int(whole[1])) if whole else name
    return "" if name == _MINUS_ONE or is_no_value(name) else name


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, NaT, pandas' NA."""
    if value is None:
        return True
    if isinstance(value, str | bytes | bool | int):
        return False
    try:
        return bool(value != value)
    except TypeError:  # pandas' NA has no truth value
        return type(value).__name__ == "NAType"
    except (ValueError, ArithmeticError):  # an array, say
        return False


def _number_name(value: Any) -> str:
    if isinstance(value, int | np.integer):
        return str(int(value))
    # A 32-bit 0.1 is 0.1, not the 64-bit number next to it.
    number = float(str(value))
    if number in (float("inf"), float("-inf")):
        raise ValueError(value)
    # From here on Python writes numbers with an exponent, and so do the files that it writes.
    return str(int(number)) if number.is_integer() and abs(number) < _FIRST_WITH_EXPONENT else str(number)


def read_labels(y: Any, n: int, what: str, bins: int | Bins | None = None) -> Labels:
    """Labels from whatever holds them in a program: a list, an array, a column, a tensor.

    Args:
        y: `(n,)`, or `(n, 1)`, which is taken for `(n,)`; or what has been read before.
        n: how many there must be.
        what: what to call them in messages.
        bins: take them for numbers, and their ranges for classes: so many of equal size, or these.

    Raises:
        DataError: if the shape is another, or a value is no label; see `labels_of_values`.
    """
    if isinstance(y, Labels):
        return y
    array, notes = _row_by_row(y, n, what)
    try:
        listed = _listed(array)
    except (ValueError, SystemError):  # NumPy raises the latter for numbers that are no letters
        raise DataError(what, "must be UTF-8 text", "other bytes", "Save them as text again.") from None
    found = labels_of_values(listed, what, bins=bins)
    values = found.values if found.bins else _of_type(found.values, y, array.dtype)
    return replace(found, values=values, about=(*notes, *found.about))


def read_numbers(y: Any, n: int, what: str) -> np.ndarray:
    """Numbers to predict, float64 `(n,)`, NaN where there is none, from whatever `read_labels` takes.

    Raises:
        DataError: if the shape is another, or a value is no finite number.
    """
    array, _ = _row_by_row(y, n, what)
    return _numbers(_listed(array), what, "row {}".format)


def _row_by_row(y: Any, n: int, what: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels of any kind `(n,)`, and the note that they were a column.

    Raises:
        DataError: if they have any other shape.
    """
    array = _as_array(y, what)
    if array.ndim == 2 and array.shape == (n, 1):
        return array[:, 0], (COLUMN,)
    if array.shape != (n,):
        raise DataError(
            what,
            f"must have shape ({n},), one per example",
            array.shape,
            "Of one column per class, give y.argmax(axis=1); of several labels for each example, one.",
        )
    return array, ()


def labels_of_values(
    values: Sequence[Any],
    what: str,
    where: Callable[[int], str] = "row {}".format,
    bins: int | Bins | None = None,
    counts: np.ndarray | None = None,
) -> Labels:
    """Labels one after the other, as `label_name` understands each.

    Args:
        values: words, numbers, truth values, and what stands for none.
        what: what to call them in messages.
        where: how messages call each place.
        bins: see `read_labels`; −1 is then a number as any other.
        counts: how many examples each stands for, if not for itself alone.

    Raises:
        DataError: if a value is none of these, or −1 stands beside other negative numbers.
    """
    if bins is not None:
        return replace(_binned(values, what, where, bins), counts=counts)
    names = _of_numbers([_checked_name(value, what, where, row) for row, value in enumerate(values)])
    classes = ordered_names(names)
    places = places_of(classes) | {"": UNLABELLED}
    indices = np.array([places[name_key(name)] for name in names], dtype=np.int64)
    firsts = {int(index): row for row, index in reversed(list(enumerate(indices.tolist())))}
    signs = np.array(["" if name else _sign(v) for name, v in zip(names, values, strict=True)], dtype=object)
    minus = signs == _MINUS
    _check_no_scale(classes, int(minus.sum() if counts is None else counts[minus].sum()), what)
    first = np.empty(len(classes), dtype=object)
    first[:] = [values[firsts[i]] for i in range(len(classes))]
    return Labels(indices, classes, first, signs, tuple(name_notes(names)), counts=counts)


def _binned(values: Sequence[Any], what: str, where: Callable[[int], str], bins: int | Bins) -> Labels:
    """Numbers as ranges; the names of given ranges mean these."""
    if isinstance(bins, Bins) and {v for v in values if isinstance(v, str) and v.strip()} & set(bins.classes):
        found = labels_of_values(values, what, where)
        return Labels(
            found.among(bins.classes, what), bins.classes, np.array(bins.classes), found.signs, found.about, bins
        )
    numbers = _numbers(values, what, where)
    made = bins_of(bins, numbers, what)
    nowhere = np.full(len(numbers), "", dtype=object)
    kept = numbers if made == WHOLE else None
    return Labels(made.indices(numbers), made.classes, np.array(made.classes), nowhere, bins=made, numbers=kept)


def _of_numbers(names: list[str]) -> list[str]:
    """The names, "" for what means nothing beside numbers, if all others are such."""
    words = {name for name in names if is_no_number(name)}
    if not words or numeric({*names} - words - {""}) is None:
        return names
    return ["" if name in words else name for name in names]


def _numbers(values: Sequence[Any], what: str, where: Callable[[int], str]) -> np.ndarray:
    return np.array([_number(value, what, where, row) for row, value in enumerate(values)], dtype=np.float64)


def _number(value: Any, what: str, where: Callable[[int], str], row: int) -> float:
    """A finite number; NaN where there is none."""
    if is_missing(value) or (isinstance(value, str | bytes) and (not value.strip() or is_no_number(_text(value)))):
        return math.nan
    try:
        number = math.nan if isinstance(value, bool | np.bool_) else float(value)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        number = math.nan
    if not math.isfinite(number):
        fix = "Leave bins out to predict classes, or leave that label empty."
        raise DataError(what, "must be finite numbers to make ranges of", f"{_shown(value)} in {where(row)}", fix)
    return number


def _checked_name(value: Any, what: str, where: Callable[[int], str], row: int) -> str:
    try:
        return label_name(value)
    except (TypeError, ValueError, ArithmeticError):  # bytes that are no UTF-8 are a ValueError too
        raise DataError(
            what,
            "must hold words, finite numbers or truth values, to be used as labels",
            f"{_shown(value)} in {where(row)}",
            "Write one class for each example, and leave it empty where none is known.",
        ) from None


def _shown(value: Any) -> str:
    try:
        return ascii(value)[:60] if isinstance(value, str) and not is_unicode(value) else f"{value!r:.60}"
    except (ValueError, TypeError):  # a number of thousands of digits, say
        return f"a {type(value).__name__}"


def _check_no_scale(classes: Sequence[str], minus: int, what: str) -> None:
    """Refuse −1 where it must be meant for a class.

    Raises:
        DataError: if it stands beside other negative numbers.
    """
    numbers = numeric(classes)
    if numbers is not None and minus and (numbers < 0).any():
        raise DataError(
            what,
            "must not hold −1, which means no label, beside other negative numbers",
            f"the classes {', '.join(classes[:5])} beside {minus:,} labels −1",
            "Give the classes names, such as 'minus one'; if the label is a measurement, predict a range of it with "
            "--bins 3, in Python bins=3.",
        )


def _sign(value: Any) -> str:
    """Of a label that is none, what stands there; "" where nothing does."""
    text = "" if is_missing(value) else _text(value)
    return text if not text or is_no_number(text) else _MINUS


def _text(value: Any) -> str:
    return (value.decode(errors="replace") if isinstance(value, bytes) else str(value)).strip()


def _as_array(y: Any, what: str) -> np.ndarray:
    """An array of any shape and kind."""
    if hasattr(y, "toarray"):
        fix = "Call its .toarray() first, and .argmax(axis=1) on one column per class."
        raise DataError(what, "must be dense", f"a sparse {type(y).__name__}", fix)
    if isinstance(y, np.ma.MaskedArray):
        y = y.tolist()  # None where it is masked
    elif hasattr(y, "detach"):
        y = y.detach().cpu()
        y = (y.float() if str(y.dtype) == "torch.bfloat16" else y).numpy()
    elif hasattr(y, "to_pylist"):
        y = y.to_pylist()
    elif "int" in str(getattr(y, "dtype", "")).lower() and hasattr(y, "to_list"):
        y = y.to_list()  # as arrays, columns of whole numbers with gaps hold floats
    elif hasattr(y, "to_numpy"):
        y = y.to_numpy()
    if isinstance(y, np.ndarray):
        return y
    try:
        # Told what to make of it, NumPy would make words of a list of words and NaN.
        return np.asarray(y, dtype=object)
    except (ValueError, TypeError):
        fix = "Give one label for each example."
        raise DataError(what, "must be a list of labels", "rows of different lengths", fix) from None


def _listed(array: np.ndarray) -> list[Any]:
    """The values `(n,)` one after the other, as Python has them where nothing is lost by that."""
    narrow = array.dtype.kind == "f" and array.dtype.itemsize != 8
    return list(array) if narrow or array.dtype.kind in "Mm" else array.tolist()


def _of_type(values: np.ndarray, y: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """The labels of the classes `(k,)`, of the type that all labels had; of objects, of whatever type they share."""
    if dtype.kind != "O":
        return values.astype(dtype)
    words = [isinstance(value, str) for value in values]
    if any(words) and (not all(words) or hasattr(y, "dtype")):
        return values
    return np.array(values.tolist()) if len(values) else values
