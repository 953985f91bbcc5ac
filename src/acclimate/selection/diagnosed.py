"""`Diagnosed`: what two sides tell before any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from acclimate.data.domain import Kind
from acclimate.selection.columns import ColumnShift
from acclimate.selection.families import METHOD, Family
from acclimate.selection.seen import Seen
from acclimate.selection.shift import ALPHA, Found, FourTests

Cause = Literal["scale", "missing", "outside", "proportions", "inputs"]
Outlook = Literal["nothing to gain", "mend the columns first", "likely to harm", "may help"]
# So many examples of a side are named; an accuracy below this is a slight shift.
_EXAMPLES, _SLIGHT = 8, 0.6


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
class Diagnosed:
    """What a source and a target without labels tell of the shift between them.

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
        """Whether inputs look different, but a classifier is right in fewer than 60 % of cases and misses nothing."""
        if self.found.families is not None and self.found.families.name == "subspace":
            return False
        return "inputs" in self.causes and self.remaining.apart.accuracy < _SLIGHT

    @property
    def remaining(self) -> FourTests:
        """The test of what is left once columns are mended."""
        mended = [r.test for r in self.found.remedies if r.name in ("scale", "missing")]
        return mended[-1] if mended else self.found.test

    @property
    def family(self) -> Family | None:
        """The family of methods that the shift is for; None where none explains it, or too little is to be gained."""
        name = self.found.families.name if self.shift and self.found.families else None
        if name == "label":
            return "label" if self.causes == ("proportions",) else None
        return None if self.slight else name

    @property
    def outlook(self) -> Outlook:
        """Whether adaptation is likely to help."""
        if not self.shift:
            return "nothing to gain"
        if set(self.causes) & {"scale", "missing"}:
            return "mend the columns first"
        if self.family:
            return "may help"
        return "likely to harm" if set(self.causes) & {"outside", "proportions"} else "may help"

    @property
    def method(self) -> str | None:
        """The method to train next; None where columns are to be mended first."""
        if self.outlook == "mend the columns first":
            return None
        if self.family:
            return METHOD[self.family]
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
