"""Tables of how well audits do, from benchmarks/results/audits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cells import table

Row = dict[str, Any]
_CLEARLY = 0.01


def audit_parts(results: Path) -> dict[str, str]:
    """The generated parts of docs/audit.md."""
    rows = {
        name: json.loads((results / "audits" / f"{name}.json").read_text(encoding="utf-8"))["rows"]
        for name in ("worlds", "choices")
    }
    example = json.loads((results / "audits" / "example.json").read_text(encoding="utf-8"))
    parts = {"worlds": _worlds(rows["worlds"]), "choices": _choices(rows["choices"]), "example": _example(example)}
    return {name: "\n".join(lines) for name, lines in parts.items()}


def _example(found: dict[str, Any]) -> list[str]:
    """A run, its audit, and what all labels say."""
    adapt, _, answer = found["commands"]
    truth = found["truth"]
    return [
        "Handwritten digits, learnt from rendered ones for two epochs only (`python benchmarks/audit_example.py "
        "FOLDER`):",
        "",
        "```",
        adapt,
        "acclimate audit runs/digits --items 40 --out to_label.csv",
        answer,
        "```",
        "",
        "```text",
        *(line.rstrip() for line in found["told"] if not line.startswith("Report")),
        "```",
        "",
        f"All {found['examples']:,} labels, which the demo keeps hidden, say {100 * truth['after']:.1f} %, and "
        f"{100 * truth['before']:.1f} % without adaptation.",
    ]


def _worlds(rows: list[Row]) -> list[str]:
    """Coverage and width by kind of model, and what they come to over all worlds."""
    kinds = list(dict.fromkeys(row["model"] for row in rows))
    lines = table(
        ["model", "least coverage, %", "of random labels", "width, mean of 30…99 %", "at 70, 80, 90 %"],
        [_kind(kind, [row for row in rows if row["model"] == kind]) for kind in kinds],
    )
    least = {by: 100 * min(row[by]["coverage"] for row in rows) for by in ("audit", "random")}
    narrow = 100 * (1 - np.mean([_ratio(row) for row in rows]))
    return [
        *lines,
        "",
        f"In the worst of {len(rows)} worlds an audit's interval holds the truth in {least['audit']:.1f} % of "
        f"audits, Wilson's of as many random labels in {least['random']:.1f} %. It is narrower by {narrow:.0f} % on "
        f"average. At accuracies of 70 to 90 %, 40 audited labels of a model with sharp confidences are worth "
        f"{_worth(rows):.0f} random ones.",
    ]


def _kind(kind: str, rows: list[Row]) -> list[str]:
    inner = [row for row in rows if 0.65 < row["accuracy"] < 0.92]
    return [
        kind,
        f"{100 * min(row['audit']['coverage'] for row in rows):.1f}",
        f"{100 * min(row['random']['coverage'] for row in rows):.1f}",
        f"{np.mean([_ratio(row) for row in rows]):.2f} ×",
        ", ".join(f"{_ratio(row):.2f}" for row in inner[:3]) + " ×",
    ]


def _worth(rows: list[Row]) -> float:
    """Random labels that give as narrow an interval; widths fall with the root of their number."""
    sharp = [row for row in rows if row["model"].endswith("sharp") and 0.65 < row["accuracy"] < 0.92]
    return float(40 / np.mean([_ratio(row) for row in sharp]) ** 2)


def _ratio(row: Row) -> float:
    return float(row["audit"]["width"] / row["random"]["width"])


def _choices(rows: list[Row]) -> list[str]:
    """What 40 labels choose between candidates, by kind of task."""
    groups = {
        "Office, SURF": [row for row in rows if row["task"].startswith("surf") and "cut" not in row["task"]],
        "Office, MobileNetV2": [row for row in rows if row["task"].startswith("mobile") and "cut" not in row["task"]],
        "the same, classes cut": [row for row in rows if "cut" in row["task"]],
        "digits, other cameras": [row for row in rows if row["task"].startswith("digits")],
        "all": rows,
    }
    heads = ["tasks", "n", "oracle's gain", "gain", "share of it", "mean regret", "worse by > 1 point"]
    return [*table(heads, [_group(name, found) for name, found in groups.items()]), "", *_intervals(rows)]


def _group(name: str, rows: list[Row]) -> list[str]:
    oracle, gains, worse = [], [], []
    for row in rows:
        first, *_ = accuracies = list(row["accuracies"].values())
        taken = np.array([row["accuracies"][model] for model in row["taken"]])
        oracle.append(max(accuracies) - first)
        gains.append(float(np.mean(taken - first)))
        worse.append(float(np.mean(taken < first - _CLEARLY)))
    best, gain = 100 * float(np.mean(oracle)), 100 * float(np.mean(gains))
    share, harmed = f"{100 * gain / best:.0f} %" if best else "–", f"{100 * np.mean(worse):.1f} %"
    return [name, f"{len(rows)}", f"{best:+.2f}", f"{gain:+.2f}", share, f"{best - gain:.2f}", harmed]


def _intervals(rows: list[Row]) -> list[str]:
    """How the intervals of single runs, of all candidates at once and of gains do on these tasks."""
    many = [row for row in rows if row["examples"] >= 150]
    covered = {
        of: 100
        * float(np.mean([one["coverage"] for row in rows for one in (row[of] if of != "of_one" else [row[of]])]))
        for of in ("of_one", "of_all", "of_gains")
    }
    ratio = np.mean([row["of_one"]["width"] / row["random"]["width"] for row in many])
    return [
        f"On these tasks the interval of source only, audited alone, holds the truth in {covered['of_one']:.1f} % of "
        f"audits and has {ratio:.2f} times the width of random labels' (targets of 150 examples or more); those of "
        f"all six, audited at once, hold it in {covered['of_all']:.1f} %, those of the gains in "
        f"{covered['of_gains']:.1f} %."
    ]
