"""What is odd about the names of classes, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from acclimate.data.class_names import name_key
from acclimate.data.readers.nothing import NO_VALUE

_LIKE_MISSING = NO_VALUE | {"none", "nil", "missing"}


def name_notes(names: Iterable[str]) -> list[str]:
    """That names are spelt in several ways, or like a missing value."""
    spelt: dict[str, list[str]] = {}
    for name in dict.fromkeys(filter(None, names)):
        spelt.setdefault(name_key(name), []).append(name)
    notes = [
        f"the class {ways[0]!r} is spelt in {len(ways)} ways that mean the same ({', '.join(map(ascii, ways))}); "
        "they are one."
        for ways in spelt.values()
        if len(ways) > 1
    ]
    folded: dict[str, list[str]] = {}
    for key, ways in spelt.items():
        folded.setdefault(key.casefold(), []).append(ways[0])
    alike = next((ways for ways in folded.values() if len(ways) > 1), None)
    if alike:
        notes.append(f"the classes {' and '.join(map(repr, alike))} differ in upper and lower case alone.")
    if odd := [ways[0] for ways in spelt.values() if ways[0].casefold() in _LIKE_MISSING]:
        notes.append(f"{odd[0]!r} is taken for the name of a class; leave the label empty where there is none.")
    return notes


def star_notes(classes: Sequence[str]) -> list[str]:
    """That labels look like stars, in a plain sentence."""
    if len(classes) > 2 and {"1", "5"} <= set(classes) <= {"1", "2", "3", "4", "5"}:
        return [
            f"labels look like stars; they are {len(classes)} classes. To tell good from bad, write two instead, for "
            "example 'negative' for 1 and 2 and 'positive' for 4 and 5, and leave the label of 3 empty."
        ]
    return []
