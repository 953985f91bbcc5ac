"""Write everything in the docs that follows from code and measurements.

    python docs/generate.py           write it
    python docs/generate.py --check   fail if anything on disk differs

- docs/methods/<name>.md: one page for each method, from its declaration and its measured rows
- docs/results.md: every table of accuracies, from benchmarks/results
- docs/performance.md: every table of speed and memory, from benchmarks/results/perf
- docs/pivots.md: which words carried answers, from benchmarks/results/attention
- README.md, docs/few-labels.md, docs/retrieval.md: the parts between <!-- begin:… --> and <!-- end:… -->
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

import budgets
import numpy as np
import searches

import attention
from acclimate import discovery
from acclimate.data.tasks import task_specs
from acclimate.methods.base import Method
from acclimate.metrics.intervals import holm, mean_ci95, signed_rank_p
from acclimate.runs.options import TrainingOptions

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NOTES = ROOT / "benchmarks" / "notes"
PUBLISHED = ROOT / "benchmarks" / "published"
# The order of rows in every table: floors first, ceilings last, methods between by name.
FIRST, LAST = ("source-only", "adabn"), ("train-on-target",)
SHOWN = ("source-only", "adabn", "dann", "mcd", "mcc", "train-on-target")
# Tasks that are pairs of the same domains, `<family>-<source>-<target>`: shown as one table of methods by pairs.
FAMILIES = ("office_features",)
# Likewise for texts, where a linear model without any adaptation is what has to be beaten.
TEXTS = ("amazon", "amazon_raw", "amazon_transductive", "amazon_bow")
TEXT_FLOORS = ("tfidf", "source-only")
TEXTS_SHOWN = ("tfidf", "msda", "source-only", "amn", "ngram-memory")
# Kinds of products that are written about alike; pairs across them are the far ones.
NEAR = ({"books", "dvd", "video"}, {"electronics", "kitchen"})
# Tasks whose sides have different features: one table of tasks by methods.
HETEROGENEOUS = ("office-surf_", "office-decaf_", "office-mobilenet_", "office31-", "reuters-")
TARGET_ONLY = ("svmt", "lrt", "label-spreading", "nnt")
OURS, PAPERS = "cgt", "ssan"

# The questions of docs/performance.md in the order they are answered, by the script that asks them.
PERFORMANCE = {
    "trainer": "The training loop",
    "peers": "Beside other libraries",
    "input_stream": "Input",
    "startup": "Start",
    "memory": "Memory",
    "ssan": "Different features",
    "translation": "Translation",
    "texts": "Texts",
    "index": "The vector index",
    "serve": "The server",
    "gpu": "On a GPU",
}
# Task and pairs of rows that differ in precision alone: (bf16, fp32).
PRECISION = ("mnist-usps", (("mcd", "mcd-fp32"), ("dann", "dann-fp32")))

Result = dict[str, Any]


def results() -> dict[str, list[Result]]:
    """All measured rows by task, in table order."""
    found: dict[str, list[Result]] = {}
    for path in sorted(RESULTS.glob("*/*.json")):
        if path.parent.name not in ("perf", "fuzz", "curves", "checks", "attention"):
            found.setdefault(path.parent.name, []).append(json.loads(path.read_text(encoding="utf-8")))
    return {task: sorted(rows, key=_place) for task, rows in found.items()}


def split_families(
    measured: dict[str, list[Result]],
) -> tuple[dict[str, list[Result]], dict[str, dict[str, list[Result]]]]:
    """Tasks that stand alone, and those of each family by pair of domains."""
    families: dict[str, dict[str, list[Result]]] = {}
    alone = {}
    for task, rows in measured.items():
        family = next((f for f in (*FAMILIES, *TEXTS) if task.startswith(f"{f}-")), None)
        if task.startswith(HETEROGENEOUS):
            for row in rows:
                name, labels = re.fullmatch(r"(.+?)(?:-(\d+))?", row["method"]).groups()  # type: ignore[union-attr]
                pair = f"{task}, {labels} labels" if labels else task
                families.setdefault("heterogeneous", {}).setdefault(pair, []).append({**row, "method": name})
        elif family is None:
            alone[task] = rows
        else:
            families.setdefault(family, {})[task.removeprefix(f"{family}-")] = rows
    return alone, families


def family_means(pairs: dict[str, list[Result]]) -> dict[str, list[float]]:
    """Each method's mean over seeds on every pair, for methods that have all pairs."""
    means: dict[str, list[float]] = {}
    for rows in pairs.values():
        for row in rows:
            means.setdefault(row["method"], []).append(row["mean"])
    return {method: found for method, found in means.items() if len(found) == len(pairs)}


def family_lines(pairs: dict[str, list[Result]]) -> list[str]:
    """A table of methods by pairs, and what each method gains over source-only with a paired test."""
    means = family_means(pairs)
    order = sorted(means, key=lambda method: _place({"method": method}))
    matrix = table(
        ["pair", *order],
        [[f"`{pair}`", *(f"{100 * means[method][i]:.1f}" for method in order)] for i, pair in enumerate(pairs)]
        + [["mean", *(f"**{100 * float(np.mean(means[method])):.1f}**" for method in order)]],
    )
    gains = gain_lines({method: means[method] for method in order}, "source-only")
    return [*matrix, "", *gains]


def gain_lines(means: dict[str, list[float]], floor: str) -> list[str]:
    """What each method gains over another by pair of domains, with a paired test.

    Args:
        means: each method's accuracies on the same pairs.
        floor: the method to compare with.
    """
    gains = {name: np.array(values) - np.array(means[floor]) for name, values in means.items() if name != floor}
    corrected = holm([signed_rank_p(gain.tolist()) for gain in gains.values()])
    tests = table(
        ["method", f"gain over {floor}, points", "pairs better", "p (Holm)"],
        [
            [
                name,
                f"{100 * gain.mean():+.1f} ± {100 * mean_ci95(gain.tolist()):.1f}",
                f"{int((gain > 0).sum())} of {len(gain)}",
                f"{p:.4f}",
            ]
            for (name, gain), p in zip(gains.items(), corrected, strict=True)
        ],
    )
    words = (
        "Gains are paired by pair of domains, each the mean over its seeds: mean ± 95 % interval, and the two-sided "
        f"Wilcoxon signed-rank test over {len(means[floor])} pairs, corrected by Holm for {len(gains)} methods "
        "compared."
    )
    return [words, "", *tests]


def text_lines(family: str, pairs: dict[str, list[Result]]) -> list[str]:
    """A table of methods by pairs with means over near and far ones, and what each gains over the floor."""
    found: dict[str, dict[str, float]] = {}
    for pair, rows in pairs.items():
        for row in rows:
            found.setdefault(row["method"], {})[pair] = row["mean"]
    if family == "amazon_raw":
        reported = json.loads((PUBLISHED / "amazon.json").read_text(encoding="utf-8"))
        found |= {f"{name}, published": paper["accuracy"] for name, paper in reported.items()}
    order = sorted(found, key=lambda method: ("published" in method, *_place({"method": method})))

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
    """Paired tests against the floor, of the methods that have been run on all pairs."""
    whole = {name: [own[pair] for pair in pairs] for name, own in found.items() if all(pair in own for pair in pairs)}
    own = {name: values for name, values in sorted(whole.items()) if "published" not in name}
    floor = next((name for name in TEXT_FLOORS if name in own), None)
    return [] if floor is None or len(own) < 2 or len(pairs) < 6 else gain_lines(own, floor)


def label_lines(found: dict[str, dict[str, Result]]) -> list[str]:
    """A table of accuracies by labelled target examples a class, where a method was run with several numbers.

    Args:
        found: rows by method, by task; a task with another number than its own is called `<task>, <n> labels`.
    """
    own = {spec.name.replace(":", "-"): spec.label_budget for spec in task_specs()}
    several: dict[tuple[str, str], dict[int, Result]] = {}
    for pair, rows in found.items():
        task, _, labels = pair.partition(", ")
        for name, row in rows.items():
            several.setdefault((task, name), {})[int(labels.split()[0] if labels else own[task])] = row
    several = {key: by_number for key, by_number in several.items() if len(by_number) > 1}
    numbers = sorted({number for by_number in several.values() for number in by_number})
    order = [*TARGET_ONLY, *sorted({name for _, name in several} - {*TARGET_ONLY, OURS}), OURS]
    return table(
        ["task", "method", *(f"{n} label{'s' if n > 1 else ''}" for n in numbers)],
        [
            [f"`{task}`", name, *(score(by_number[n]) if n in by_number else "–" for n in numbers)]
            for (task, name), by_number in sorted(several.items(), key=lambda kv: (kv[0][0], order.index(kv[0][1])))
        ],
    )


def heterogeneous_lines(pairs: dict[str, list[Result]]) -> list[str]:
    """A table of tasks by methods, and how the best of ours and the paper's compare with the rest."""
    found = {pair: {row["method"]: row for row in rows} for pair, rows in pairs.items()}
    names = {name for rows in found.values() for name in rows}
    order = [*(n for n in TARGET_ONLY if n in names), *sorted(names - {*TARGET_ONLY, OURS}), *({OURS} & names)]
    oracles = [name for name in order if any("oracle_best_step" in rows.get(name, {}) for rows in found.values())]
    matrix = table(
        ["task", *order, *(f"{name}, best step" for name in oracles)],
        [
            [
                f"`{pair}`",
                *(score(rows[name]) if name in rows else "–" for name in order),
                *(oracle(rows[name]) if name in rows else "–" for name in oracles),
            ]
            for pair, rows in found.items()
            if not pair.endswith(" labels")
        ],
    )
    gains = [float(np.mean(row["oracle_best_step"])) - row["mean"] for row in _with_oracle(found)]
    above = f"{100 * float(np.mean(gains)):.1f}" if gains else ""
    told = [
        "“Best step” is an oracle, for comparison with papers: of 25 points of the curve the one that the held-out "
        f"labels like best, {above} points above the last step on average. Nothing was chosen by it.",
        "",
    ]
    lines = [
        *matrix,
        "",
        *(told if gains else []),
        "Seeds: " + "; ".join(_seeds(name, found) for name in order) + ".",
        "",
    ]
    best = "the best of " + ", ".join(TARGET_ONLY)
    tests = [_gain(name, best, _over_best(found, name)) for name in (OURS, "stn", PAPERS) if name in names]
    tests += [_gain(OURS, name, _differences(found, OURS, name)) for name in order if name != OURS]
    others = (name for name in order if name not in (OURS, PAPERS))
    tests += [_gain(name, PAPERS, _differences(found, name, PAPERS)) for name in others]
    heading = ["", "gain, points", "worst task", "tasks better", "p"]
    words = (
        "Gains are paired by task and number of labels, over the partitions both have; p is of the two-sided "
        "Wilcoxon signed-rank test."
    )
    lines += [words, "", *table(heading, [test for test in tests if test]), ""]
    return [*lines, "By number of labelled target examples a class:", "", *label_lines(found)]


def _with_oracle(found: dict[str, dict[str, Result]]) -> list[Result]:
    return [row for rows in found.values() for row in rows.values() if "oracle_best_step" in row]


def _seeds(name: str, found: dict[str, dict[str, Result]]) -> str:
    counts = [len(rows[name]["seeds"]) for rows in found.values() if name in rows]
    return f"{name} {min(counts)}" + (f" to {max(counts)}" if min(counts) < max(counts) else "")


def _over_best(found: dict[str, dict[str, Result]], name: str) -> list[float]:
    compared = (name, *TARGET_ONLY)
    whole = [shared_means(rows, compared) for rows in found.values() if set(compared) <= rows.keys()]
    return [first - max(others) for first, *others in whole]


def _differences(found: dict[str, dict[str, Result]], one: str, other: str) -> list[float]:
    both = [shared_means(rows, (one, other)) for rows in found.values() if {one, other} <= rows.keys()]
    return [first - second for first, second in both]


def shared_means(rows: dict[str, Result], names: tuple[str, ...]) -> list[float]:
    """Each method's mean over the seeds, that is the partitions, that all of them have."""
    shared = set.intersection(*(set(rows[name]["seeds"]) for name in names))
    scores = (dict(zip(rows[n]["seeds"], rows[n]["target_accuracy"], strict=True)) for n in names)
    return [float(np.mean([by_seed[seed] for seed in sorted(shared)])) for by_seed in scores]


def _gain(one: str, other: str, gains: list[float]) -> list[str]:
    """A line on how much better one method is than another; empty without tasks that have both."""
    if len(gains) < 2:
        return []
    reach = f" ± {100 * mean_ci95(gains):.1f}"
    better = f"{sum(gain > 0 for gain in gains)} of {len(gains)}"
    p = f"{signed_rank_p(gains):.4f}"
    return [
        f"{one} over {other}",
        f"{100 * float(np.mean(gains)):+.1f}{reach}",
        f"{100 * min(gains):+.1f}",
        better,
        p,
    ]


def _place(row: Result) -> tuple[int, str]:
    name = row["method"]
    return (FIRST.index(name) if name in FIRST else 9 if name in LAST else 5, name)


def score(row: Result) -> str:
    """`93.1 ± 0.4`, in percent."""
    interval = "" if row["ci95"] is None else f" ± {100 * row['ci95']:.1f}"
    return f"{100 * row['mean']:.1f}{interval}"


def oracle(row: Result) -> str:
    """The mean over seeds at the step that the held-out labels would choose, in percent."""
    best = row.get("oracle_best_step")
    return f"{100 * float(np.mean(best)):.1f}" if best else "–"


def published(row: Result) -> str:
    """Somebody else's number for the same protocol, in percent."""
    return f"{100 * row['published']['value']:.1f}" if row["published"] else "–"


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; all columns but the first to the right."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return ["| " + " | ".join(cells) + " |" for cells in (headings, rule, *rows)]


def result_lines(rows: list[Result]) -> list[str]:
    """One task's table."""
    return table(
        ["method", "target accuracy, %", "seeds", "published", "steps", "seconds a run"],
        [
            [r["method"], score(r), str(len(r["seeds"])), published(r), f"{r['steps']:,}", f"{r['wall_s']:,.0f}"]
            for r in rows
        ],
    )


def budget_lines(task: str, rows: list[Result]) -> list[str]:
    """Tables of methods by label budgets."""
    tables = [["", what, "", *table(heads, body)] for what, heads, body in budgets.budget_tables(task, rows)]
    return [*[line for lines in tables for line in lines][1:], "", budgets.seeds_of(rows)]


def first_budgets(measured: dict[str, list[Result]]) -> str:
    """The first of those tables, of the first task that has some."""
    for task in budgets.TASKS:
        if task in measured:
            what, heads, body = budgets.budget_tables(task, measured[task])[0]
            return "\n".join([what, "", *table(heads, body), "", budgets.seeds_of(measured[task])])
    return "Not measured yet."


def hardware(rows: list[Result]) -> str:
    """What the rows were measured on, once."""
    seen = {
        f"{r['hardware']['cpu']}, {r['hardware']['threads']} thread(s) a run, torch {r['hardware']['torch']}"
        for r in rows
    }
    return "; ".join(sorted(seen))


def results_page(measured: dict[str, list[Result]]) -> str:
    """docs/results.md."""
    lines = [
        "# Results",
        "",
        "Accuracy on held-out target labels, mean ± 95 % interval (Student's t over seeds). Weights are those of",
        "the last step or, where a protocol says so, of the lowest loss on source examples set aside: no target",
        "label chose a checkpoint, and a run only scores held-out labels. Where somebody saw such scores while a",
        "method or a recipe was made, the note under its table says so. Each file in `benchmarks/results` holds",
        "every seed, every option, the commit and the machine.",
        "",
        "Run times are wall-clock seconds on a machine that was doing other work too; compare them with care.",
    ]
    alone, families = split_families(measured)
    for task, rows in alone.items():
        lines += _section(task, rows, task_lines(task, rows))
    for family, pairs in families.items():
        if family in TEXTS:
            tables = text_lines(family, pairs)
        else:
            tables = heterogeneous_lines(pairs) if family == "heterogeneous" else family_lines(pairs)
        lines += _section(family, [row for rows in pairs.values() for row in rows], tables)
    return "\n".join(lines) + "\n"


def task_lines(task: str, rows: list[Result]) -> list[str]:
    """The tables of a task that stands alone."""
    if task in budgets.TASKS:
        return budget_lines(task, rows)
    return table(*searches.search_lines(rows)) if searches.is_searched(rows) else result_lines(rows)


def _section(title: str, rows: list[Result], tables: list[str]) -> list[str]:
    """One task or family: protocol, tables, what there is to say about them, how to replay."""
    lines = ["", f"## `{title}`", "", f"{rows[0]['protocol']}.", "", *tables, ""]
    notes = NOTES / f"{title}.md"
    if notes.is_file():
        lines += [notes.read_text(encoding="utf-8").strip(), ""]
    commands = dict.fromkeys(row["command"] for row in rows)
    return [*lines, f"Replay: {', '.join(f'`{c}`' for c in commands)}. Measured on {hardware(rows)}."]


def method_page(component: discovery.Component, measured: dict[str, list[Result]]) -> str:
    """docs/methods/<name>.md."""
    method = component.load()
    recipe = TrainingOptions.resolve(method.recipe, {}).model_dump()
    doc = inspect.getdoc(method) or ""
    summary, _, rest = doc.partition("\n")
    options = [[f"`{n}`", f"`{f.default}`", f.description or ""] for n, f in method.model_fields.items()]
    stated = [
        [f"`{n}`", f"`{recipe[n]}`", TrainingOptions.model_fields[n].description or ""] for n in sorted(method.recipe)
    ]
    lines = [f"# {method.title}", "", f"*{method.paper}* · `{method.name}` · `acclimate.{component.class_name}`", ""]
    lines += [summary, "", rest.strip("\n"), ""]
    if options + stated:
        lines += ["## Options", "", *_left_table(["option", "default", "meaning"], options + stated), ""]
    lines += [
        "## Use",
        "",
        "```",
        f"acclimate adapt {_sides(method)} --method {method.name}",
        "```",
    ]
    lines += ["", "```python", "import acclimate as ac", ""]
    lines += [f"model = ac.{component.class_name}(seed=0).fit(source, target)", "```", "", "## Measured", ""]
    rows = _measured_lines(method.name, measured)
    measure = "mAP@all, %" if component.fact("retrieves", False) else "target accuracy, %"
    lines += table(["task", measure, "seeds", "published"], rows) if rows else ["Not measured yet."]
    lines += ["", "How each number was made, and how to replay it: [results](../results.md).", ""]
    path = component.module.replace(".", "/")
    lines += [f"The whole method is one file: [`src/{path}.py`](../../src/{path}.py)."]
    return "\n".join(lines) + "\n"


def _sides(method: type[Method]) -> str:
    """Source and target as a user of the method would name them."""
    if method.retrieves:
        return "--source sketches/ --target photos/"
    if method.heterogeneous:
        return "--source words.npz --target pictures.npz"
    if "images" in method.kinds:
        return "--source labelled/ --target photos/"
    return "--source books.jsonl --target kitchen.jsonl"


def _measured_lines(method: str, measured: dict[str, list[Result]]) -> list[list[str]]:
    """A method's line of each task alone, of each label budget, and of each family, with how many pairs were run."""
    alone, families = split_families(measured)
    lines = [
        [f"`{task}`", score(row), str(len(row["seeds"])), published(row)]
        for task, rows in alone.items()
        if task not in budgets.TASKS
        for row in rows
        if row["method"] == method
    ]
    for task in budgets.TASKS.keys() & alone.keys():
        found = budgets.by_budget(alone[task]).get(method, {})
        lines += [
            [f"`{task}`, target labels: {words}", score(found[budget]), str(len(found[budget]["seeds"])), "–"]
            for budget, words in budgets.BUDGETS.items()
            if budget in found and not (budget == "0" and method in budgets.NAMELESS)
        ]
    for family, pairs in families.items():
        own = [row for rows in pairs.values() for row in rows if row["method"] == method]
        if own:
            mean = f"{100 * float(np.mean([row['mean'] for row in own])):.1f}"
            kind = "tasks by number of labels" if family == "heterogeneous" else "pairs"
            of = f"{len(pairs)} {kind}" if len(own) == len(pairs) else f"{len(own)} of {len(pairs)} {kind}"
            lines.append([f"`{family}`, mean of {of}", mean, str(max(len(row["seeds"]) for row in own)), "–"])
    return lines


def performance_page(measured: dict[str, list[Result]]) -> str:
    """docs/performance.md."""
    lines = [
        "# Speed and memory",
        "",
        "Measured by `make perf` on one thread of a machine that was doing other work too. CPU seconds are shown",
        "instead of wall-clock time wherever that is possible, contenders take turns round by round, and ratios are",
        "taken within a round. Each number is the median, with the smallest and the largest round beside it; `aim`",
        "is what the project asks of itself, met or not.",
    ]
    for name, title in PERFORMANCE.items():
        lines += ["", f"## {title}", ""]
        path = RESULTS / "perf" / f"{name}.json"
        if path.is_file():
            lines += performance_lines(json.loads(path.read_text(encoding="utf-8")))
            note = NOTES / "perf" / f"{name}.md"
            lines += ["", note.read_text(encoding="utf-8").strip()] if note.is_file() else []
        else:
            lines += [f"Not measured yet. Where there is what it needs: `python benchmarks/perf/{name}.py`."]
        if name == "peers":
            lines += ["", "## What bf16 costs", "", *precision_lines(measured)]
    return "\n".join(lines) + "\n"


def performance_lines(found: Result) -> list[str]:
    """One question: what was measured, the table, the notes, how to replay."""
    rows = [[row["case"], f"{row['median']:,} {row['unit']}", spread(row), *aim_cells(row)] for row in found["rows"]]
    notes = [f"- {note}" for note in found.get("notes", ())]
    machine = f"{found['hardware']['cpu']}, torch {found['hardware']['torch']}, commit `{found['commit']}`"
    return [
        f"{found['what'][0].upper()}{found['what'][1:]}.",
        "",
        *table(["", "median", "range", "aim", "met"], rows),
        "",
        *notes,
        *([""] if notes else []),
        f"Replay: `{found['command']}`. Measured on {machine}.",
    ]


def pivots_page() -> str:
    """Deletion curves and pivots of every pair of products, by method."""
    methods = attention.measured(RESULTS)
    lines = ["# Words that carried answers", "", "Generated from `benchmarks/results/attention`; do not edit.", ""]
    if not methods:
        return "\n".join([*lines, "Not measured yet.", ""])
    lines += ["How to see those of your own texts: [texts](texts.md#which-words-carried-it).", ""]
    lines += ["## Does it matter what is attended to?", ""]
    first = next(iter(methods[0]["pairs"].values()))["deletion"]
    lines += [
        f"Accuracy in percent, mean over the pairs, once words of {first['texts']} held-out target texts of each"
        f" pair are deleted: those with the largest weights, or random ones ({first['draws']} draws). Weights are"
        " attention for `amn`, and the size of a word's share in the answer for the others.",
        "",
        *table(*attention.deletion_rows(methods)),
        "",
    ]
    told = ["`{}` on {} of {}".format(found["method"], *attention.faster(found)) for found in methods]
    lines += [f"Pairs on which the weightiest words matter more at every number deleted: {', '.join(told)}.", ""]
    lines += ["![Accuracy by words deleted](pictures/deletion.svg)", ""]
    for found in methods:
        lines += _pivot_lines(found)
    return "\n".join(lines)


def _pivot_lines(found: Result) -> list[str]:
    """One method's section of the page of pivots."""
    headings = ["pair", "answer", "on both sides, source/target", "on the target only"]
    return [
        f"## Pivots of `{found['method']}`",
        "",
        f"The word with the largest weight ({attention.WEIGHTS[found['method']]}) in each text that the model is"
        " surest of and right about: how many texts of the source, and of the target, have it so. Stop words and"
        " negations are left out, and words that lead fewer than five texts.",
        "",
        *_left_table(headings, attention.pivot_rows(found)),
        "",
        f"Replay: `{found['command']}`, after the comparison that it reads.",
        "",
    ]


def spread(row: Result) -> str:
    """The smallest and the largest round, or a dash for a single one."""
    low, high = row["range"]
    return "–" if low == high else f"{low:,} to {high:,}"


def aim_cells(row: Result) -> list[str]:
    """The bar and whether the median passes it; dashes without one."""
    if row["aim"] is None:
        return ["–", "–"]
    ((kind, value),) = row["aim"].items()
    met = row["median"] <= value if kind == "at_most" else row["median"] >= value
    return [f"{'≤' if kind == 'at_most' else '≥'} {value:,}", "yes" if met else "**no**"]


def precision_lines(measured: dict[str, list[Result]]) -> list[str]:
    """Accuracy in bf16 and in fp32 over the seeds that both have, and the paired difference."""
    task, pairs = PRECISION
    by_name = {row["method"]: row for row in measured[task]}
    rows = []
    for names in pairs:
        if not all(name in by_name for name in names):
            continue
        found = [by_name[name] for name in names]
        assert [row["options"]["precision"] for row in found] == ["bf16", "fp32"]
        half, single = (dict(zip(row["seeds"], row["target_accuracy"], strict=True)) for row in found)
        seeds = sorted(half.keys() & single.keys())
        gains = [100 * (half[seed] - single[seed]) for seed in seeds]
        means = [f"{100 * float(np.mean([of[seed] for seed in seeds])):.1f}" for of in (half, single)]
        interval = f" ± {mean_ci95(gains):.1f}" if len(gains) > 1 else ""
        rows.append([names[0], str(len(seeds)), *means, f"{np.mean(gains):+.1f}{interval}"])
    return [
        f"Target accuracy on `{task}` in percent, the same seeds in both precisions; the difference is paired by",
        "seed, with its 95 % interval. Only training is in bf16: weights are float32, and so is every evaluation.",
        "",
        *(table(["method", "seeds", "bf16", "fp32", "bf16 − fp32, points"], rows) if rows else ["Not measured yet."]),
    ]


def _left_table(headings: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (headings, ["---"] * len(headings), *rows)]


def readme_results(measured: dict[str, list[Result]]) -> str:
    """The README's table: the same few methods for each task, chosen beforehand and not by their score."""
    rows = []
    alone, families = split_families(measured)
    for task, found in alone.items():
        if task in budgets.TASKS or searches.is_searched(found):
            continue
        by_name = {r["method"]: r for r in found}
        rows.append([f"`{task}`", *(score(by_name[name]) if name in by_name else "–" for name in SHOWN)])
    for family in FAMILIES:
        pairs = families.get(family, {})
        means = family_means(pairs)
        cells = [f"{100 * float(np.mean(means[name])):.1f}" if name in means else "–" for name in SHOWN]
        rows.append([f"`{family}`, mean of {len(pairs)} pairs", *cells])
    return "\n".join(table(["task", *SHOWN], rows))


def readme_heterogeneous(measured: dict[str, list[Result]]) -> str:
    """Means over the tasks whose sides have different features, of the methods that have been run on all of them."""
    pairs = split_families(measured)[1].get("heterogeneous", {})
    means = family_means({pair: rows for pair, rows in pairs.items() if not pair.endswith(" labels")})
    order = [*(n for n in TARGET_ONLY if n in means), *(n for n in (PAPERS, "stn", OURS) if n in means)]
    tasks = len(next(iter(means.values()), []))
    cells = [f"{100 * float(np.mean(means[name])):.1f}" for name in order]
    return "\n".join(table(["", *order], [[f"mean of {tasks} tasks, %", *cells]]))


def readme_texts(measured: dict[str, list[Result]]) -> str:
    """Means over the pairs of reviews, copies left out, of the methods that have been run on all of them."""
    pairs = split_families(measured)[1].get("amazon", {})
    found: dict[str, dict[str, float]] = {}
    for pair, rows in pairs.items():
        for row in rows:
            found.setdefault(row["method"], {})[pair] = row["mean"]
    order = [name for name in TEXTS_SHOWN if len(found.get(name, {})) == len(pairs) and pairs]
    groups = {f"mean of {len(pairs)} pairs, %": [*pairs], **near_and_far([*pairs])}
    cells = [
        [what, *(f"{100 * float(np.mean([found[name][pair] for pair in chosen])):.1f}" for name in order)]
        for what, chosen in groups.items()
    ]
    return "\n".join(table(["", *order], cells))


def searches_of(measured: dict[str, list[Result]]) -> str:
    """The tables of what sketches find, each under its task's name."""
    tables = [
        [f"`{task}`:", "", *table(*searches.search_lines(rows))]
        for task, rows in measured.items()
        if searches.is_searched(rows)
    ]
    return "\n".join(line for lines in tables for line in [*lines, ""]).strip() or "Not measured yet."


def curve_of() -> str:
    """Tables of mAP by amount of training data."""
    path = RESULTS / "curves" / "retrieval.json"
    if not path.is_file():
        return "Not measured yet."
    found = json.loads(path.read_text(encoding="utf-8"))
    tables = [table(*searches.curve_lines(found["rows"], kind)) for kind in searches.CURVES]
    n = len(found["rows"][0]["map"])
    seeds = "One seed" if n == 1 else f"Means of {n} seeds"
    return "\n".join([*tables[0], "", *tables[1], "", f"{seeds}. Replay: `{found['command']}`."])


def readme_methods() -> str:
    """The README's list of methods."""
    rows = [
        [f"[`{c.name}`](docs/methods/{c.name}.md)", c.fact("paper", ""), c.summary]
        for c in discovery.methods().values()
    ]
    return "\n".join(_left_table(["method", "source", "idea"], rows))


def readme_tasks() -> str:
    """How many public tasks there are, by name."""
    names = [spec.name for spec in task_specs()]
    families = {name.partition(":")[0] for name in names if ":" in name}
    shown = ", ".join(f"`{name}`" for name in names if ":" not in name) + (
        ", and `office:<a>-<b>`, `office_features:<a>-<b>`; with different features on each side "
        "`office:<x>_<a>-<y>_<b>`, `office31:<x>_<a>-<y>_<b>`, `reuters:<a>-<b>`; "
        "of texts `amazon:<a>-<b>`, `amazon_raw:<a>-<b>`, "
        "`amazon_transductive:<a>-<b>`, `multi_domain_sentiment:<a>-<b>`, and `amazon_bow:<a>-<b>` as bags of words"
    )
    assert not (untold := {family for family in families if f"`{family}:" not in shown}), untold
    return shown


def fill(text: str, parts: dict[str, str]) -> str:
    """Replace what stands between the markers of each part."""
    for name, content in parts.items():
        pattern = rf"(<!-- begin:{name} -->\n).*?(\n<!-- end:{name} -->)"
        text, count = re.subn(pattern, lambda m, c=content: m[1] + c + m[2], text, flags=re.DOTALL)
        assert count == 1, f"there must be <!-- begin:{name} --> and <!-- end:{name} -->"
    return text


def generate() -> dict[Path, str]:
    """Every generated file and its content."""
    measured = results()
    readme = ROOT / "README.md"
    found = searches_of(measured)
    parts = {
        "searches": found,
        "results": readme_results(measured),
        "heterogeneous": readme_heterogeneous(measured),
        "texts": readme_texts(measured),
        "budgets": first_budgets(measured),
        "methods": readme_methods(),
        "tasks": readme_tasks(),
    }
    pages = {
        ROOT / "docs" / "methods" / f"{c.name}.md": method_page(c, measured) for c in discovery.methods().values()
    }
    retrieval = ROOT / "docs" / "retrieval.md"
    few_labels = ROOT / "docs" / "few-labels.md"
    return {
        readme: fill(readme.read_text(encoding="utf-8"), parts),
        few_labels: fill(few_labels.read_text(encoding="utf-8"), {"budgets": first_budgets(measured)}),
        retrieval: fill(retrieval.read_text(encoding="utf-8"), {"searches": found, "curve": curve_of()}),
        ROOT / "docs" / "results.md": results_page(measured),
        ROOT / "docs" / "performance.md": performance_page(measured),
        ROOT / "docs" / "pivots.md": pivots_page(),
        **pages,
    }


def main() -> int:
    """Write, or check."""
    stale = []
    for path, content in generate().items():
        if "--check" in sys.argv:
            if not path.is_file() or path.read_text(encoding="utf-8") != content:
                stale.append(path.relative_to(ROOT))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    for path in stale:
        print(f"{path} is out of date; run: make docs")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
