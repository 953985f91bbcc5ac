"""What all methods gain, cost and are for, in one table; and what methods of other libraries are called here."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from acclimate import discovery
from acclimate.methods import needs
from acclimate.runs.scores import scored_by
from cells import RESULTS, ROOT, Result, left_table, table
from peers import peer_lines

COSTS = ROOT / "src" / "acclimate" / "methods" / "costs.json"
_MEASURED = RESULTS / "checks" / "costs.json"
_FLOORS = ("source-only", "threshold", "nnt", "tfidf")

Measured = dict[str, list[Result]]


def gains(measured: Measured) -> dict[str, list[float]]:
    """Points over the task's baseline by method, on each task where both were measured.

    The baseline is `source-only`; where that is not, `threshold` of classes that may be unknown, the target's few
    labels alone (`nnt`), or for texts `tfidf`.
    """
    found: dict[str, list[float]] = {}
    for means in _by_labels(measured):
        baseline = next((name for name in _FLOORS if name in means), None)
        for name, mean in means.items():
            if baseline is not None and name != baseline:
                found.setdefault(name, []).append(100 * (mean - means[baseline]))
    return found


def _by_labels(measured: Measured) -> list[dict[str, float]]:
    """Means by method of each task, apart by number of labels where a row's name ends in one."""
    known, found = discovery.methods(), []
    for rows in measured.values():
        groups: dict[str, dict[str, float]] = {}
        for row in rows:
            name, _, labels = row["method"].rpartition("-")
            apart = name in known and row["method"] not in known and labels.isdigit()
            groups.setdefault(labels if apart else "", {})[name if apart else row["method"]] = _mean(row)
        found += groups.values()
    return found


def _mean(row: Result) -> float:
    """The mean of what runs are scored by; rows of open-set tasks were kept by accuracy once."""
    scores = row.get("scores", [])
    unknown = bool(scores) and scored_by(scores[0]).endswith("h_score")
    return float(np.mean([s[scored_by(s)] for s in scores])) if unknown else float(row["mean"])


def cost_of(measured: Measured) -> dict[str, float]:
    """Cost of a run over source-only's: computing time where that was measured, else by the clock, a median."""
    own: dict[str, Any] = json.loads(_MEASURED.read_text(encoding="utf-8"))["methods"] if _MEASURED.is_file() else {}
    known = {name: float(row["cost"]) for name, row in own.items()}
    ratios: dict[str, list[float]] = {}
    for rows in measured.values():
        spent = {row["method"]: row["wall_s"] for row in rows}
        for name in spent.keys() - known.keys():
            if spent.get("source-only"):
                ratios.setdefault(name, []).append(spent[name] / spent["source-only"])
    by_clock = {name: float(np.median(found)) for name, found in ratios.items()}
    names = discovery.methods()
    return {name: float(f"{cost:.2g}") for name, cost in sorted((known | by_clock).items()) if name in names}


def costs_file(measured: Measured) -> str:
    """src/acclimate/methods/costs.json."""
    return json.dumps(cost_of(measured), indent=1) + "\n"


def overview_lines(measured: Measured) -> list[str]:
    """The table of all methods."""
    when = tomllib.loads((Path(__file__).parent / "when.toml").read_text(encoding="utf-8"))
    known, gained, costs = discovery.methods(), gains(measured), cost_of(measured)
    rows = []
    for name, component in known.items():
        said, points = when.get(name, {}), gained.get(name, [])
        span = f"{min(points):+.1f} … {max(points):+.1f} ({len(points)})" if points else "–"
        cost = f"{costs[name]:g} ×" if name in costs else "–"
        told = [said.get("take", "–"), said.get("leave", "–")]
        setting = component.fact("problem", "adaptation")
        needed = needs.target_labels(component)
        rows.append([f"[`{name}`]({name}.md)", setting, needs.inputs(component), needed, cost, span, *told])
    heads = ["method", "setting", "input", "target labels", "cost", "gain", "take it for", "leave it where"]
    return left_table(heads, rows)


def elsewhere_page(families: dict[str, Measured]) -> str:
    """docs/methods/elsewhere.md, of measured rows by family of tasks and pair."""
    libraries = tomllib.loads((Path(__file__).parent / "elsewhere.toml").read_text(encoding="utf-8"))
    lines = [
        "# Methods of other libraries, and what they are called here",
        "",
        "Every method of these that classifies vectors or images; its name here, or why it is not.",
    ]
    for library, about in libraries.items():
        rows = [[f"`{name}`", _here(value)] for name, value in about["methods"].items()]
        lines += ["", f"## {library} {about['version']}", "", *left_table(["there", "here"], rows)]
    return "\n".join([*lines, *peer_lines(families)]) + "\n"


def _here(value: str | dict[str, str]) -> str:
    if isinstance(value, dict):
        return f"not here: {value['why']}"
    known = discovery.methods()
    names = value.split(", ")
    return ", ".join(f"[`{name}`]({name}.md)" if name in known else f"`{name}`, not yet" for name in names)


def published_lines(family: str, pairs: list[str]) -> list[str]:
    """What others published of a family of tasks, by pair where they did; nothing where there is no such file."""
    path = ROOT / "benchmarks" / "published" / f"{family}.json"
    if not path.is_file():
        return []
    reported = json.loads(path.read_text(encoding="utf-8"))
    by_pair = {name: about["accuracy"] for name, about in reported.items() if "accuracy" in about}
    body = [[f"`{pair}`", *(f"{100 * values[pair]:.1f}" for values in by_pair.values())] for pair in pairs]
    means = ["mean", *(f"**{100 * np.mean([*values.values()]):.1f}**" for values in by_pair.values())]
    alone = [f"{name} {100 * about['mean']:.1f}" for name, about in reported.items() if "mean" in about]
    sources = sorted({about["source"] for about in reported.values()})
    told = [f"Means alone: {'; '.join(alone)}."] if alone else []
    return [
        "",
        "Published:",
        "",
        *table(["pair", *by_pair], [*body, means]),
        "",
        *told,
        f"Sources: {'; '.join(sources)}.",
    ]
