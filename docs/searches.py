"""Tables of what sketches find, from rows that record scores of searches."""

from __future__ import annotations

from typing import Any

import numpy as np

from acclimate.metrics.intervals import mean_ci95

Result = dict[str, Any]

# Measures in the order of the columns: heading, and the score's name after the prefix.
_MEASURES = (
    ("P@1", "{}_precision_at_1"),
    ("mAP@all", "{}_map"),
    ("mAP@all, expanded", "{}_expanded_map"),
    ("R@1 own", "{}_own_recall_at_1"),
    ("R@10 own", "{}_own_recall_at_10"),
    ("P@1, all photos", "{}_all_precision_at_1"),
    ("mAP@all, all photos", "{}_all_map"),
)
_UNTRAINED = (
    ("no training: cosine", "untrained_search"),
    ("no training: each side standardised", "standardised_search"),
)
# Ablations in the order in which parts are added; the rest by name.
_ORDER = (
    "triplet-only",
    "adversarial-only",
    "both",
    "retrieval-gan",
    "retrieval-gan-instance",
    "retrieval-gan-scratch",
)

CURVES = {"share": "share of the training sketches", "categories": "categories trained on"}


def curve_lines(rows: list[Result], kind: str) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of one learning curve, in percent."""
    chosen = [row for row in rows if row["kind"] == kind]
    amounts = [f"{100 * row['amount']:.0f} %" if kind == "share" else str(row["amount"]) for row in chosen]
    what = "seen categories" if kind == "share" else "25 unseen categories"
    body = [
        [f"{name}, {what}", *(_mean(row[key]) for row in chosen)]
        for name, key in (("mAP@all", "map"), ("P@1", "precision_at_1"))
    ]
    return [CURVES[kind], *amounts], body


def is_searched(rows: list[Result]) -> bool:
    """Whether these rows are of a task of retrieval."""
    return "map" in rows[0]


def search_lines(rows: list[Result]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of one task's table, in percent: mean ± 95 % interval over seeds."""
    widest = max(rows, key=lambda row: (len(row["seeds"]), len(row["scores"][0])))
    body = [
        [name, *_cells(widest, prefix), str(len(widest["seeds"]))]
        for name, prefix in _UNTRAINED
        if f"{prefix}_map" in widest["scores"][0]
    ]
    body += [[row["method"], *_cells(row, "search"), str(len(row["seeds"]))] for row in sorted(rows, key=_place)]
    return ["", *(heading for heading, _ in _MEASURES), "seeds"], body


def _cells(row: Result, prefix: str) -> list[str]:
    return [_mean([found.get(name.format(prefix)) for found in row["scores"]]) for _, name in _MEASURES]


def _mean(values: list[float | None]) -> str:
    known = [100 * value for value in values if value is not None]
    if not known or len(known) < len(values):
        return "–"
    interval = f" ± {mean_ci95(known):.1f}" if len(known) > 1 else ""
    return f"{np.mean(known):.1f}{interval}"


def _place(row: Result) -> tuple[int, str]:
    name = row["method"]
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)
