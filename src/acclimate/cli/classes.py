"""Recall of each class, for people and for machines."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from acclimate.cli.console import out, percent, table

if TYPE_CHECKING:
    from acclimate.reports.answers import Answers

# More classes than this do not fit beside a score; those with the lowest recall are shown then.
_MOST = 12


def classes_of(answers: Answers) -> dict[str, dict[str, Any]]:
    """Each class that has examples: how many, and its recall with and without adaptation."""
    from acclimate.reports.by_class import class_rows

    return {
        row.name: {"n": row.examples, "recall": row.after, "recall_before": row.before}
        for row in class_rows(answers)
        if row.examples
    }


def print_classes(answers: Answers, models: tuple[str, ...], known: Collection[str] | None = None) -> None:
    """A table of recalls, one class a line.

    Args:
        answers: with known labels.
        models: what to call the columns: the baseline, if there is one, then the model.
        known: the classes that the model can answer, if not all; the others are marked. All classes are then shown.
    """
    from acclimate.reports.by_class import class_rows

    found = [row for row in class_rows(answers) if row.examples]
    shown = found if known is not None else sorted(found, key=lambda row: row.after or 0.0)[:_MOST]
    rows = table("recall of class", "examples", *models, numbers=("examples", *models))
    for row in sorted(shown, key=lambda row: row.number):
        called = row.name if known is None or row.name in known else f"{row.name} (unknown to the model)"
        values = (row.before, row.after) if len(models) > 1 else (row.after,)
        rows.add_row(called, f"{row.examples:,}", *map(percent, values))
    out.print(rows)
    if len(shown) < len(found):
        out.print(f"These are the {len(shown)} of {len(found)} classes with the lowest recall.")
