"""When two names mean the same class, and when names of classes are measurements."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from acclimate.types import UNLABELLED

# Of a numeric label: more different values than this are measurements if some have fractions …
_MOST_GRADES = 20
# … and fewer are too, but for a handful, if they occur less than twice on average.
_FEW_GRADES = 5


def name_key(name: str) -> str:
    """What is compared of a class name: Unicode's form NFC, and `true` and `false` in lower case.

    “é” is one letter on one system and an e with an accent on another. Names are written as they were found.
    """
    key = unicodedata.normalize("NFC", name)
    return folded if (folded := key.lower()) in ("true", "false") else key


def places_of(classes: Iterable[str]) -> dict[str, int]:
    """Where each class stands, by its key."""
    return {name_key(name): place for place, name in enumerate(classes)}


def each_once(names: Iterable[str]) -> list[str]:
    """The names that mean different classes, each as it is found first."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name_key(name), name)
    return list(found.values())


def together(own: Sequence[str], others: Iterable[str]) -> tuple[str, ...]:
    """All classes of two sides: the first's, then those that only the other has."""
    return tuple(each_once(itertools.chain(own, others)))


def places_in(classes: Sequence[str], own: Sequence[str], absent: int = UNLABELLED) -> np.ndarray:
    """Where classes of one's own stand among others, so that `places[labels]` renumbers labels.

    Args:
        classes: the others.
        own: what labels index now.
        absent: stands for those that are not there.

    Returns:
        int64 `(len(own) + 1,)`; the last one, which −1 indexes, is −1.
    """
    places = places_of(classes)
    return np.array([*(places.get(name_key(name), absent) for name in own), UNLABELLED], dtype=np.int64)


def numeric(classes: Iterable[str]) -> np.ndarray | None:
    """The names as numbers `(k,)`, if all of them are finite ones."""
    try:
        values = [float(name) for name in classes]
    except ValueError:
        return None
    return np.array(values) if values and all(map(math.isfinite, values)) else None


def measured(classes: Sequence[str], n: int) -> bool:
    """Whether n labels of these classes look like measurements.

    They are numbers, and some have fractions and there are more than 20 different ones, or more than 5 that occur
    less than twice on average; or none has, and there are more than 20 of these, with gaps between them.
    """
    values = numeric(classes)
    if values is None:
        return False
    rare = 2 * len(values) > n
    if (values % 1 != 0).any():
        return len(values) > _MOST_GRADES or (rare and len(values) > _FEW_GRADES)
    return rare and len(values) > _MOST_GRADES and bool(np.ptp(values) >= len(values))


def ordered_names(names: Iterable[str]) -> tuple[str, ...]:
    """Class names, each once: numbers in numeric order, otherwise alphabetically."""
    distinct = [name for name in each_once(names) if name]
    values = numeric(distinct)
    if values is None:
        return tuple(sorted(distinct))
    numbers: Mapping[str, float] = dict(zip(distinct, values.tolist(), strict=True))
    return tuple(sorted(distinct, key=lambda name: (numbers[name], name)))
