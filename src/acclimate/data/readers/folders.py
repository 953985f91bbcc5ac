"""The files of one kind in a folder: one sub-folder per class, or loose files without labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acclimate.data.class_names import each_once, name_key, places_of
from acclimate.data.readers.label_notes import name_notes
from acclimate.data.readers.wording import some
from acclimate.errors import DataError, RequestError
from acclimate.types import UNLABELLED

_SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Attributes:
        noun: what messages call it, in the plural.
        suffixes: how such files end, in lower case.
    """

    noun: str
    suffixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The wanted files below a folder, by posix path relative to it, and what else is there."""

    wanted: Wanted
    files: tuple[str, ...]
    empty: tuple[str, ...]
    hidden: int
    others: Counter[str]

    def notes(self) -> Iterator[str]:
        """What was left out."""
        if self.hidden or self.others:
            kinds = [f"{n:,} {kind or 'without a suffix'}" for kind, n in sorted(self.others.items())]
            ignored = [f"{self.hidden:,} hidden"] * bool(self.hidden) + kinds
            yield f"files left out because they are no {self.wanted.noun}: {', '.join(ignored)}."
        if self.empty:
            yield f"sub-folders without {self.wanted.noun} make no class: {some(self.empty)}."


def list_files(folder: Path, wanted: Wanted) -> Listing:
    """Find what is wanted.

    Raises:
        RequestError: if there is no such folder.
        DataError: if it holds nothing of the kind, or both loose files and folders of them.
    """
    if not folder.is_dir():
        what = f"the folder of {wanted.noun}"
        raise RequestError(what, "must exist", repr(str(folder)), "Check the spelling and the current folder.")
    files, hidden, others = [], 0, Counter[str]()
    for path in walk(folder):
        if path.name.startswith("."):
            hidden += 1
        elif path.suffix.lower() in wanted.suffixes and not path.is_fifo():  # whoever reads a pipe may wait for ever
            files.append(path.relative_to(folder).as_posix())
        else:
            others[path.suffix.lower()] += 1
    _check_names(folder, files)
    _check_layout(folder, files, others, wanted)
    filled = {file.partition("/")[0] for file in files}
    empty = sorted(
        p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".") and p.name not in filled
    )
    return Listing(wanted, tuple(sorted(files)), tuple(empty), hidden, others)


def walk(folder: Path, unreadable: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """Every file below `folder`, through links but round no circle, outside hidden folders.

    Args:
        folder: where to begin.
        unreadable: is told of every folder that cannot be listed; by default these count as empty.
    """
    for root, folders, files in os.walk(folder, followlinks=True, onerror=unreadable):
        here = Path(root).resolve()
        folders[:] = [f for f in folders if not f.startswith(".") and not here.is_relative_to((here / f).resolve())]
        yield from (Path(root, file) for file in files)


def labels_of(ids: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Index of the first folder of each path, or −1 throughout where files lie loose; the folders' names; notes.

    Folders whose names differ in Unicode's form alone, as two systems write them, are one class.
    """
    if "/" not in ids[0]:
        return np.full(len(ids), UNLABELLED), (), []
    names = [path.partition("/")[0] for path in ids]
    classes = tuple(sorted(each_once(sorted(names))))
    places = places_of(classes)
    return np.array([places[name_key(name)] for name in names], dtype=np.int64), classes, name_notes(sorted(names))


def _check_names(folder: Path, files: list[str]) -> None:
    """Names of files and folders become ids and classes, which are written as UTF-8."""
    for file in files:
        try:
            file.encode()
        except UnicodeEncodeError:
            fix = "Rename it; `convmv` does so for whole folders."
            raise DataError(str(folder), "must hold files whose names are UTF-8", ascii(file), fix) from None


def _check_layout(folder: Path, files: list[str], others: Counter[str], wanted: Wanted) -> None:
    loose = sorted(file for file in files if "/" not in file)
    classes = sorted({file.partition("/")[0] for file in files if "/" in file})
    noun = wanted.noun
    if not files:
        raise DataError(
            str(folder),
            f"must hold {noun} ({', '.join(wanted.suffixes)})",
            f"only files of other kinds ({some(sorted(others))})" if others else "none",
            f"Give the folder with one sub-folder of {noun} per class, or with loose {noun} without labels.",
        )
    if loose and classes:
        raise DataError(
            str(folder),
            f"must hold either loose {noun} (no labels) or one folder of {noun} per class",
            f"{len(loose):,} loose {noun} ({some(loose)}) beside the folders {some(classes)}",
            f"Move the loose {noun} into the folder of their class, or away.",
        )
    if len(classes) > 1 and _SPLITS.issuperset(c.lower() for c in classes):
        raise DataError(
            str(folder),
            f"must hold one folder of {noun} per class",
            f"the folders {some(classes)}, which look like parts of a data set",
            f"Give one of them, for example {folder / classes[0]}.",
        )
