"""Tables of pairs of products whose reviews are read."""

from __future__ import annotations

import json

import numpy as np

from cells import ROOT, Result, gain_lines, place, table

PUBLISHED = ROOT / "benchmarks" / "published"
# A linear model without any adaptation is what has to be beaten.
FLOORS = ("tfidf", "source-only")
SHOWN = ("tfidf", "msda", "source-only", "amn", "ngram-memory")
# Kinds of products that are written about alike; pairs across them are the far ones.
NEAR = ({"books", "dvd", "video"}, {"electronics", "kitchen"})


def text_lines(family: str, pairs: dict[str, list[Result]]) -> list[str]:
    """A table of methods by pairs with means over near and far ones, and what each gains over the baseline."""
    found: dict[str, dict[str, float]] = {}
    for pair, rows in pairs.items():
        for row in rows:
            found.setdefault(row["method"], {})[pair] = row["mean"]
    if family == "amazon_raw":
        reported = json.loads((PUBLISHED / "amazon.json").read_text(encoding="utf-8"))
        found |= {f"{name}, published": paper["accuracy"] for name, paper in reported.items()}
    order = sorted(found, key=lambda method: ("published" in method, *place({"method": method})))

    def mean(method: str, chosen: list[str]) -> str:
        values = [found[method][pair] for pair in chosen if pair in found[method]]
        return f"**{100 * float(np.mean(values)):.1f}**" if chosen and len(values) == len(chosen) else "–"

    groups = {f"mean of {len(pairs)}": [*pairs], **near_and_far([*pairs])}
    body = [
        [f"`{pair}`", *(f"{100 * found[m][pair]:.1f}" if pair in found[m] else "–" for m in order)] for pair in pairs
    ]
    means = [[what, *(mean(method, chosen) for method in order)] for what, chosen in groups.items()]
    lines = table(["pair", *order], [*body, *means])
    seeds: dict[str, list[int]] = {}
    for row in (row for rows in pairs.values() for row in rows):
        seeds.setdefault(row["method"], []).append(len(row["seeds"]))
    told = "; ".join(
        f"{name} {min(n)}" + (f" to {max(n)}" if max(n) > min(n) else "") for name, n in sorted(seeds.items())
    )
    return [*lines, "", f"Seeds: {told}.", "", *_text_gains(found, [*pairs])]


def near_and_far(pairs: list[str]) -> dict[str, list[str]]:
    """Pairs of products that are written about alike, and the others, by what to call their mean."""
    near = [pair for pair in pairs if any(set(pair.split("-")) <= kind for kind in NEAR)]
    kinds = (("near", near), ("far", [pair for pair in pairs if pair not in near]))
    return {f"mean of {len(found)} {kind}": found for kind, found in kinds if found}


def _text_gains(found: dict[str, dict[str, float]], pairs: list[str]) -> list[str]:
    """Paired tests against the baseline, of the methods that have been run on all pairs."""
    whole = {name: [own[pair] for pair in pairs] for name, own in found.items() if all(pair in own for pair in pairs)}
    own = {name: values for name, values in sorted(whole.items()) if "published" not in name}
    baseline = next((name for name in FLOORS if name in own), None)
    return [] if baseline is None or len(own) < 2 or len(pairs) < 6 else gain_lines(own, baseline)


def text_means(pairs: dict[str, list[Result]]) -> list[str]:
    """Means over the pairs of reviews, copies left out, of the methods that have been run on all of them."""
    found: dict[str, dict[str, float]] = {}
    for pair, rows in pairs.items():
        for row in rows:
            found.setdefault(row["method"], {})[pair] = row["mean"]
    order = [name for name in SHOWN if len(found.get(name, {})) == len(pairs) and pairs]
    groups = {f"mean of {len(pairs)} pairs, %": [*pairs], **near_and_far([*pairs])}
    cells = [
        [what, *(f"{100 * float(np.mean([found[name][pair] for pair in chosen])):.1f}" for name in order)]
        for what, chosen in groups.items()
    ]
    return table(["", *order], cells)
