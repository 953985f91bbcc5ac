"""`Diagnosis`: what two sides tell before any training, for programs and, as text, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from acclimate.data.domain import Kind
from acclimate.selection import diagnosis_words as words
from acclimate.selection.columns import ColumnShift
from acclimate.selection.diagnosis_page import page
from acclimate.selection.proportions import ILL, Proportions
from acclimate.selection.seen import Seen
from acclimate.selection.shift import ALPHA, Found, FourTests, Remedy

Cause = Literal["scale", "missing", "outside", "proportions", "inputs"]
Outlook = Literal["nothing to gain", "mend the columns first", "likely to harm", "may help"]
# So many examples of a side are named, and columns told to programs; an accuracy below this is a slight shift.
_EXAMPLES, _IN_FULL, _SLIGHT = 8, 100, 0.6


@dataclass(frozen=True, eq=False)
class Examples:
    """Names of examples by which the sides differ most, the clearest first.

    Attributes:
        source: names of source examples that look least like the target.
        target: names of target examples that look least like the source.
        source_rows: rows of these in the source.
        target_rows: rows of these in the target.
        texts: how texts begin, by the side that they are least like, in the same order; empty where there are none.
        pictures: likewise images as bytes `(e, h, w, c)`.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    source_rows: tuple[int, ...]
    target_rows: tuple[int, ...]
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What a source and a target without labels tell of the shift between them.

    `str()` of it is a page for people, whose first line is the verdict; `to_dict()` is for programs.

    Attributes:
        kind: what the examples are.
        sizes: how many examples source and target have; `looked_at` how many of them were compared.
        looked_at: likewise.
        classes: the source's class names.
        seen: the examples as numbers, and each column, word or measurement compared.
        found: tests, remedies, proportions, examples beyond the source.
        examples: those that show it most.
        command: what to run next.
        notes: what a user should know of the data, in plain sentences.
    """

    kind: Kind
    sizes: tuple[int, int]
    looked_at: tuple[int, int]
    classes: tuple[str, ...]
    seen: Seen
    found: Found
    examples: Examples
    command: str = ""
    notes: tuple[str, ...] = ()

    @property
    def shift(self) -> bool:
        """Whether there is one, at the 5 % level."""
        return self.found.test.found

    @property
    def p(self) -> float:
        """That there is none: the least of four tests' p-values, times their number."""
        return self.found.test.p

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What makes the sides differ; `"inputs"` where no remedy explains it. Empty without a shift."""
        if not self.shift:
            return ()
        found = self.found
        at_hand: dict[Cause, bool] = {"scale": bool(found.scaled), "missing": bool(found.gaps)}
        columns = [cause for cause, there in at_hand.items() if there]
        if found.cause in ("scale", "missing"):
            return tuple(columns)
        named = found.cause or (found.part.name if found.part else "")
        within: list[Cause] = [cause for cause in ("outside", "proportions") if cause in named.split("+")]
        return (*columns, *within, *(() if found.cause else ("inputs",)))

    @property
    def slight(self) -> bool:
        """Whether inputs look different, but a classifier is right in fewer than 60 % of cases."""
        return "inputs" in self.causes and self.remaining.apart.accuracy < _SLIGHT

    @property
    def remaining(self) -> FourTests:
        """The test of what is left once columns are mended."""
        mended = [r.test for r in self.found.remedies if r.name in ("scale", "missing")]
        return mended[-1] if mended else self.found.test

    @property
    def outlook(self) -> Outlook:
        """Whether adaptation is likely to help."""
        if not self.shift:
            return "nothing to gain"
        if set(self.causes) & {"scale", "missing"}:
            return "mend the columns first"
        return "likely to harm" if set(self.causes) & {"outside", "proportions"} else "may help"

    @property
    def method(self) -> str | None:
        """The method to train next; None where columns are to be mended first."""
        if self.outlook == "mend the columns first":
            return None
        if self.outlook != "may help" or self.slight:
            return "source-only"
        if self.kind == "text":
            return "ngram-memory"
        return "dann" if self.seen.unit == "count" else "mcc"

    @property
    def to_mend(self) -> tuple[str, ...]:
        """Names of the columns in another unit, or with other gaps."""
        return tuple(self.seen.columns[i].name for i in (*self.found.scaled, *self.found.gaps))

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes of the source that the target seems to lack; none where that cannot be told."""
        found = self.found
        if not (found.proportions_believed and found.model and found.proportions):
            return ()
        return tuple(self.classes[found.model.classes[c]] for c in found.proportions.absent)

    @property
    def differing(self) -> list[ColumnShift]:
        """Columns that differ, by corrected p-values: those in another unit first, then the most different."""
        kept = [c for c in self.seen.columns if c.q <= ALPHA]
        return sorted(
            kept, key=lambda c: (c.factor is None, -max(c.distance, abs(c.missing_target - c.missing_source)))
        )

    @property
    def verdict(self) -> str:
        """The diagnosis in one sentence."""
        return words.verdict(self)

    def __str__(self) -> str:
        return page(self)

    def to_dict(self) -> dict[str, Any]:
        """All of it as numbers, strings, lists and dicts, as `acclimate diagnose --json` prints it.

        Of the columns that differ, the first 100.
        """
        found, model = self.found, self.found.model
        return {
            "verdict": self.verdict,
            "shift": self.shift,
            "p": self.p,
            "causes": list(self.causes),
            "outlook": self.outlook,
            "advice": words.advice(self),
            "unseen": words.UNSEEN,
            "next": self.command,
            "kind": self.kind,
            "looked_at_as": self.seen.what,
            "examples": {"source": self.sizes[0], "target": self.sizes[1]},
            "looked_at": {"source": self.looked_at[0], "target": self.looked_at[1]},
            "tests": _of_test(found.test),
            "remedies": [_of_remedy(remedy) for remedy in found.remedies],
            "columns": [asdict(c) for c in self.differing[:_IN_FULL]],
            "columns_differing": len(self.differing),
            "columns_tested": len(self.seen.columns),
            "only_source": list(self.seen.only_source),
            "only_target": list(self.seen.only_target),
            "constant_in_source": list(self.seen.constant_source),
            "constant_in_target": list(self.seen.constant_target),
            "outside": {"share": found.outside.share, "p": found.outside.p},
            "source_accuracy": model.accuracy if model else None,
            "proportions_believed": found.proportions_believed,
            "proportions": _of_proportions(found, self.classes),
            "absent_classes": list(self.absent),
            "least_like_the_other_side": {"source": list(self.examples.source), "target": list(self.examples.target)},
            "notes": [*self.notes, *self.seen.notes],
        }


def most_unlike(scores: np.ndarray, n: int, ids: Sequence[Sequence[str]], rows: Sequence[np.ndarray]) -> Examples:
    """The examples of each side that a classifier is surest of.

    Args:
        scores: `(n + m,)` how much each looks like the target's.
        n: how many of them are the source's.
        ids: names of all examples of source and target; empty where there are none.
        rows: which of these the scores are of.
    """
    own = rows[0][np.argsort(scores[:n], kind="stable")[:_EXAMPLES]]
    other = rows[1][np.argsort(-scores[n:], kind="stable")[:_EXAMPLES]]
    return Examples(_named(ids[0], own), _named(ids[1], other), tuple(own.tolist()), tuple(other.tolist()))


def _named(ids: Sequence[str], rows: np.ndarray) -> tuple[str, ...]:
    return tuple(ids[row] if ids else f"row {row + 1}" for row in rows)


def _of_test(test: FourTests) -> dict[str, Any]:
    return {
        "accuracy": test.apart.accuracy,
        "visible_from": test.apart.visible,
        "classifier_p": test.apart.p,
        "mmd2": test.distance,
        "mmd_p": test.kernel_p,
        "columns_p": test.columns_p,
        "answers_p": test.answers_p,
        "p": test.p,
    }


def _of_remedy(remedy: Remedy) -> dict[str, Any]:
    source, target = remedy.sizes
    about = {
        "made_equal": remedy.name,
        "explains": remedy.explains,
        "left": remedy.left,
        "source": source,
        "target": target,
    }
    return about | _of_test(remedy.test)


def _of_proportions(found: Found, classes: Sequence[str]) -> dict[str, Any] | None:
    """By class; None without a model of the source."""
    mix, model = found.proportions, found.model
    if mix is None or model is None:
        return None
    names = [classes[c] for c in model.classes]
    return {
        "differ": mix.differ,
        "distance": mix.distance,
        "condition": mix.condition,
        "well_conditioned": mix.condition <= ILL,
        "classes": [{"class": name, **row} for name, row in zip(names, _by_class(mix), strict=True)],
    }


def _by_class(mix: Proportions) -> list[dict[str, Any]]:
    columns = {
        "source": mix.source,
        "mlls": mix.likely,
        "mlls_low": mix.low,
        "mlls_high": mix.high,
        "bbse": mix.confusion,
        "bbse_low": mix.confusion_low,
        "bbse_high": mix.confusion_high,
    }
    return [{name: float(values[c]) for name, values in columns.items()} for c in range(len(mix.source))]
