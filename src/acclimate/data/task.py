"""`Task`: a labelled source, a target to adapt to, and the target's hidden labels kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from acclimate.data.budget import LabelBudget
from acclimate.data.class_names import together
from acclimate.data.domain import Domain
from acclimate.data.pairing import check_same_kind, check_source, check_target, class_notes, renumbered
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

# A class with fewer examples keeps all of them for training.
_SET_ASIDE_FROM = 10

TARGET_ROLES = ("target", "target_test", "target_shifted", "target_validation")


@dataclass(frozen=True, eq=False)
class HiddenLabels:
    """Hidden target labels, and numbers by role where these are asked for.

    Only `acclimate.metrics` reads them, after a model has spoken.
    """

    target: np.ndarray | None = None
    target_test: np.ndarray | None = None
    target_shifted: np.ndarray | None = None
    target_validation: np.ndarray | None = None
    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def by_role(cls, labels: Mapping[str, np.ndarray | None]) -> HiddenLabels:
        """Labels by the names of their roles; None, or no entry, where there are none."""
        target, test, shifted, validation = (labels.get(role) for role in TARGET_ROLES)
        return cls(target, test, shifted, validation)

    def answers(self, role: str) -> np.ndarray | None:
        """Numbers of a role, NaN where unknown, where these are asked for; else its labels. None if none is known."""
        found: np.ndarray | None = self.numbers.get(role, getattr(self, role))
        return found

    def __repr__(self) -> str:
        known = [s for s in TARGET_ROLES if getattr(self, s) is not None]
        return f"HiddenLabels(for {', '.join(known) or 'nothing'})"


@dataclass(frozen=True, eq=False)
class Task:
    """A source with labels, a target to adapt to, and the target's hidden labels where anybody knows them.

    Labels found on the target's domains are moved to `hidden` on construction, so that nothing that learns
    can see them; `with_label_budget` gives some back. Classes are matched by name: labels of the target are
    renumbered into the source's order, and classes only the target has come after the source's.

    Attributes:
        source: labelled training examples; none (`Domain.nothing`) where a model stands for them.
        target: the target's training examples.
        source_test: source examples that no training sees, or None.
        target_test: target examples that no training sees, or None.
        target_shifted: further ones that are unlike both, from other writers or another camera, or None: what is left
            of a model where the target itself changes.
        target_validation: target examples by whose labels papers choose a step, or None. They choose nothing here;
            what they would have chosen can be told beside the last step.
        hidden: the target's hidden labels, filled in from the domains given.
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
    hidden: HiddenLabels | None = None
    name: str = "custom"
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.has_source:
            check_source(self.source)
        check_target(self.target)
        if "text" in (self.source.kind, self.target.kind):
            check_same_kind(self.source, self.target)
        if self.hidden is None:
            self._hide_labels()

    @property
    def has_source(self) -> bool:
        """Whether there are source examples, and not just a model of them."""
        return len(self.source) > 0

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
        """The domains that are present, by the name of their role; a source of no examples is not."""
        roles = ("source", "target", "source_test", *TARGET_ROLES[1:])
        return {r: d for r in roles if (d := getattr(self, r)) is not None and (len(d) or r != "source")}

    def in_words(self, role: str) -> str:
        """What a domain of the task holds, and how many of its labels training may see, or scores alone."""
        domain = self.domains()[role]
        hidden = None if self.hidden is None else getattr(self.hidden, role, None)
        scored = 0 if hidden is None else int(((hidden != UNLABELLED) & (domain.labels == UNLABELLED)).sum())
        if not scored:
            return domain.in_words
        given = f"{domain.num_labelled:,} labelled, " if domain.num_labelled else ""
        return f"{domain.contents}, {given}{scored:,} labelled for scores alone"

    def with_label_budget(self, budget: LabelBudget | str | float, seed: int = 0) -> Task:
        """Give back some of the target's training labels: `0`, `n` per class, a fraction, or `"all"`.

        Args:
            budget: see `LabelBudget.parse`.
            seed: chooses which examples; the choice is stratified by class.

        Examples whose labels are given back no longer count in scores, unless that is all there are.

        Raises:
            DataError: if labels are asked for and none is hidden.
        """
        budget = LabelBudget.parse(budget)
        if budget.is_empty:
            return self
        if self.hidden is None or self.hidden.target is None:
            raise DataError(
                "label_budget", "needs a target with labels", f"{budget} and an unlabelled target", "Use 0."
            )
        # A class that only the target has cannot be learnt here: a model tells the source's classes apart.
        known = np.where(self.hidden.target < self.num_classes, self.hidden.target, UNLABELLED)
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
            DataError: if the target has no hidden labels.
        """
        if self.hidden is None or self.hidden.target is None:
            raise DataError("chosen", "needs a target with labels", "an unlabelled target", "Give it labels.")
        known = np.where(self.hidden.target < self.num_classes, self.hidden.target, UNLABELLED)
        labels = np.full(len(self.target), UNLABELLED)
        labels[chosen] = known[chosen]
        hidden = np.where(labels == UNLABELLED, self.hidden.target, UNLABELLED)
        # Where every single example is given there is nothing else to score, and the score says that it flatters.
        left = hidden if (hidden != UNLABELLED).any() else None
        kept = self.hidden if (labels != UNLABELLED).all() else replace(self.hidden, target=left)
        target = replace(self.target, labels=labels, labels_granted=True)
        if (numbers := self.hidden.numbers.get("target")) is not None:
            given = labels != UNLABELLED
            target = replace(target, numbers=np.where(given, numbers, np.nan))
            if kept is not self.hidden:
                of_rest = {} if left is None else {"target": np.where(given, np.nan, numbers)}
                kept = replace(kept, numbers={**{r: n for r, n in kept.numbers.items() if r != "target"}, **of_rest})
        return replace(self, target=target, hidden=kept)

    def with_source_test(self, fraction: float = 0.1, seed: int = 0) -> Task:
        """Set part of the source aside as `source_test`, stratified by class.

        Nothing is set aside if there is a source test already or a class has fewer than ten examples.
        """
        labels = self.source.labels
        counts = np.bincount(labels[labels != UNLABELLED], minlength=self.num_classes)
        if self.source_test is not None or not self.has_source:
            return self
        if counts[counts > 0].min() < _SET_ASIDE_FROM:
            small = int(np.where(counts > 0, counts, len(labels)).argmin())
            note = (
                f"No source examples were set aside to test on: “{self.source.classes[small]}” has {counts[small]:,} "
                f"of them, and with fewer than {_SET_ASIDE_FROM} a part would hold too few."
            )
            return replace(self, notes=(*self.notes, note))
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
        classes = together(self.source.classes, (c for d in extra for c in d.classes))
        hidden: dict[str, np.ndarray | None] = {}
        numbers: dict[str, np.ndarray] = {}
        for role in TARGET_ROLES:
            domain: Domain | None = getattr(self, role)
            if domain is None:
                continue
            labels = renumbered(domain, classes)
            hidden[role] = labels if (labels != UNLABELLED).any() else None
            if domain.numbers is not None and hidden[role] is not None:
                numbers[role] = domain.numbers
            object.__setattr__(self, role, replace(domain.unlabelled(), classes=classes))
        if self.source_test is not None:
            labels = renumbered(self.source_test, self.source.classes)
            object.__setattr__(
                self, "source_test", replace(self.source_test, labels=labels, classes=self.source.classes)
            )
        object.__setattr__(self, "hidden", HiddenLabels(**hidden, numbers=numbers))
        object.__setattr__(self, "notes", (*self.notes, *class_notes(self.source, hidden.get("target"), classes)))
