"""`Domain`: examples that look alike. `Task`: a labelled source, a target, and the answers kept apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from acclimate.data.budget import LabelBudget
from acclimate.data.ragged import Ragged, from_texts
from acclimate.data.schema import Schema
from acclimate.data.strings import as_texts
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

Kind = Literal["images", "features", "text"]
TARGET_ROLES = ("target", "target_test", "target_shifted", "target_validation")


@dataclass(frozen=True, eq=False)
class Domain:
    """Examples from one place: images, feature vectors or texts, labelled or not.

    Attributes:
        inputs: images as uint8 `(n, h, w, c)` with c = 1 or 3, features as float32 `(n, d)`, or texts as n rows of
            UTF-8 bytes (`ragged.from_texts`; a list of strings is turned into that). May be memory-mapped; it is
            never written to.
        labels: int64 `(n,)`, indices into `classes`; −1 where there is no label. Defaults to −1 throughout.
        classes: class names, in index order.
        name: what to call it in messages and plots.
        ids: one string per example (a file name, a row number) or empty.
        notes: what a user should know about these data, in plain sentences.
        schema: what the columns mean, where the inputs were read from a file that has some.
        labels_granted: for a target, that its labels come from a label budget (`Task.with_label_budget`) and training
            may use them. Labels that merely came with the data are hidden from training.
        pictures: uint8 `(n, s, s, c)`, small, to show examples by where the inputs are features of pictures; no
            network sees them.

    Raises:
        DataError: if shapes, types or label values break these rules.
    """

    inputs: np.ndarray | Ragged
    labels: np.ndarray = None  # type: ignore[assignment]  # filled in below, never None afterwards
    classes: tuple[str, ...] = ()
    name: str = "domain"
    ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    schema: Schema | None = None
    labels_granted: bool = False
    pictures: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", _stored(self.inputs, f"{self.name}.inputs"))
        labels = np.full(len(self.inputs), UNLABELLED) if self.labels is None else np.asarray(self.labels)
        object.__setattr__(self, "labels", labels.astype(np.int64, copy=False))
        object.__setattr__(self, "classes", tuple(str(c) for c in self.classes))
        _check_inputs(self)
        _check_labels(self)

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"Domain({self.name!r}: {self.in_words}, {len(self.classes)} classes)"

    @property
    def in_words(self) -> str:
        """How many examples of what, and how many are labelled: `"200 images of 8×8×1, 200 labelled"`."""
        size = "×".join(str(s) for s in self.inputs.shape[1:])
        what = {"images": f"images of {size}", "features": f"vectors of {size} features", "text": "texts"}[self.kind]
        return f"{len(self):,} {what}, {self.num_labelled:,} labelled"

    @property
    def kind(self) -> Kind:
        """`"images"`, `"features"` or `"text"`, by the shape of the inputs."""
        if isinstance(self.inputs, Ragged):
            return "text"
        return "images" if self.inputs.ndim == 4 else "features"

    @property
    def array(self) -> np.ndarray:
        """The inputs of images or features, which are one array."""
        assert isinstance(self.inputs, np.ndarray)
        return self.inputs

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
        return {"inputs": self.inputs}

    @property
    def num_labelled(self) -> int:
        """How many examples carry a label."""
        return int((self.labels != UNLABELLED).sum())

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of dtype, shape and bytes of inputs and labels: equal data, equal hash, whatever the route."""
        digest = hashlib.sha256()
        for array in (*self.arrays.values(), self.labels):
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
            inputs=self.inputs[index],
            labels=self.labels[index],
            ids=tuple(self.ids[i] for i in index) if self.ids else (),
            pictures=None if self.pictures is None else self.pictures[index],
            name=name or self.name,
        )

    def unlabelled(self) -> Domain:
        """The same examples with every label removed."""
        return replace(self, labels=np.full(len(self), UNLABELLED), labels_granted=False)

    def with_notes(self, *notes: str) -> Domain:
        """The same examples with further notes for the user."""
        return replace(self, notes=(*self.notes, *notes))


def _stored(inputs: np.ndarray | Ragged | Sequence[str], what: str) -> np.ndarray | Ragged:
    """Strings as rows of bytes; anything else as it is."""
    if isinstance(inputs, Ragged):
        return inputs
    texts = as_texts(inputs, what)
    if texts is not None or (isinstance(inputs, list) and not inputs):
        return from_texts(texts or [])
    return inputs  # type: ignore[return-value]  # what is wrong with it is said by _check_inputs


def _check_inputs(domain: Domain) -> None:
    array, what = domain.inputs, f"{domain.name}.inputs"
    if isinstance(array, Ragged):
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
    if array.ndim == 2 and not np.isfinite(array).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(
            what,
            "must be finite numbers",
            f"{array[row, column]} in row {row}, column {column}",
            "Drop or fill missing values first.",
        )


def _check_labels(domain: Domain) -> None:
    what, labels, k = f"{domain.name}.labels", domain.labels, len(domain.classes)
    if labels.shape != (len(domain),):
        raise DataError(
            what,
            f"must have shape ({len(domain)},), one per example",
            labels.shape,
            "Give one label for each example, −1 where there is none.",
        )
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


@dataclass(frozen=True, eq=False)
class Answers:
    """Hidden target labels. Only `acclimate.metrics` reads them, after a model has spoken."""

    target: np.ndarray | None = None
    target_test: np.ndarray | None = None
    target_shifted: np.ndarray | None = None
    target_validation: np.ndarray | None = None

    def __repr__(self) -> str:
        known = [s for s in TARGET_ROLES if getattr(self, s) is not None]
        return f"Answers(for {', '.join(known) or 'nothing'})"


@dataclass(frozen=True, eq=False)
class Task:
    """A source with labels, a target to adapt to, and the target's answers where anybody knows them.

    Labels found on the target's domains are moved to `answers` on construction, so that nothing that learns
    can see them; `with_label_budget` gives some back. Classes are matched by name: labels of the target are
    renumbered into the source's order, and classes only the target has come after the source's.

    Attributes:
        source: labelled training examples.
        target: the target's training examples.
        source_test: source examples that no training sees, or None.
        target_test: target examples that no training sees, or None.
        target_shifted: further ones that are unlike both, from other writers or another camera, or None: what is left
            of a model where the target itself changes.
        target_validation: target examples by whose labels papers choose a step, or None. They choose nothing here;
            what they would have chosen can be told beside the last step.
        answers: the target's hidden labels, filled in from the domains given.
        name: what to call it.
        notes: what the user should know, such as classes on one side only.

    Raises:
        DataError: if the source has no labels, or one side holds texts and the other does not. Images and features
            may meet: photos are searched by sketch in the features of a photo encoder.
    """

    source: Domain
    target: Domain
    source_test: Domain | None = None
    target_test: Domain | None = None
    target_shifted: Domain | None = None
    target_validation: Domain | None = None
    answers: Answers | None = None
    name: str = "custom"
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        check_pair(self.source, self.target)
        if "text" in (self.source.kind, self.target.kind):
            check_same_kind(self.source, self.target)
        if self.answers is None:
            self._hide_labels()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of all classes: the source's first, then those that only the target has."""
        return self.target.classes

    @property
    def num_classes(self) -> int:
        """How many classes a model can predict: those of the source."""
        return len(self.source.classes)

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes of the task and of each of its domains, without repeats."""
        return tuple(dict.fromkeys([*self.notes, *(n for d in self.domains().values() for n in d.notes)]))

    def domains(self) -> dict[str, Domain]:
        """The domains that are present, by the name of their role."""
        roles = ("source", "target", "source_test", *TARGET_ROLES[1:])
        return {r: d for r in roles if (d := getattr(self, r)) is not None}

    def with_label_budget(self, budget: LabelBudget | str | float, seed: int = 0) -> Task:
        """Give back some of the target's training labels: `0`, `n` per class, a fraction, or `"all"`.

        Args:
            budget: see `LabelBudget.parse`.
            seed: chooses which examples; the choice is stratified by class.

        Examples whose labels are given back no longer count in scores, unless that is all there are.

        Raises:
            DataError: if labels are asked for and the target has no answers.
        """
        budget = LabelBudget.parse(budget)
        if budget.is_empty:
            return self
        if self.answers is None or self.answers.target is None:
            raise DataError(
                "label_budget", "needs a target with labels", f"{budget} and an unlabelled target", "Use 0."
            )
        # A class that only the target has cannot be learnt here: a model tells the source's classes apart.
        known = np.where(self.answers.target < self.num_classes, self.answers.target, UNLABELLED)
        if not (known != UNLABELLED).any():
            raise DataError(
                "label_budget",
                "needs target labels of the source's classes",
                self.classes,
                "Use a label budget of 0, or give the classes the same names on both sides.",
            )
        chosen, meant = budget.choose(known, seed), round(budget.fraction * np.count_nonzero(known != UNLABELLED))
        granted = self.with_labels_of(chosen)
        if not budget.fraction or len(chosen) <= meant:
            return granted
        least = f"each class has one at least, {len(chosen):,} in all"
        note = f"The label budget {budget} comes to {meant:,} labels; {least}."
        return replace(granted, notes=(*granted.notes, note))

    def with_labels_of(self, chosen: np.ndarray) -> Task:
        """Give back the labels of the target's training examples with these indices; see `with_label_budget`.

        Raises:
            DataError: if the target has no answers.
        """
        if self.answers is None or self.answers.target is None:
            raise DataError("chosen", "needs a target with labels", "an unlabelled target", "Give it labels.")
        known = np.where(self.answers.target < self.num_classes, self.answers.target, UNLABELLED)
        labels = np.full(len(self.target), UNLABELLED)
        labels[chosen] = known[chosen]
        hidden = np.where(labels == UNLABELLED, self.answers.target, UNLABELLED)
        # Where every single example is given there is nothing else to score, and the score says that it flatters.
        left = hidden if (hidden != UNLABELLED).any() else None
        answers = self.answers if (labels != UNLABELLED).all() else replace(self.answers, target=left)
        return replace(self, target=replace(self.target, labels=labels, labels_granted=True), answers=answers)

    def with_source_test(self, fraction: float = 0.1, seed: int = 0) -> Task:
        """Set part of the source aside as `source_test`, stratified by class.

        Nothing is set aside if there is a source test already or a class has fewer than ten examples.
        """
        labels = self.source.labels
        counts = np.bincount(labels[labels != UNLABELLED], minlength=self.num_classes)
        if self.source_test is not None or counts[counts > 0].min() < 10:
            return self
        aside = LabelBudget(fraction=fraction).choose(labels, seed)
        kept = np.setdiff1d(np.arange(len(labels)), aside)
        note = f"{len(aside):,} of {len(labels):,} source examples were set aside to test on."
        return replace(
            self,
            source=self.source.take(kept),
            source_test=self.source.take(aside, name="source_test"),
            notes=(*self.notes, note),
        )

    def _hide_labels(self) -> None:
        extra = [d for role in TARGET_ROLES if (d := getattr(self, role)) is not None]
        classes = self.source.classes + tuple(
            dict.fromkeys(c for d in extra for c in d.classes if c not in self.source.classes)
        )
        hidden: dict[str, np.ndarray | None] = {}
        for role in TARGET_ROLES:
            domain: Domain | None = getattr(self, role)
            if domain is None:
                continue
            labels = renumbered(domain, classes)
            hidden[role] = labels if (labels != UNLABELLED).any() else None
            object.__setattr__(self, role, replace(domain.unlabelled(), classes=classes))
        if self.source_test is not None:
            labels = renumbered(self.source_test, self.source.classes)
            object.__setattr__(
                self, "source_test", replace(self.source_test, labels=labels, classes=self.source.classes)
            )
        object.__setattr__(self, "answers", Answers(**hidden))
        object.__setattr__(self, "notes", (*self.notes, *_class_notes(self.source, hidden.get("target"), classes)))


def check_pair(source: Domain, target: Domain) -> None:
    """Refuse a source and a target that no method can work with.

    Raises:
        DataError: if the source has fewer than two classes with labels or the target fewer than two examples.
    """
    if source.num_labelled == 0:
        raise DataError(
            "source",
            "must have labels",
            f"{len(source):,} unlabelled examples",
            "Sort source images or texts into one folder per class, or name the label column: --label-column NAME.",
        )
    present = np.unique(source.labels[source.labels != UNLABELLED])
    if len(present) < 2:
        raise DataError(
            "source",
            "must have at least two classes with labels",
            f"only {_names([source.classes[y] for y in present])}",
            "Add labelled examples of a second class: with one, every answer is the same.",
        )
    if len(target) < 2:
        raise DataError(
            "target",
            "must have at least two examples, or there is no distribution",
            len(target),
            "Add target examples; they need no labels.",
        )


def check_same_kind(source: Domain, target: Domain) -> None:
    """Refuse two sides of different kinds.

    Raises:
        DataError: if they are.
    """
    if source.kind != target.kind:
        raise DataError(
            "source and target",
            "must hold the same kind of input",
            f"{source.in_words}, and {target.in_words}",
            "Give images on both sides, features (tables, arrays of two axes) on both, or texts on both.",
        )


def form_notes(source: Domain, target: Domain) -> tuple[str, ...]:
    """What tells images of two domains apart before anybody looks at what they show, in plain sentences."""
    if source.kind != "images" or target.kind != "images":
        return ()
    notes = []
    grey, colour = sorted((source, target), key=lambda domain: domain.array.shape[3])
    if grey.array.shape[3] < colour.array.shape[3]:
        notes.append(
            f"The {grey.name} is grey and the {colour.name} in colour, which alone tells them apart; if colour says "
            "nothing about the classes, convert both to grey."
        )
    small, large = sorted((source, target), key=lambda domain: max(domain.array.shape[1:3]))
    sides = [max(domain.array.shape[1:3]) for domain in (small, large)]
    if sides[1] >= 2 * sides[0]:
        notes.append(
            f"Images of the {small.name} have {sides[0]} pixels a side and those of the {large.name} {sides[1]}; "
            "resized to one size, they differ in sharpness."
        )
    return tuple(notes)


def renumbered(domain: Domain, classes: tuple[str, ...]) -> np.ndarray:
    """Labels of `domain` as indices into `classes`, matched by name; −1 stays −1."""
    if not domain.classes:
        return domain.labels
    missing = [c for c in domain.classes if c not in classes]
    if missing:
        raise DataError(
            f"{domain.name}.classes",
            f"must be among {classes}",
            missing,
            "Give its classes the names that they have on the other side.",
        )
    table = np.array([*(classes.index(c) for c in domain.classes), UNLABELLED])
    return np.asarray(table[domain.labels])


def _class_notes(source: Domain, answers: np.ndarray | None, classes: tuple[str, ...]) -> list[str]:
    notes = []
    if answers is not None:
        present = set(answers[answers != UNLABELLED].tolist())
        only_source = [c for i, c in enumerate(source.classes) if i not in present]
        if only_source:
            notes.append(
                f"Only the source has {_names(only_source)}; adaptation may pull target examples into it."
                if len(only_source) == 1
                else f"Only the source has {_names(only_source)}; adaptation may pull target examples into them."
            )
    only_target = classes[len(source.classes) :]
    if only_target:
        notes.append(
            f"Only the target has {_names(list(only_target))}; no model trained on this source can predict that, "
            "so every such example counts as wrong."
        )
    return notes


def _names(classes: list[str]) -> str:
    shown = ", ".join(repr(c) for c in classes[:5])
    return (
        f"the class {shown}"
        if len(classes) == 1
        else f"the {len(classes)} classes {shown}" + (", …" if len(classes) > 5 else "")
    )
