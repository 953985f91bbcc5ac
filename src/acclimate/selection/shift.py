"""Is there a shift, and what explains it: tests before and after a remedy, so that a cause is shown, not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from acclimate.objectives.label_shift import likely_proportions
from acclimate.selection.columns import corrected
from acclimate.selection.families import Families, compare_families
from acclimate.selection.outside import Outside, outside
from acclimate.selection.proportions import Proportions, like_target, proportions
from acclimate.selection.seen import Seen
from acclimate.selection.source_model import SourceModel, answers_p, source_model
from acclimate.selection.two_sample import ToldApart, kernel_distance, told_apart

ALPHA = 0.05
FEWEST = 30
# Coordinates that tests and distances are of, and examples to each of them.
_TESTED, _NEAR, _EXAMPLES = 100, 50, 4
# What is left of an accuracy above chance: explained, or explained if it could be chance.
_QUARTER, _HALF = 0.25, 0.5
# Shares of missing values that differ, and of examples outside the source, that are worth a remedy.
_GAPS, _OUTSIDE, _SURE = 0.05, 0.02, 0.01
# How far above the largest class's share a model must be for what it says of proportions to count.
_BETTER = 0.05


@dataclass(frozen=True, eq=False)
class FourTests:
    """Four tests of whether both sides are drawn from one distribution, and what they come to.

    Attributes:
        apart: the classifier's.
        distance: MMD², the kernels' statistic.
        kernel_p: its p-value.
        columns_p: Simes' p-value of the columns, one by one; None where these were not tested.
        answers_p: p-value of a source model's posteriors; None where there is no such model.
    """

    apart: ToldApart
    distance: float
    kernel_p: float
    columns_p: float | None = None
    answers_p: float | None = None

    @property
    def p(self) -> float:
        """The least p-value times their number (Bonferroni), at most 1."""
        tests = [p for p in (self.apart.p, self.kernel_p, self.columns_p, self.answers_p) if p is not None]
        return min(1.0, len(tests) * min(tests))

    @property
    def found(self) -> bool:
        """Whether there is a shift, at the 5 % level."""
        return self.p <= ALPHA

    @property
    def above_chance(self) -> float:
        """By how much the classifier is better than chance, ≥ 0."""
        return max(self.apart.accuracy - 0.5, 0.0)


@dataclass(frozen=True, eq=False)
class Remedy:
    """What was made equal, and how far the sides can be told apart then.

    Attributes:
        name: `"scale"`, `"missing"`, `"outside"` or `"proportions"`, joined by `+` where two are needed.
        test: of what is left.
        sizes: how many examples of source and target were compared.
        left: the classifier's accuracy above chance, relative to what it was; 0 or 1 where the classifier saw nothing
            to begin with, by whether the tests that did are silent.
    """

    name: str
    test: FourTests
    sizes: tuple[int, int]
    left: float

    @property
    def explains(self) -> bool:
        """Whether next to nothing is left."""
        return self.left <= _QUARTER or (self.left <= _HALF and not self.test.found)


@dataclass(frozen=True, eq=False)
class Found:
    """What two sides tell.

    Attributes:
        test: of all there is.
        remedies: in the order in which they were tried.
        scaled: places of columns in another unit.
        gaps: places of columns that miss values on one side more than on the other.
        outside: target examples beyond the source.
        model: of the source; None without two classes of five examples.
        proportions: by that model; None without it.
        families: what is left where each kind of change is undone; None where that was not asked.
    """

    test: FourTests
    remedies: tuple[Remedy, ...]
    scaled: tuple[int, ...]
    gaps: tuple[int, ...]
    outside: Outside
    model: SourceModel | None
    proportions: Proportions | None
    families: Families | None = None

    @property
    def cause(self) -> str | None:
        """The remedy that explains the shift; None if there is no shift, or no remedy does."""
        return next((remedy.name for remedy in self.standing if remedy.explains), None)

    @property
    def standing(self) -> list[Remedy]:
        """The remedies, without proportions where another family explains the shift better."""
        overruled = self.families is not None and self.families.name not in (None, "label")
        return [remedy for remedy in self.remedies if not (overruled and "proportions" in remedy.name)]

    @property
    def part(self) -> Remedy | None:
        """Where nothing explains the shift, the remedy that explains most of it; None if that is less than half."""
        best = min(self.standing, key=lambda remedy: remedy.left, default=None)
        return best if best and self.cause is None and best.left <= _HALF else None

    @property
    def classes_told(self) -> bool:
        """Whether a model of the source tells its classes apart well enough to say something of proportions."""
        return self.model is not None and self.model.accuracy >= float(self.model.prior.max()) + _BETTER

    @property
    def proportions_believed(self) -> bool:
        """Whether nothing speaks against the classes looking on the target as they do in the source."""
        return self.classes_told and (not self.test.found or self.cause is not None)


def with_families(found: Found, seen: Seen, labels: np.ndarray, seed: int) -> Found:
    """The same, told which kind of change undoes the shift: where no column is to be mended, and no kind is new.

    Args:
        found: by `find_shift`, of the same sides.
        seen: both sides.
        labels: of the source `(n,)`, −1 where there is none.
        seed: of all that is drawn.
    """
    asked = found.test.found and not (found.scaled or found.gaps) and found.cause in (None, "proportions")
    if not asked or found.model is None:
        return found
    rng = np.random.default_rng(seed)
    return replace(found, families=compare_families(seen.coordinates(), labels, found.model, rng, seed))


def find_shift(seen: Seen, labels: np.ndarray, seed: int) -> Found:
    """Test two sides, then again after each remedy that they suggest, until one explains what is seen.

    Remedies are tried in this order: columns in another unit left out, columns left out that miss values on one side,
    examples beyond the source left out on both sides, the source's classes drawn in the proportions estimated for the
    target, the last two together. One explains the shift if the accuracy of the classifier falls to a quarter of what
    it was above chance, or to half of it and the rest may be chance; where the classifier saw nothing but other tests
    did, if these fall silent.

    Args:
        seen: both sides.
        labels: of the source `(n,)`, −1 where there is none.
        seed: of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    x = seen.coordinates()
    columns_p = min((c.q for c in seen.columns), default=None)
    scaled, gaps = _of_other_scale(seen), _with_other_gaps(seen)
    search = _Search(seen, rng, labels, seed)
    first = search.test(*x, columns_p=columns_p)
    if first.found and (scaled or gaps):
        x = search.without_columns(first, scaled, gaps)
    beyond, model, mix = search.facts(*x)
    if first.found and not search.explained:
        search.within(first, x, beyond, model, mix)
    return Found(first, tuple(search.remedies), scaled, gaps, beyond, model, mix)


def _of_other_scale(seen: Seen) -> tuple[int, ...]:
    return tuple(i for i, c in enumerate(seen.columns) if c.factor is not None and c.q <= ALPHA)


def _with_other_gaps(seen: Seen) -> tuple[int, ...]:
    return tuple(
        i
        for i, c in enumerate(seen.columns)
        if c.q <= ALPHA and abs(c.missing_target - c.missing_source) >= _GAPS and c.factor is None
    )


class _Search:
    """Remedies tried so far."""

    def __init__(self, seen: Seen, rng: np.random.Generator, labels: np.ndarray, seed: int) -> None:
        self.seen, self.rng, self.labels, self.seed = seen, rng, labels, seed
        self.remedies: list[Remedy] = []
        self.left_out: list[int] = []  # places of columns
        self._model: SourceModel | None = None

    @property
    def explained(self) -> bool:
        return any(remedy.explains for remedy in self.remedies)

    def test(self, source: np.ndarray, target: np.ndarray, *, columns_p: float | None = None) -> FourTests:
        """All that there is to test with; posteriors only where the whole source is compared."""
        whole = len(source) == len(self.labels)
        self._model = source_model(source, self.labels, target, self.seed) if whole else None
        rank = max(1, min(_TESTED, (len(source) + len(target)) // _EXAMPLES))
        x = np.concatenate([source, target])[:, :rank]
        side = np.arange(len(x)) >= len(source)
        apart = told_apart(x, side, self.rng)
        return FourTests(
            apart,
            *kernel_distance(x, side, self.rng),
            columns_p,
            answers_p(self._model) if self._model is not None else None,
        )

    def tried(self, name: str, first: FourTests, test: FourTests, sizes: tuple[int, int]) -> None:
        """Keep what a remedy leaves."""
        self.remedies.append(Remedy(name, test, sizes, what_is_left(first, test)))

    def tried_rows(
        self,
        name: str,
        first: FourTests,
        x: tuple[np.ndarray, np.ndarray],
        model: SourceModel | None,
        rows: tuple[np.ndarray, np.ndarray],
    ) -> None:
        """Test what a remedy leaves of the examples of both sides; too few tell nothing."""
        if min(map(len, rows)) < FEWEST:
            return
        test = self.test(x[0][rows[0]], x[1][rows[1]])
        if model is not None:
            test = replace(test, answers_p=answers_p(model, *rows))
        if first.apart.p > ALPHA:  # otherwise the classifier is asked, which takes less time
            test = replace(test, columns_p=self.seen.columns_p(*rows, self.left_out))
        self.tried(name, first, test, (len(rows[0]), len(rows[1])))

    def without_columns(
        self, first: FourTests, scaled: Sequence[int], gaps: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Leave out columns of another scale, then those with other gaps; what is left goes on being compared."""
        x = self.seen.coordinates()
        for name, columns in (("scale", scaled), ("missing", gaps)):
            if columns and not self.explained:
                self.left_out += columns
                x = self.seen.coordinates(self.left_out)
                kept = [c for i, c in enumerate(self.seen.columns) if i not in self.left_out]
                columns_p = min((c.q for c in corrected(kept)), default=None)
                self.tried(name, first, self.test(*x, columns_p=columns_p), (len(x[0]), len(x[1])))
        return x

    def facts(self, source: np.ndarray, target: np.ndarray) -> tuple[Outside, SourceModel | None, Proportions | None]:
        """What lies beyond the source, and what its classes seem to come to."""
        model = self._model if self._model is not None else source_model(source, self.labels, target, self.seed)
        mix = None if model is None else proportions(model, self.rng)
        return outside(source[:, :_NEAR], target[:, :_NEAR], self.rng), model, mix

    def within(
        self,
        first: FourTests,
        x: tuple[np.ndarray, np.ndarray],
        beyond: Outside,
        model: SourceModel | None,
        mix: Proportions | None,
    ) -> None:
        """Leave out what lies beyond the source, draw its classes in other proportions, or both."""
        near = np.flatnonzero(~beyond.source), np.flatnonzero(~beyond.target)
        far = beyond.p <= _SURE and beyond.share >= _OUTSIDE
        if far:
            self.tried_rows("outside", first, x, model, near)
        if model is None or mix is None or not mix.may_differ or self.explained:
            return
        drawn = like_target(model, mix.likely, self.rng)
        self.tried_rows("proportions", first, x, model, (drawn, np.arange(len(x[1]))))
        if far and not self.explained and min(map(len, near)) >= FEWEST:
            inner = likely_proportions(model.prior, model.target[near[1]])
            drawn = np.intersect1d(like_target(model, inner, self.rng), near[0])
            self.tried_rows("outside+proportions", first, x, model, (drawn, near[1]))


def what_is_left(first: FourTests, test: FourTests) -> float:
    """How much of a shift a remedy leaves, from 0 on."""
    if first.apart.p <= ALPHA:
        return test.above_chance / max(first.above_chance, 1e-9)
    before = first.kernel_p, first.columns_p, first.answers_p
    after = test.kernel_p, test.columns_p, test.answers_p
    saw = [late for early, late in zip(before, after, strict=True) if early is not None and early <= ALPHA]
    return float(any(late is None or late <= ALPHA for late in saw))
