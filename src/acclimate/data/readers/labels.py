"""From labels as people write them to classes: words, numbers, stars, truth values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from acclimate.types import UNLABELLED

# Of up to 18 digits; what has more is no number of a class, but may be a name.
WHOLE_NUMBER = r"^(-?(?:0|[1-9]\d{0,17}))(?:\.0+)?$"
_whole_number = re.compile(WHOLE_NUMBER, re.ASCII)


def label_name(value: Any) -> str:
    """A label as a class name.

    3, 3.0, "3" and "3.0" are one class, and so are True and "true"; None, NaN, −1 and "" are no label, which is "".
    White space around a name does not count.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    name = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    whole = _whole_number.match(name)
    name = whole[1] if whole else name
    return "" if name == str(UNLABELLED) else name


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Class names, each once: whole numbers in numeric order, otherwise alphabetically."""
    distinct = set(names) - {""}
    if all(_whole_number.match(name) for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))


def numbered(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Class names as indices into `classes` `(n,)`; −1 for ""."""
    places = {name: i for i, name in enumerate(classes)} | {"": UNLABELLED}
    return np.array([places[name] for name in names], dtype=np.int64)


def fractions(classes: Iterable[str]) -> int:
    """How many of these names are numbers with a fraction, if all of them are numbers; else 0."""
    try:
        values = [float(name) for name in classes]
    except ValueError:
        return 0
    return sum(not value.is_integer() for value in values)


def label_notes(classes: Sequence[str]) -> list[str]:
    """What is odd about the names of classes, in plain sentences."""
    notes = []
    if len(classes) > 2 and {"1", "5"} <= set(classes) <= {"1", "2", "3", "4", "5"}:
        notes.append(
            f"labels look like stars; they are {len(classes)} classes. To tell good from bad, write two instead, for "
            "example 'negative' for 1 and 2 and 'positive' for 4 and 5, and leave the label of 3 empty."
        )
    folded: dict[str, list[str]] = {}
    for name in classes:
        folded.setdefault(name.casefold(), []).append(name)
    alike = next((names for names in folded.values() if len(names) > 1), None)
    if alike:
        notes.append(f"the classes {' and '.join(map(repr, alike))} differ in upper and lower case alone.")
    return notes
