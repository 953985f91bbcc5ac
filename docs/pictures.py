"""Pictures of the docs, as files beside them.

    python docs/pictures.py                      # accuracy and grouping by label budget, from benchmarks/results
    python docs/pictures.py runs/kannada         # and, from a run of a method that translates, what its report shows

They are not checked against the results, as `generate.py --check` does with text: another version of the drawing
library draws other bytes.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from typing import Any

import label_curves
import numpy as np
from matplotlib.figure import Figure

import attention
from acclimate.reports import embedding
from acclimate.reports.drawing import BLUE, GREEN, ORANGE, PURPLE, VERMILLION, End, axis_name, name_ends, panel, ticks
from acclimate.reports.drawing import standalone_svg as as_svg
from acclimate.reports.drawing import title as entitle
from acclimate.reports.latent import latent_figure
from acclimate.reports.translations import translations_section
from acclimate.runs.record import Run
from budgets import BUDGETS, NAMELESS, ORDER, PUBLISHED, TASKS, by_budget, mean
from cells import RESULTS, ROOT

PICTURES = ROOT / "docs" / "pictures"
CURVES = RESULTS / "curves" / "vae.json"
# The two sides of mnist-kannada, on trained and on unseen images: what a line is called, its colour and its dashes.
SIDES = {
    "source": ("MNIST, trained", BLUE, "-"),
    "source_test": ("MNIST, unseen", BLUE, ":"),
    "target": ("Kannada, trained", VERMILLION, "-"),
    "target_test": ("Kannada, unseen", VERMILLION, ":"),
}
# What a figure shows: its name, a row's score, the published number's key, the title, the factor.
FIGURES = (
    ("accuracy", "target_test_accuracy", "kannada", "Accuracy on the target's test images, %", 100),
    ("accuracy-shifted", "target_shifted_accuracy", "dig", "Accuracy on the shifted target, %", 100),
    ("grouping", "target_test_fowlkes_mallows", "fms_kannada", "Fowlkes-Mallows score, target's test images", 1),
    ("grouping-shifted", "target_shifted_fowlkes_mallows", "fms_dig", "Fowlkes-Mallows score, shifted target", 1),
)
COLOURS = dict(zip((*ORDER, "SEMIT, published"), (BLUE, VERMILLION, GREEN, ORANGE, PURPLE), strict=True))


def main() -> int:
    """Write them all."""
    PICTURES.mkdir(exist_ok=True)
    for task in TASKS:
        rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((RESULTS / task).glob("*.json"))]
        for name, score, key, words, factor in FIGURES if rows else ():
            lines = budget_lines(rows, score, key)
            (PICTURES / f"{task}-{name}.svg").write_text(as_svg(figure(lines, words, factor)), encoding="utf-8")
    for name, drawn in labels().items():
        (PICTURES / f"labels-{name}.svg").write_text(as_svg(drawn), encoding="utf-8")
    if CURVES.exists():
        drawn = curves(json.loads(CURVES.read_text(encoding="utf-8")))
        (PICTURES / "auto-encoder-losses.svg").write_text(as_svg(drawn), encoding="utf-8")
    if found := attention.measured(RESULTS):
        (PICTURES / "deletion.svg").write_text(as_svg(deletion(found)), encoding="utf-8")
    for folder in sys.argv[1:]:
        of_run(Run(folder))
    return 0


def budget_lines(rows: list[dict[str, Any]], score: str, key: str) -> dict[str, dict[str, float]]:
    """A score by budget, of each method that has several budgets and of the paper."""
    found = {
        name: {budget: value for budget, row in own.items() if (value := mean(row, score)) is not None}
        for name, own in by_budget(rows).items()
    }
    if score.endswith("_accuracy"):
        for name in NAMELESS & found.keys():
            found[name].pop("0", None)
    paper = json.loads(PUBLISHED.read_text(encoding="utf-8"))["SEMIT"]["budgets"]
    found["SEMIT, published"] = {budget: numbers[key] for budget, numbers in paper.items()}
    return {name: values for name, values in found.items() if len(values) > 1}


def figure(lines: Mapping[str, Mapping[str, float]], words: str, factor: float) -> Figure:
    """One line for each method, over budgets at equal distances, named at its end."""
    drawn, axes = panel(460, 270)
    places = {budget: place for place, budget in enumerate(BUDGETS)}
    ends = []
    for name, values in lines.items():
        x = [places[budget] for budget in BUDGETS if budget in values]
        y = [factor * values[budget] for budget in BUDGETS if budget in values]
        colour = COLOURS.get(name, "#7f7f7f")
        dashed = "published" in name
        axes.plot(x, y, color=colour, linewidth=1.6, marker="o", markersize=3, linestyle="--" if dashed else "-")
        ends.append(End(f"{name} {y[-1]:.{1 if factor == 100 else 2}f}", y[-1], colour))
    axes.set_xticks(list(places.values()), ["none", *list(BUDGETS)[1:]])
    axes.set_ylim(0, 1.02 * factor)
    axes.margins(x=0.03)
    entitle(axes, words)
    axis_name(axes, "labels of the target: so many a class, or a share")
    name_ends(axes, ends, gap=0.05 * factor * 270 / 300)
    return drawn


def labels() -> dict[str, Figure]:
    """Accuracy by number of target labels a class, a figure for each group of tasks with the same features."""
    tasks = {path.name: path for path in RESULTS.glob("*") if path.is_dir()}
    rows = {t: [json.loads(p.read_text(encoding="utf-8")) for p in sorted(tasks[t].glob("*.json"))] for t in tasks}
    parted = {task: label_curves.parted(task, own)[1] for task, own in sorted(rows.items())}
    found = label_curves.curves({task: own for task, own in parted.items() if own})
    return {name.partition(",")[0]: label_figure(name, own) for name, own in found.items()}


def label_figure(name: str, by_method: Mapping[str, Mapping[int, float]]) -> Figure:
    """One line for each method that was run with several numbers of labels, named at its end."""
    drawn, axes = panel(460, 270)
    lines = {method: own for method, own in by_method.items() if len(own) > 1}
    numbers = sorted({n for own in lines.values() for n in own})
    ends = []
    for (method, own), colour in zip(lines.items(), (BLUE, VERMILLION, GREEN, ORANGE, PURPLE), strict=False):
        x, y = [numbers.index(n) for n in own], [100 * value for value in own.values()]
        axes.plot(x, y, color=colour, linewidth=1.6, marker="o", markersize=3)
        ends.append(End(f"{label_curves.NAMES.get(method, method)} {y[-1]:.1f}", y[-1], colour))
    axes.set_xticks(range(len(numbers)), [str(n) if n else "none" for n in numbers])
    axes.margins(x=0.03)
    entitle(axes, f"Accuracy on the target, %: {name}")
    axis_name(axes, "target labels a class")
    name_ends(axes, ends, gap=0.06 * (axes.get_ylim()[1] - axes.get_ylim()[0]))
    return drawn


def curves(found: Mapping[str, Any]) -> Figure:
    """The plain auto-encoder's loss on each side's trained and unseen images, by step."""
    drawn, axes = panel(460, 270)
    points = [point for point in found["points"] if point["step"]]
    ends = []
    for side, (name, colour, dashes) in SIDES.items():
        losses = [point[side] for point in points]
        axes.plot([point["step"] for point in points], losses, color=colour, linewidth=1.6, linestyle=dashes)
        ends.append(End(f"{name} {losses[-1]:.1f}", losses[-1], colour))
    axes.set_ylim(0, None)
    axes.margins(x=0.02)
    entitle(axes, "Auto-encoder's loss, nats an image")
    axis_name(axes, "training steps")
    name_ends(axes, ends, gap=0.06 * axes.get_ylim()[1])
    return drawn


def deletion(methods: list[dict[str, Any]]) -> Figure:
    """Accuracy once the weightiest words are deleted, and once random ones are: means over the pairs, by method."""
    drawn, axes = panel(560, 270)
    ends = []
    for found, colour in zip(methods, (BLUE, VERMILLION, GREEN), strict=False):
        deleted = next(iter(found["pairs"].values()))["deletion"]["deleted"]
        for kind, dashes, words in (("attended", "-", ""), ("random", ":", ", random")):
            y = 100 * attention.mean_curve(found, kind, "accuracy")
            axes.plot(deleted, y, color=colour, linewidth=1.6, linestyle=dashes)
            ends.append(End(f"{found['method']}{words} {y[-1]:.0f}", y[-1], colour))
    axes.margins(x=0.02)
    entitle(axes, "Accuracy on held-out target texts, %, once words are deleted")
    axis_name(axes, "words deleted")
    ticks(axes.xaxis, 6, integer=True)
    name_ends(axes, ends, gap=0.06 * (axes.get_ylim()[1] - axes.get_ylim()[0]))
    return drawn


def of_run(run: Run) -> None:
    """The pictures of a run's section on translations."""
    section = translations_section(run, run.config["task"]["classes"])
    assert section is not None, f"{run.folder} holds no translations"
    urls = {f"from-{name}": part.grids[0].url for name, part in zip(("source", "target"), section.directions)}  # noqa: B905
    urls |= {f"path-{number}": grid.url for number, grid in enumerate(section.paths[:2])}
    if section.animation is not None:
        urls["training"] = section.animation.moving
    for name, url in urls.items():
        (PICTURES / f"translation-{name}.png").write_bytes(base64.b64decode(url.partition(",")[2]))
    with np.load(run.translations_path, allow_pickle=False) as stored:
        labels = np.where(stored["is_target"] & ~stored["by_label"], stored["predicted"], stored["label"])
        means = {side: stored[f"{side}_mean"] for side in ("source", "target")}
        places = embedding.tsne(stored["codes"])
        space = latent_figure(places, labels, stored["is_target"], means, run.config["task"]["classes"])
    space.savefig(PICTURES / "translation-space.png", dpi=110)
    print(f"{run.folder}: {len(urls) + 1} pictures")


if __name__ == "__main__":
    sys.exit(main())
