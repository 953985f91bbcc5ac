"""What `metrics.jsonl` says over time: accuracies by role, losses by name, and what has a picture of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from acclimate.runs.record import Run

ROLES = {
    "source": "source",
    "source_test": "source test",
    "target": "target",
    "target_test": "target test",
    "target_shifted": "shifted target",
    "target_validation": "target validation",
}
_ABOUT_TIME = ("kind", "step", "epoch")
_DOMAIN_ACCURACY, _KEPT = "domain_accuracy", "pseudo_labels_kept"
_PSEUDO_ACCURACY = "pseudo_label_accuracy"
_PARTIAL, _BELOW = 0.7, 0.45


@dataclass(frozen=True, eq=False)
class Line:
    """A curve: `y` over `x`, both of shape `(points,)` and in order of x."""

    x: np.ndarray
    y: np.ndarray

    @property
    def last(self) -> float:
        """The final value."""
        return float(self.y[-1])


@dataclass(frozen=True, eq=False)
class PseudoCurves:
    """What became of a method's pseudo-labels, over steps, as fractions.

    Attributes:
        kept: the share that training used.
        right: how many of all are right, at evaluation points; None where the target's labels are unknown.
        right_of_kept: how many of those kept are, at the same points; NaN where none was kept.
    """

    kept: Line
    right: Line | None = None
    right_of_kept: Line | None = None


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of one run.

    Attributes:
        accuracy: by role, over epochs, as fractions.
        baseline: the source-only run's accuracy on the target, over epochs, if there is one.
        losses: every logged number by name, over steps.
        domain_accuracy: how often the domain discriminator is right, over steps, for methods that have one.
        pseudo_labels: for methods that have some.
        monitored: a method's own losses on examples of each role, by name and role, over steps; on test sets too.
        taken: the epoch whose weights were taken, where that is before the last one; the last evaluation is theirs.
        at_once: whether training was a single step, as of what is computed in closed form.
    """

    accuracy: Mapping[str, Line] = field(default_factory=dict)
    baseline: Line | None = None
    losses: Mapping[str, Line] = field(default_factory=dict)
    domain_accuracy: Line | None = None
    pseudo_labels: PseudoCurves | None = None
    monitored: Mapping[str, Mapping[str, Line]] = field(default_factory=dict)
    taken: float | None = None
    at_once: bool = False

    @property
    def target_role(self) -> str | None:
        """The target role that has a curve; None where nobody knows any target label."""
        return next((role for role in ("target_test", "target") if role in self.accuracy), None)


def read_curves(run: Run) -> Curves:
    """Read the curves of a run and, for comparison, its baseline's accuracy on the target."""
    rows = run.metrics()
    accuracy = _accuracies(rows)
    losses = _lines(rows, "losses", "step") | _lines(rows, "validation", "step")
    before = _accuracies(run.baseline.metrics()) if run.baseline else {}
    evaluated = _lines(rows, "evaluation", "step")
    role = Curves(accuracy).target_role
    return Curves(
        accuracy,
        before.get(role) if role else None,
        {name: line for name, line in losses.items() if name not in (_DOMAIN_ACCURACY, _KEPT)},
        losses.get(_DOMAIN_ACCURACY),
        _pseudo_curves(losses.get(_KEPT), evaluated),
        _monitored(evaluated),
        _taken(run, rows),
        (run.summary or {}).get("steps") == 1,
    )


def _taken(run: Run, rows: list[dict[str, Any]]) -> float | None:
    """The epoch of the step whose weights were taken; epochs have one length."""
    summary = run.summary or {}
    chosen, steps = summary.get("chosen_step"), summary.get("steps")
    ends = [row["epoch"] for row in rows if row["kind"] == "evaluation" and row["step"] == steps]
    return ends[-1] * chosen / steps if ends and chosen is not None and chosen < steps else None


def _monitored(evaluated: Mapping[str, Line]) -> dict[str, dict[str, Line]]:
    """What is called `<role>_<name>` and is no accuracy, by name and role."""
    found: dict[str, dict[str, Line]] = {}
    for key, line in evaluated.items():
        # "source_test_kl" is of the role that says more of it.
        role = max((role for role in ROLES if key.startswith(f"{role}_")), key=len, default=None)
        if role is not None and not (name := key[len(role) + 1 :]).startswith("accuracy"):
            found.setdefault(name, {})[role] = line
    return {name: {role: lines[role] for role in ROLES if role in lines} for name, lines in found.items()}


def _pseudo_curves(kept: Line | None, evaluated: Mapping[str, Line]) -> PseudoCurves | None:
    if kept is None:
        return None
    right, of_kept = evaluated.get(_PSEUDO_ACCURACY), evaluated.get(f"{_PSEUDO_ACCURACY}/kept")
    if right is None:
        return PseudoCurves(kept)
    # A line straight through the points without a kept label would show what nobody measured.
    known = dict(zip(of_kept.x, of_kept.y, strict=True)) if of_kept else {}
    return PseudoCurves(kept, right, Line(right.x, np.array([known.get(step, np.nan) for step in right.x])))


def _accuracies(rows: list[dict[str, Any]]) -> dict[str, Line]:
    lines = _lines(rows, "evaluation", "epoch")
    return {role: lines[f"{role}_accuracy"] for role in ROLES if f"{role}_accuracy" in lines}


def _lines(rows: list[dict[str, Any]], kind: str, over: str) -> dict[str, Line]:
    """The named numbers of all rows of a kind; of several rows for one step the last counts."""
    by_step = {row["step"]: row for row in rows if row["kind"] == kind}
    points: dict[str, list[tuple[float, float]]] = {}
    for step in sorted(by_step):
        row = by_step[step]
        for name, value in row.items():
            if name not in _ABOUT_TIME:
                points.setdefault(name, []).append((row[over], value))
    return {name: Line(*np.array(pairs, dtype=float).T) for name, pairs in points.items()}


def smoothed(values: np.ndarray) -> np.ndarray:
    """Centred moving average over about a twentieth of the curve; near the ends over what there is."""
    width = max(1, len(values) // 40) * 2 + 1
    if len(values) < 2 * width:
        return values
    window = np.ones(width)
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def domain_remark(line: Line) -> str:
    """What the discriminator's accuracy says about the alignment, in one or two sentences."""
    end = float(line.y[-max(1, len(line.y) // 5) :].mean())
    at_the_end = f"In the last fifth of training it was right on {100 * end:.0f}\u00a0% of examples"
    if end > _PARTIAL:
        return f"{at_the_end}: it still tells the domains apart, so the alignment is only partial."
    if end < _BELOW:
        return f"{at_the_end}, below chance: features move faster than the discriminator can follow."
    return f"{at_the_end}; 50\u00a0% is chance, and the aim."
