"""What was noticed about a training's health, as plain rows of `metrics.jsonl`.

Three kinds of rows, all with `"kind": "health"` and the step they were written at:

    {"event": "noticed", "finding": …, "severity": …, "sentence": …, "advice": …}
    {"event": "over", "finding": …}              what was noticed before no longer holds
    {"event": "checked", "checks": […]}          at the end: which checks were made
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

# What each check looks for, in the order in which they are told.
CHECKS: Mapping[str, str] = {
    "diverged": "losses and weights that are no finite numbers",
    "not-learnt": "classes that are not found on the source either",
    "class-collapse": "classes that vanish from the answers on the target",
    "class-shares": "classes that are answered far less often than the source suggests",
    "proportions": "other class proportions in the target than in the source",
    "shares-restored": "answers that adaptation made as frequent as in the source",
    "discriminator-saturated": "a domain classifier that has won",
    "discriminator-blind": "a domain classifier that has learnt nothing",
    "exploding-loss": "a loss or a discrepancy that explodes",
    "classifiers-disagree": "classifiers that disagree on the target",
    "foreign-statistics": "batch-norm statistics that are not the target's",
}

# What to say where none of them noticed anything.
SILENCE = (
    "No check noticed anything. None of them sees a label of the target, so that is no praise: the answers may be "
    "wrong all the same."
)

Severity = Literal["warning", "question", "stopped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something unhealthy that was noticed.

    Attributes:
        kind: which check noticed it; a key of `CHECKS`.
        step: when.
        severity: `"stopped"` if training could not go on, `"question"` if it may be as it should be or a fault, and
            nothing without labels tells which.
        sentence: what was seen, with its number.
        advice: what to do next.
        until: the step at which it no longer held; None if it still held when last looked at.
    """

    kind: str
    step: int
    severity: Severity
    sentence: str
    advice: str
    until: int | None = None

    @property
    def word(self) -> str:
        """Its name, short enough for a line of progress."""
        return self.kind.replace("-", " ")

    @property
    def heading(self) -> str:
        """What to begin it with."""
        return "Open question" if self.severity == "question" else "Warning"

    def text(self) -> str:
        """The finding as a paragraph: when, what, what next."""
        over = "" if self.until is None else f" It was over by step {self.until:,}."
        return f"Step {self.step:,}: {self.sentence}{over} {self.advice}"


def noticed(finding: Finding) -> dict[str, Any]:
    """The row that reports a finding."""
    return {
        "kind": "health",
        "step": finding.step,
        "event": "noticed",
        "finding": finding.kind,
        "severity": finding.severity,
        "sentence": finding.sentence,
        "advice": finding.advice,
    }


def over(kind: str, step: int) -> dict[str, Any]:
    """The row that says that a finding no longer holds."""
    return {"kind": "health", "step": step, "event": "over", "finding": kind}


def checked(kinds: Sequence[str], step: int) -> dict[str, Any]:
    """The row that ends a training: which checks were made."""
    return {"kind": "health", "step": step, "event": "checked", "checks": list(kinds)}


def findings(rows: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """What the rows of a run report, in order of time.

    Args:
        rows: of any kind, in the order in which they were written.
    """
    found: list[Finding] = []
    holding: dict[str, int] = {}
    for row in rows:
        if row["kind"] != "health":
            continue
        if row["event"] == "noticed" and row["finding"] not in holding:
            holding[row["finding"]] = len(found)
            found.append(Finding(row["finding"], row["step"], row["severity"], row["sentence"], row["advice"]))
        elif row["event"] == "over" and row["finding"] in holding:
            place = holding.pop(row["finding"])
            found[place] = replace(found[place], until=row["step"])
    return found


def checks_made(rows: Iterable[Mapping[str, Any]]) -> list[str] | None:
    """Which checks the training made, by their names in `CHECKS`; None if none are on record."""
    made = [row["checks"] for row in rows if row["kind"] == "health" and row["event"] == "checked"]
    return list(made[-1]) if made else None
