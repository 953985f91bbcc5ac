"""`Domain`: examples that look alike, labelled or not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from acclimate.data.bins import WHOLE, Bins
from acclimate.data.class_names import each_once
from acclimate.data.on_disk import AT_ONCE, RowsOnDisk
from acclimate.data.ragged import Ragged, from_texts
from acclimate.data.schema import Schema
from acclimate.data.strings import as_texts
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

Kind = Literal["images", "features", "text"]


@dataclass(frozen=True, eq=False)
class Domain:
    """Examples from one place: images, feature vectors or texts, labelled or not.

    Attributes:
        inputs: images as uint8 `(n, h, w, c)` with c = 1 or 3, features as float32 `(n, d)` with NaN where a value is
            missing, or texts as n rows of UTF-8 bytes (`ragged.from_texts`; a list of strings is turned into that).
            May be memory-mapped, or features that are read as they are needed (`on_disk.RowsOnDisk`); they are never
            written to.
        labels: int64 `(n,)`, indices into `classes`; −1 where there is no label. Defaults to −1 throughout.
        classes: class names, in index order.
        name: what to call it in messages and plots.
        ids: one string per example (a file name, a row number) or empty.
        notes: what a user should know about these data, in plain sentences.
        schema: what the columns mean, where the inputs were read from a file that has some.
        labels_granted: for a target, that its labels come from a label budget (`Task.with_label_budget`) and training
            may use them. Labels that merely came with the data are hidden from training.
        bins: the ranges of a number that the classes are, if they are such.
        white: what float pixels that the images were made of had for white, 1 or 255; None for whole numbers.
        detail: of images that were enlarged, all of them, the largest side they had, in pixels; None for any others.
        files: SHA-256 of the tables that it was read of, by their paths, where these were read part by part.
        numbers: float64 `(n,)`, what is asked for where that is a number and no class; NaN where it is unknown.
            Labels are then 0 and −1, for known and unknown, in the one class “number”.
        pictures: uint8 `(n, s, s, c)`, small, to show examples by where the inputs are features of pictures; no
            network sees them.
        origins: int64 `(n,)`, from which of several sources each example comes, indices into `origin_names`; None
            where there is one. `data.sources.joined` makes such domains.
        origin_names: what these sources are called.

    Raises:
        DataError: if shapes, types or label values break these rules.
    """

    inputs: np.ndarray | Ragged | RowsOnDisk
    labels: np.ndarray = None  # type: ignore[assignment]  # filled in below, never None afterwards
    classes: tuple[str, ...] = ()
    name: str = "domain"
    ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    schema: Schema | None = None
    labels_granted: bool = False
    pictures: np.ndarray | None = None
    bins: Bins | None = None
    white: float | None = None
    detail: int | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    origins: np.ndarray | None = None
    origin_names: tuple[str, ...] = ()
    numbers: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", _stored(self.inputs, f"{self.name}.inputs"))
        if self.numbers is not None:
            _as_labels(self)
        labels = np.full(len(self.inputs), UNLABELLED) if self.labels is None else np.asarray(self.labels)
        object.__setattr__(self, "labels", labels.astype(np.int64, copy=False))
        object.__setattr__(self, "classes", tuple(str(c) for c in self.classes))
        _check_inputs(self)
        _check_labels(self)
        _check_origins(self)

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"Domain({self.name!r}: {self.in_words}, {len(self.classes)} classes)"

    @property
    def contents(self) -> str:
        """How many examples of what: `"200 images of 8×8×1"`."""
        size = "×".join(str(s) for s in self.inputs.shape[1:])
        what = {"images": f"images of {size}", "features": f"vectors of {size} features", "text": "texts"}[self.kind]
        return f"{len(self):,} {what}"

    @property
    def in_words(self) -> str:
        """The same, and how many are labelled: `"200 images of 8×8×1, 200 labelled"`."""
        return f"{self.contents}, {self.num_labelled:,} labelled"

    @property
    def kind(self) -> Kind:
        """`"images"`, `"features"` or `"text"`, by the shape of the inputs."""
        if isinstance(self.inputs, Ragged):
            return "text"
        return "images" if self.inputs.ndim == 4 else "features"

    @property
    def array(self) -> np.ndarray:
        """The inputs of images or features, which are one array in memory."""
        assert isinstance(self.inputs, np.ndarray)
        return self.inputs

    @property
    def is_on_disk(self) -> bool:
        """Whether the inputs are features that are read as they are needed, as they may not fit into memory."""
        return isinstance(self.inputs, RowsOnDisk)

    @property
    def width(self) -> int:
        """d, how many features each example has."""
        assert self.inputs.ndim == 2
        return int(self.inputs.shape[1])

    def blocks(self, rows: int = AT_ONCE) -> Iterator[np.ndarray]:
        """The inputs of images or features, some examples at a time, wherever they lie."""
        assert not isinstance(self.inputs, Ragged)
        for start in range(0, len(self), rows):
            yield self.inputs[start : start + rows]

    @property
    def rows(self) -> Ragged:
        """The inputs of texts, as bytes or, in stored form, as numbers of words."""
        assert isinstance(self.inputs, Ragged)
        return self.inputs

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The inputs as plain arrays by name, as they are kept on disk."""
        if isinstance(self.inputs, Ragged):
            return {"inputs": self.inputs.values, "offsets": self.inputs.offsets}
        return {"inputs": self.array}

    @property
    def num_labelled(self) -> int:
        """How many examples carry a label."""
        return int((self.labels != UNLABELLED).sum())

    @property
    def answers(self) -> np.ndarray:
        """What is to be learnt of each example `(n,)`: its number, where one is asked for, else its label."""
        return self.labels if self.numbers is None else self.numbers

    @property
    def class_counts(self) -> np.ndarray:
        """How many labelled examples each class has, `(k,)`."""
        return np.bincount(self.labels[self.labels != UNLABELLED], minlength=len(self.classes))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of dtype, shape and bytes of inputs and labels: equal data, equal hash, whatever the route."""
        digest = hashlib.sha256()
        for array in (*([self.inputs] if self.is_on_disk else self.arrays.values()), self.answers):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            for start in range(0, len(array), 4096):
                digest.update(np.ascontiguousarray(array[start : start + 4096]).data)
        return digest.hexdigest()

    def take(self, index: np.ndarray | slice, name: str | None = None) -> Domain:
        """The examples at `index`, in that order."""
        index = np.arange(len(self))[index] if isinstance(index, slice) else np.asarray(index)
        if index.dtype == bool:
            index = np.flatnonzero(index)
        return replace(
            self,
            inputs=self.inputs.take(index) if isinstance(self.inputs, RowsOnDisk) else self.inputs[index],
            labels=self.labels[index],
            ids=tuple(self.ids[i] for i in index) if self.ids else (),
            pictures=None if self.pictures is None else self.pictures[index],
            origins=None if self.origins is None else self.origins[index],
            numbers=None if self.numbers is None else self.numbers[index],
            name=name or self.name,
        )

    def nothing(self, classes: tuple[str, ...], name: str) -> Domain:
        """No examples at all, of this form and of these classes: what a model knows of a source that is not here."""
        return replace(
            self.take(slice(0), name), labels=np.empty(0, np.int64), classes=classes, notes=(), numbers=None
        )

    def unlabelled(self) -> Domain:
        """The same examples with every label removed."""
        return replace(self, labels=np.full(len(self), UNLABELLED), labels_granted=False, numbers=None)

    def with_notes(self, *notes: str) -> Domain:
        """The same examples with further notes for the user."""
        return replace(self, notes=(*self.notes, *notes))


def _stored(inputs: np.ndarray | Ragged | RowsOnDisk | Sequence[str], what: str) -> np.ndarray | Ragged | RowsOnDisk:
    """Strings as rows of bytes; anything else as it is."""
    if isinstance(inputs, Ragged | RowsOnDisk):
        return inputs
    texts = as_texts(inputs, what)
    if texts is not None or (isinstance(inputs, list) and not inputs):
        return from_texts(texts or [])
    return inputs  # type: ignore[return-value]  # what is wrong with it is said by _check_inputs


def _check_inputs(domain: Domain) -> None:
    array, what = domain.inputs, f"{domain.name}.inputs"
    if isinstance(array, Ragged | RowsOnDisk):  # the latter is checked while it is written
        return
    if not isinstance(array, np.ndarray) or array.ndim not in (2, 4):
        raise DataError(
            what,
            "must be an array of images (n, h, w, c) or of features (n, d), or a list of texts",
            f"{type(array).__name__} of shape {getattr(array, 'shape', None)}",
            "Add the missing axis, for example images[..., None] for grey images.",
        )
    if array.ndim == 4 and (array.dtype != np.uint8 or array.shape[3] not in (1, 3)):
        raise DataError(
            what,
            "must be uint8 images with 1 or 3 channels last",
            f"{array.dtype} of shape {array.shape}",
            "Scale to 0…255, convert with .astype('uint8'), and move channels to the end.",
        )
    if array.ndim == 2 and array.dtype != np.float32:
        raise DataError(what, "must be float32 features", array.dtype, "Convert with .astype('float32').")
    if array.ndim == 2 and np.isinf(array).any():
        row, column = (int(i) for i in np.argwhere(np.isinf(array))[0])
        raise DataError(
            what,
            "must be finite numbers (of 32 bits), or NaN where a value is missing",
            f"{array[row, column]} in row {row}, column {column}",
            "Write NaN there, or divide large numbers by a constant.",
        )


def _check_origins(domain: Domain) -> None:
    origins, names = domain.origins, domain.origin_names
    if origins is None:
        return
    known = origins.shape == (len(domain),) and origins.dtype.kind in "iu"
    if not known or (len(origins) and not 0 <= int(origins.min()) <= int(origins.max()) < len(names)):
        rule = f"must be {len(domain)} whole numbers from 0 to {len(names) - 1}, a place in origin_names each"
        got = f"{origins.dtype} of shape {origins.shape}"
        raise DataError(f"{domain.name}.origins", rule, got, "Let acclimate.join_sources make the domain.")


def _as_labels(domain: Domain) -> None:
    """Let labels say where the number is known."""
    numbers = np.array(domain.numbers, dtype=np.float64)
    if numbers.shape != (len(domain.inputs),) or np.isinf(numbers).any():
        fix = "Give one number for each example, NaN where none is known."
        what = f"{domain.name}.numbers"
        raise DataError(what, f"must be {len(domain.inputs)} finite numbers", f"{numbers!r:.60}", fix)
    object.__setattr__(domain, "numbers", numbers)
    object.__setattr__(domain, "labels", WHOLE.indices(numbers))
    object.__setattr__(domain, "classes", WHOLE.classes)
    object.__setattr__(domain, "bins", WHOLE)


def _check_labels(domain: Domain) -> None:
    what, labels, k = f"{domain.name}.labels", domain.labels, len(domain.classes)
    if labels.shape != (len(domain),):
        raise DataError(
            what,
            f"must have shape ({len(domain)},), one per example",
            labels.shape,
            "Give one label for each example, −1 where there is none.",
        )
    if len(each_once(domain.classes)) < k:
        fix = "Give each class one name; how Unicode spells it makes no difference."
        raise DataError(f"{domain.name}.classes", "must have different names", domain.classes[:5], fix)
    if len(labels) and (labels.min() < UNLABELLED or labels.max() >= k):
        raise DataError(
            what,
            f"must lie in −1…{k - 1}: −1 for unlabelled, else an index into the {k} classes",
            f"values from {labels.min()} to {labels.max()}",
            "Give classes=… with one name per label, or renumber the labels from 0.",
        )
    if domain.ids and len(domain.ids) != len(domain):
        raise DataError(
            f"{domain.name}.ids",
            f"must name all {len(domain)} examples",
            len(domain.ids),
            "Give one string for each example, or none at all.",
        )
