"""Tables of a task that was run with several label budgets: one line a budget, one column a method."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from acclimate import discovery
from acclimate.methods import needs

PUBLISHED = Path(__file__).resolve().parents[1] / "benchmarks" / "published" / "semit.json"
# Tasks shown like this, and what their target and their shifted target are called.
TASKS = {"mnist-kannada": ("Kannada", "Dig")}
BUDGETS = {
    "0": "none",
    "1": "1 a class (10)",
    "10": "10 a class (100)",
    "1%": "1 % (550)",
    "5%": "5 % (2,750)",
    "10%": "10 % (5,500)",
    "all": "all (55,000)",
}
ORDER = ("mutual-views", "vae-gan", "joint", "kannada-only")

Result = dict[str, Any]
# Without any label the accuracy of their answers is one of names given at random.
NAMELESS = {name for name, component in discovery.methods().items() if not needs.names_classes(component, 0)}


def by_budget(rows: list[Result]) -> dict[str, dict[str, Result]]:
    """Rows by method and budget; a row without a budget in its name stands in the line of none."""
    found: dict[str, dict[str, Result]] = {}
    for row in rows:
        name, _, budget = row["method"].rpartition("-")
        known = budget in BUDGETS and name
        found.setdefault(name if known else row["method"], {})[budget if known else "0"] = row
    return found


def mean(row: Result, score: str) -> float | None:
    """A score's mean over seeds, None where it was not measured."""
    values = [scores[score] for scores in row["scores"] if score in scores]
    return float(np.mean(values)) if values else None


def cell(row: Result | None, scores: tuple[str, ...], factor: float = 100, digits: int = 1) -> str:
    """Means of several scores, between slashes."""
    if row is None:
        return "–"
    means = [mean(row, score) for score in scores]
    return " / ".join("–" if value is None else f"{factor * value:.{digits}f}" for value in means)


def budget_tables(task: str, rows: list[Result]) -> list[tuple[str, list[str], list[list[str]]]]:
    """What each table shows, its headings and its body: accuracies, groupings, cost.

    Args:
        task: a key of `TASKS`.
        rows: its measured rows.
    """
    target, shifted = TASKS[task]
    found = by_budget(rows)
    order = [*(name for name in ORDER if name in found), *sorted(found.keys() - {*ORDER})]
    paper = json.loads(PUBLISHED.read_text(encoding="utf-8"))["SEMIT"]["budgets"]
    used = [budget for budget in BUDGETS if any(budget in own for own in found.values())]

    def of_method(name: str, budget: str, scores: tuple[str, ...], factor: float, digits: int) -> str:
        arbitrary = budget == "0" and name in NAMELESS and "target_test_accuracy" in scores
        return "no names" if arbitrary else cell(found[name].get(budget), scores, factor, digits)

    def lines(scores: tuple[str, ...], reported: tuple[str, ...], factor: float, digits: int) -> list[list[str]]:
        return [
            [
                BUDGETS[budget],
                *(of_method(name, budget, scores, factor, digits) for name in order),
                " / ".join(f"{factor * paper[budget][key]:.{digits}f}" for key in reported)
                if budget in paper
                else "–",
            ]
            for budget in used
        ]

    accuracies = ("target_test_accuracy", "target_shifted_accuracy")
    groupings = ("target_test_fowlkes_mallows", "target_shifted_fowlkes_mallows")
    heads = ["target labels", *order]
    seconds = [
        [BUDGETS[b], *(f"{found[n][b]['wall_s']:,.0f}" if b in found[n] else "–" for n in order)] for b in used
    ]
    tables = [
        (
            f"Accuracy on {target} / {shifted}, %:",
            [*heads, "SEMIT, published"],
            lines(accuracies, ("kannada", "dig"), 100, 1),
        ),
        (
            f"Fowlkes-Mallows score on {target} / {shifted}:",
            [*heads, "SEMIT, published"],
            lines(groupings, ("fms_kannada", "fms_dig"), 1, 2),
        ),
        (
            "Accuracy on the source's own test images, %:",
            [*heads, "SEMIT, published"],
            lines(("source_test_accuracy",), ("mnist",), 100, 1),
        ),
        ("Seconds a run, with the threads named below:", heads, seconds),
    ]
    chosen = [[BUDGETS[b], *(_by_validation(found[n].get(b)) for n in order)] for b in used]
    reached = [[BUDGETS[b], *(_until_published(found[n].get(b)) for n in order)] for b in used]
    tables += _with_something(
        f"Accuracy on {target} at the step that target validation labels choose, as SEMIT's are, %:", heads, chosen
    )
    tables += _with_something(f"Seconds of a run until its accuracy on {target} was SEMIT's:", heads, reached)
    return tables


def _with_something(
    what: str, heads: list[str], body: list[list[str]]
) -> list[tuple[str, list[str], list[list[str]]]]:
    """The table without lines and columns that are empty; none if all are."""
    columns = [i for i in range(1, len(heads)) if any(line[i] != "–" for line in body)]
    kept = [[line[i] for i in (0, *columns)] for line in body if any(line[i] != "–" for i in columns)]
    return [(what, [heads[i] for i in (0, *columns)], kept)] if kept else []


def _until_published(row: Result | None) -> str:
    """How long each seed took to the published accuracy, the mean where all reached it."""
    taken = (row or {}).get("seconds_to_published")
    if not taken:
        return "–"
    return "never" if "never" in taken else f"{float(np.mean(taken)):,.0f}"


def _by_validation(row: Result | None) -> str:
    """The accuracy that somebody with target validation labels would have chosen, mean over seeds."""
    chosen = row and row.get("validation_best_step")
    return f"{100 * float(np.mean(chosen)):.1f}" if chosen else "–"


def seeds_of(rows: list[Result]) -> str:
    """How many seeds each row has, where it is not one, and which rows ended early by their method's own recipe."""
    several = {row["method"]: len(row["seeds"]) for row in rows if len(row["seeds"]) > 1}
    told = ", ".join(f"{name} {n}" for name, n in sorted(several.items()))
    return " ".join([f"One seed a cell{f', but {told}' if told else ''}.", *_shortened(rows)])


def _shortened(rows: list[Result]) -> list[str]:
    """A sentence for all rows that have as few epochs where their methods have more by default."""
    found: dict[tuple[int, int], list[str]] = {}
    for row in rows:
        usual = _usual_epochs(row["method"])
        epochs = row["options"].get("epochs")
        if usual and epochs and row["options"].get("steps") is None and epochs < usual:
            found.setdefault((epochs, usual), []).append(row["method"])
    return [f"In a short form, {few} of {usual} epochs: {', '.join(names)}." for (few, usual), names in found.items()]


def _usual_epochs(row: str) -> int | None:
    """By default, of the method that a row's name is or begins with; None where that is no method or counts steps."""
    known = [name for name in discovery.methods() if f"{row}-".startswith(f"{name}-")]
    return discovery.methods()[max(known, key=len)].fact("recipe", {}).get("epochs") if known else None  # type: ignore[no-any-return]
