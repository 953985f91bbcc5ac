"""Several methods on a user's own target, as a table and a page that say what they can rank and what not."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup

from acclimate.metrics.intervals import wilson_interval
from acclimate.reports.compare import ComparisonRow, comparison_figure, finding_of
from acclimate.reports.drawing import svg
from acclimate.reports.figures import matrix_figure
from acclimate.reports.own_table import MethodFacts, OwnTable
from acclimate.reports.page import render
from acclimate.reports.wording import capital, duration, percent, points
from acclimate.runs.files import write_text
from acclimate.runs.scores import ACCURACY

# What is scored example by example; anything else, on what is searched for and found.
_OF_EXAMPLES = (ACCURACY, "H-score")


def sentences(table: OwnTable) -> list[str]:
    """What the numbers can tell and what not, first of all whether they rank anything."""
    said = _measured(table) if table.measured else _unmeasured(table)
    if flattered := [facts.name for facts in table.methods if facts.scores and facts.flattered]:
        said.append(f"{_listed(flattered)} learned from the very labels of the score, which flatters.")
    if table.seeds == 1:
        said.append("Each method ran with one seed; another gives other numbers (--seeds 3 tells by how much).")
    return said


def _measured(table: OwnTable) -> list[str]:
    whose = "held-out target examples" if table.held_out else "target examples"
    hidden = "" if any(facts.flattered for facts in table.methods) else " whose labels no training saw"
    first = f"{capital(table.score)} is measured on {table.known:,} {whose}{hidden}."
    if table.score not in _OF_EXAMPLES:
        first = f"{capital(table.score)} is measured on sketches and photos that no training saw."
    return [
        first,
        "Whoever takes a method for its number in that column has spent these labels on the choice: the number then "
        "flatters it, and other labelled examples have to say how good it is.",
        *_chance(table),
    ]


def _chance(table: OwnTable) -> list[str]:
    """How far the choice of examples alone moves an accuracy: half of Wilson's interval, the widest."""
    if not table.known or table.score != ACCURACY:
        return []
    ends = (wilson_interval(round(facts.mean * table.known), table.known) for facts in table.methods if facts.mean)
    reach = max((high - low for low, high in ends), default=1.0) / 2
    return [f"So many labels leave up to ±{100 * reach:.1f} points of an accuracy to chance."]


def _unmeasured(table: OwnTable) -> list[str]:
    granted = max(facts.labels for facts in table.methods)
    known = f"the {granted:,} target labels known were given to training" if granted else "no target label is known"
    return [
        f"Nothing here measures which method is best: {known}.",
        "The numbers say what each method did, not whether it was right: a changed answer may be mended or broken, "
        "methods can agree on what is wrong, and a model can keep its accuracy on the source while it loses the "
        "target. No column ranks them, and checks that noticed nothing are no praise.",
        "Forty labels can: acclimate audit asks for them, and says which of the models to take.",
    ]


def audit_of(table: OwnTable) -> str:
    """The command that asks for labels and says which method's first model to take, the baseline's in doubt."""
    first = [facts.runs[0].folder for facts in sorted(table.methods, key=lambda facts: facts.name != table.baseline)]
    return shlex.join(["acclimate", "audit", *map(str, first)])


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def columns(table: OwnTable) -> dict[str, list[str]]:
    """The table's columns by heading, the methods' names first; those without any value are left out."""
    made = {
        "method": [facts.name for facts in table.methods],
        table.score: [_score_of(facts) for facts in table.methods],
        "balanced accuracy": [_or_dash(facts.balanced, percent) for facts in table.methods],
        f"against {table.baseline}, points": [_or_dash(facts.gain, points) for facts in table.methods],
        f"answers unlike {table.baseline}": [_or_dash(facts.changed, percent) for facts in table.methods],
        "same as the others": [_or_dash(facts.alike, percent) for facts in table.methods],
        "same with other seeds": [_or_dash(facts.steady, percent) for facts in table.methods],
        "source accuracy": [_source_of(facts) for facts in table.methods],
        "target labels given": [f"{facts.labels:,}" if facts.labels else "–" for facts in table.methods],
    }
    kept = {heading: cells for heading, cells in made.items() if any(cell != "–" for cell in cells)}
    return kept | {
        "noticed": [facts.noticed for facts in table.methods],
        "each took": [duration(facts.wall_s) for facts in table.methods],
    }


def _or_dash(value: float | None, written: Callable[[float], str]) -> str:
    return "–" if value is None else written(value)


def _score_of(facts: MethodFacts) -> str:
    reach = "" if facts.ci95 is None else f" ± {100 * facts.ci95:.1f}"
    return _or_dash(facts.mean, percent) + reach


def _source_of(facts: MethodFacts) -> str:
    trained_on = "" if facts.source is None or facts.source_held_out else " (trained on)"
    return _or_dash(facts.source, percent) + trained_on


def write_own_comparison(
    table: OwnTable,
    path: Path,
    heading: str,
    *,
    notes: Sequence[str],
    left_out: Mapping[str, str],
    failed: Mapping[str, str],
) -> Path:
    """Write the page, one self-contained HTML file, atomically.

    Args:
        table: what finished runs tell.
        path: of the page; a name that ends in .html.
        heading: what the page is called.
        notes: on the data, in sentences.
        left_out: methods that are not compared, each with the end of a sentence that says why.
        failed: runs that failed in training, and why.

    Returns:
        `path`.
    """
    found = columns(table)
    page = render(
        "own_comparison.html.j2",
        title=heading,
        sentences=sentences(table),
        headings=[capital(name) for name in found],
        rows=list(zip(*found.values(), strict=True)),
        figure=_accuracies(table),
        agreement=_agreement(table),
        findings=[(facts.name, finding.text()) for facts in table.methods for finding in facts.findings],
        left_out=left_out,
        failed=failed,
        notes=notes,
        run=f"{path.parent}/METHOD-seed0",
        audit=None if table.measured else audit_of(table),
    )
    write_text(path, page)
    return path


def _accuracies(table: OwnTable) -> Markup | None:
    rows = [
        ComparisonRow(facts.name, facts.scores, facts.wall_s, scored=table.score)
        for facts in table.methods
        if facts.scores
    ]
    return svg(comparison_figure(rows), finding_of(rows)) if rows and table.score in _OF_EXAMPLES else None


def _agreement(table: OwnTable) -> Markup | None:
    names = [facts.name for facts in table.methods]
    if len(names) < 2 or np.isnan(table.shares).all():
        return None
    pairs = list(itertools.combinations(range(len(names)), 2))
    told = "; ".join(f"{names[i]} and {names[j]} {percent(table.shares[i, j])}" for i, j in pairs)
    return svg(matrix_figure(table.shares, names, "Same answers, %"), f"Share of the same answers: {told}.")
