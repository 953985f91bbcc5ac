"""Tables of how well choices and estimates without target labels do, from benchmarks/results/bank."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from acclimate.selection.estimates import room, spread
from acclimate.selection.rule import decided
from cells import table

Row = dict[str, Any]
Pick = Callable[[Row], str]
FLOOR, FAVOURITE = "source-only", "mcc"
PARTS = ("bank", "fresh", "second", "third")
_STEADY, _TIGHTER = 0.2, 2.0  # of the first rule and of the second
_HARM, _FAR = 0.01, 0.10
# Single scores, each by itself; the first nine are of the literature for choosing.
SINGLE = (
    "source validation",
    "IWV",
    "DEV",
    "entropy",
    "information",
    "BNM",
    "SND",
    "Corr-C",
    "consensus",
    "ClassAMI",
    "silhouette",
    "silhouette there",
    "clusters there",
    "reverse validation",
    "MixVal",
    "stability",
    "class balance",
    "sides alike",
    "ATC",
    "DoC",
    "confidence",
    "seed agreement",
    "expected accuracy",
)
PEERS = {
    "consensus": "EnsV (consensus)",
    "sides alike": "likeness of the sides (discriminability)",
    "silhouette there": "silhouette in the baseline's features",
    "clusters there": "AMI with the baseline's clusters",
}


def choice_parts(results: Path) -> dict[str, str]:
    """The generated parts of docs/choice.md."""
    found = {part: read(results / "bank" / f"{part}.json") for part in PARTS}
    parts = {f"choices-{part}": "\n".join(_choices(rows)) for part, rows in found.items()}
    parts |= {f"estimates-{part}": "\n".join(_estimates(rows)) for part, rows in found.items()}
    return parts | {"tasks": "\n".join(_tasks(found))}


def read(path: Path) -> list[Row]:
    """The rows of a part of the bank."""
    return list(json.loads(path.read_text(encoding="utf-8"))["rows"]) if path.is_file() else []


def picks() -> dict[str, Pick]:
    """Every rule of the table, by name."""
    return {
        "**the rule**": lambda row: decided(row["scores"], FLOOR),
        "the rule, MCC alone beside source-only": lambda row: decided(_only(row, FLOOR, FAVOURITE), FLOOR),
        "the second rule": _second,
        "the first rule": _first,
        "MCC if its agreement and DoC are no lower": _trial,
        "always source-only": lambda _: FLOOR,
        "always MCC": lambda _: FAVOURITE,
        "always MCD": lambda _: "mcd",
        "always DANN": lambda _: "dann",
        **{f"highest {PEERS.get(score, score)}": _highest(score) for score in SINGLE},
        "MCC with a perfect guard (uses labels)": lambda row: _best(row, FLOOR, FAVOURITE),
        "the best candidate (uses labels)": lambda row: _best(row, *row["right"]),
    }


def _only(row: Row, *names: str) -> dict[str, Any]:
    return {name: row["scores"][name] for name in names}


def _best(row: Row, *names: str) -> str:
    return max(names, key=lambda name: row["right"][name])


def _highest(score: str) -> Pick:
    return lambda row: max(row["scores"], key=lambda name: np.nan_to_num(row["scores"][name][score], nan=-np.inf))


def _first(row: Row) -> str:
    """The rule that was fixed on the bank alone; see decision 27."""
    least = row["scores"][FLOOR]

    def passes(own: dict[str, float]) -> bool:
        sure = all(own[name] >= least[name] for name in ("expected accuracy", "confidence"))
        return sure or (least["moved proportions"] <= _STEADY and own["seed agreement"] >= least["seed agreement"])

    passed = [name for name, own in row["scores"].items() if name != FLOOR and passes(own)]
    return max(passed, key=lambda name: row["scores"][name]["expected accuracy"], default=FLOOR)


def _second(row: Row) -> str:
    """The rule that was fixed on the bank and the first fresh tasks; see decision 27."""
    least = row["scores"][FLOOR]
    passed = [
        name
        for name, own in row["scores"].items()
        if own["tighter there"] >= _TIGHTER and own["clusters there"] >= least["clusters there"]
    ]
    return max(passed, key=lambda name: row["scores"][name]["ClassAMI"], default=FLOOR)


def _trial(row: Row) -> str:
    own, least = row["scores"][FAVOURITE], row["scores"][FLOOR]
    return FAVOURITE if all(own[name] >= least[name] for name in ("seed agreement", "DoC")) else FLOOR


def outcome(rows: list[Row], pick: Pick) -> dict[str, np.ndarray]:
    """Gain over the baseline and regret of what a rule picks on each task, in points."""
    taken = [(row["right"], pick(row)) for row in rows]
    gain = [right[name] - right[FLOOR] for right, name in taken]
    regret = [max(right.values()) - right[name] for right, name in taken]
    return {"gain": 100 * np.array(gain), "regret": 100 * np.array(regret)}


def _choices(rows: list[Row]) -> list[str]:
    """A line for each rule."""
    if not rows:
        return ["Not measured yet."]
    natural = np.array([row["kind"] == "natural" for row in rows])
    heads = [
        "rule",
        "gain over source-only [95 %]",
        "natural",
        "changed",
        "regret",
        "natural",
        "> 10 below the best, %",
        "worse than source-only by > 1, %",
        "worst",
    ]
    return table(heads, [[name, *_cells(outcome(rows, pick), natural)] for name, pick in picks().items()])


def _cells(found: dict[str, np.ndarray], natural: np.ndarray) -> list[str]:
    gain, regret = found["gain"], found["regret"]
    low, high = interval(gain)
    return [
        f"{gain.mean():+.1f} [{low:+.1f}, {high:+.1f}]",
        f"{gain[natural].mean():+.1f}",
        f"{gain[~natural].mean():+.1f}",
        f"{regret.mean():.1f}",
        f"{regret[natural].mean():.1f}",
        f"{100 * (regret > 100 * _FAR).mean():.0f}",
        f"{100 * (gain < -100 * _HARM).mean():.0f}",
        f"{gain.min():+.1f}",
    ]


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % interval of a mean over tasks, Student's t."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


FORMS = {
    "copies and another": "**estimate**, two copies and another candidate",
    "one and another": "estimate, one copy and another candidate",
    "copies": "estimate, two copies alone",
    "one": "estimate, one copy alone (DoC)",
}


def _estimates(rows: list[Row]) -> list[str]:
    """A line for each estimator, over all candidates; for those with an interval, how that does."""
    if not rows:
        return ["Not measured yet."]
    cells = [(row, name) for row in rows for name in row["right"]]
    truth = np.array([row["right"][name] for row, name in cells])
    natural = np.array([row["kind"] == "natural" for row, _ in cells])
    taken = np.array([decided(row["scores"], FLOOR) == name for row, name in cells])
    body = []
    for form, title in FORMS.items():
        value = np.array([row["estimates"][name][form] for row, name in cells])
        body.append([title, *_errors(value, truth, natural, taken), *_covers(value, truth, spread(form))])
    simple = ("source validation", "IWV", "ATC", "confidence", "seed agreement", "expected accuracy")
    for score in simple:
        value = np.array([row["scores"][name][score] for row, name in cells])
        body.append([PEERS.get(score, score), *_errors(value, truth, natural, taken), "–", "–"])
    value = np.array([row["scores"][name]["seed agreement"] * row["scores"][name]["DoC"] for row, name in cells])
    body.append(["seed agreement × DoC", *_errors(value, truth, natural, taken), "–", "–"])
    pairs = np.array([pair for row in rows for found in row["by_class"].values() for pair in found])
    apart = 100 * (pairs[:, 0] - pairs[:, 1])
    body.append(
        [
            "by answered class",
            f"{np.abs(apart).mean():.1f}",
            f"{apart.mean():+.1f}",
            "–",
            "–",
            "–",
            *_covers(pairs[:, 0], pairs[:, 1], spread("class")),
        ]
    )
    heads = ["estimate", "mean error", "bias", "natural", "its bias", "of the chosen", "coverage, %", "median width"]
    return table(heads, body)


def _errors(value: np.ndarray, truth: np.ndarray, natural: np.ndarray, taken: np.ndarray) -> list[str]:
    error = 100 * (np.clip(value, 0, 1) - truth)
    return [
        f"{np.abs(error).mean():.1f}",
        f"{error.mean():+.1f}",
        f"{np.abs(error[natural]).mean():.1f}",
        f"{error[natural].mean():+.1f}",
        f"{np.abs(error[taken]).mean():.1f}",
    ]


def _covers(value: np.ndarray, truth: np.ndarray, ends: tuple[float, float]) -> list[str]:
    below, above = ends
    low, high = (np.clip(value + side * room(value), 0, 1) for side in (-below, above))
    held = (low - 1e-9 <= truth) & (truth <= high + 1e-9)
    return [f"{100 * held.mean():.0f}", f"{100 * np.median(high - low):.0f}"]


def _tasks(found: dict[str, list[Row]]) -> list[str]:
    """Every task with what was chosen, and what that came to."""
    body = []
    for part, rows in found.items():
        for row in rows:
            name, right = decided(row["scores"], FLOOR), row["right"]
            best = max(right, key=lambda one: right[one])
            body.append(
                [
                    row["task"],
                    part,
                    name,
                    f"{100 * right[name]:.1f}",
                    f"{100 * right[FLOOR]:.1f}",
                    f"{100 * right[FAVOURITE]:.1f}",
                    f"{100 * right[best]:.1f} ({best})",
                    f"{100 * row['estimates'][name]['copies and another']:.0f}",
                ]
            )
    heads = ["task", "part", "chosen", "right, %", "source-only", "MCC", "the best", "estimated"]
    return table(heads, body)
