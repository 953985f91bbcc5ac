"""Write everything in the docs that follows from code and measurements.

    python docs/generate.py           write it
    python docs/generate.py --check   fail if anything on disk differs

- docs/methods/<name>.md: one page for each method, from its declaration and its measured rows
- docs/results.md: every table of accuracies, from benchmarks/results
- docs/performance.md: every table of speed and memory, from benchmarks/results/perf
- docs/pivots.md: which words carried answers, from benchmarks/results/attention
- docs/methods/index.md and docs/tasks.md: lists of the methods and of the public tasks
- docs/methods/elsewhere.md: what methods of other libraries are called here
- src/acclimate/methods/costs.json: what each method costs, for `acclimate methods`
- src/acclimate/reports/label_worth.json: what target labels were worth, for reports of runs without any
- README.md, docs/partial.md, docs/open-set.md, docs/few-labels.md, docs/retrieval.md, docs/audit.md, docs/choice.md,
  docs/test-time.md: what is between <!-- begin:… --> and <!-- end:… -->
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path

import label_curves
import numpy as np
from choices import choice_parts
from class_sets import ENDINGS, family_of, measured_sets, set_lines
from lists import methods_page, tasks_page
from several_sources import SEVERAL, measured_several, several_lines, several_of

import attention
import budgets
import searches
from acclimate import discovery
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.runs.options import TrainingOptions
from acclimate.runs.scores import ACCURACY, in_words, scored_by
from audits import audit_parts
from cells import (
    NOTES,
    RESULTS,
    ROOT,
    Result,
    family_means,
    gain_lines,
    hardware,
    left_table,
    place,
    published,
    score,
    table,
)
from heterogeneous import heterogeneous_lines, heterogeneous_means
from overview import COSTS, costs_file, elsewhere_page, overview_lines, published_lines
from performance import performance_page
from reviews import text_lines, text_means
from streams import stream_parts
from worked import gallery_page

SHOWN = ("source-only", "adabn", "dann", "mcd", "mcc", "train-on-target")
# Tasks that are pairs of the same domains, `<family>-<source>-<target>`: shown as one table of methods by pairs.
FAMILIES = ("office_features", "office_surf")
TEXTS = ("amazon", "amazon_raw", "amazon_transductive", "amazon_bow")
# What is kept beside the rows of tasks.
OTHERS = ("attention", "audits", "bank", "checks", "curves", "fuzz", "gallery", "perf", "test_time")
# Tasks whose sides have different features: one table of tasks by methods.
HETEROGENEOUS = ("office-surf_", "office-decaf_", "office-mobilenet_", "office31-", "reuters-")


def results() -> dict[str, list[Result]]:
    """All measured rows by task, in table order."""
    found: dict[str, list[Result]] = {}
    for path in sorted(RESULTS.glob("*/*.json")):
        if path.parent.name not in OTHERS:
            found.setdefault(path.parent.name, []).append(json.loads(path.read_text(encoding="utf-8")))
    return {task: sorted(rows, key=place) for task, rows in found.items()}


def split_families(
    measured: dict[str, list[Result]],
) -> tuple[dict[str, list[Result]], dict[str, dict[str, list[Result]]]]:
    """Tasks that stand alone, and those of each family by pair of domains."""
    families: dict[str, dict[str, list[Result]]] = {}
    alone = {}
    for task, all_rows in measured.items():
        rows, of_labels = label_curves.parted(task, all_rows)
        if of_labels:
            families.setdefault(label_curves.FAMILY, {})[task] = of_labels
        family = next((f for f in (*FAMILIES, *TEXTS) if task.startswith(f"{f}-")), None)
        if task.startswith(HETEROGENEOUS):
            for row in rows:
                name, labels = re.fullmatch(r"(.+?)(?:-(\d+))?", row["method"]).groups()  # type: ignore[union-attr]
                pair = f"{task}, {labels} labels" if labels else task
                families.setdefault("heterogeneous", {}).setdefault(pair, []).append({**row, "method": name})
        elif (of_sets := family_of(task) or several_of(task)) is not None:
            families.setdefault(of_sets[0], {})[of_sets[1]] = rows
        elif family is None:
            alone[task] = rows
        else:
            families.setdefault(family, {})[task.removeprefix(f"{family}-")] = rows
    return alone, families


def family_lines(pairs: dict[str, list[Result]]) -> list[str]:
    """A table of methods by pairs, and what each method gains over source-only with a paired test."""
    means = family_means(pairs)
    order = sorted(means, key=lambda method: place({"method": method}))
    matrix = table(
        ["pair", *order],
        [[f"`{pair}`", *(f"{100 * means[method][i]:.1f}" for method in order)] for i, pair in enumerate(pairs)]
        + [["mean", *(f"**{100 * float(np.mean(means[method])):.1f}**" for method in order)]],
    )
    gains = gain_lines({method: means[method] for method in order}, "source-only")
    return [*matrix, "", *gains]


def result_lines(rows: list[Result]) -> list[str]:
    """One task's table."""
    scored = in_words(scored_by(rows[0]["scores"][0])) if rows[0].get("scores") else ACCURACY
    return table(
        ["method", f"{scored}, %", "seeds", "published", "steps", "seconds a run"],
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
        *glance(measured),
    ]
    alone, families = split_families(measured)
    for task, rows in alone.items():
        lines += _section(task, rows, task_lines(task, rows))
    for family, pairs in families.items():
        if family in TEXTS:
            tables = text_lines(family, pairs)
        elif family == SEVERAL:
            tables = several_lines(pairs)
        elif family in ENDINGS.values():
            tables = set_lines(family, pairs)
        elif family == label_curves.FAMILY:
            tables = label_curves.label_lines(pairs)
        else:
            tables = heterogeneous_lines(pairs) if family == "heterogeneous" else family_lines(pairs)
            tables = [*tables, *published_lines(family, [*pairs])]
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
    python = " = ".join(f"`acclimate.{name}`" for name in component.python_names)
    lines = [f"# {method.title}", "", f"*{method.paper}* · `{method.name}` · {python}", ""]
    lines += [f"Input: {needs.inputs(component)}. Target labels: {needs.target_labels(component)}.", ""]
    lines += [summary, "", rest.strip("\n"), ""]
    if options + stated:
        lines += ["## Options", "", *left_table(["option", "default", "meaning"], options + stated), ""]
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
    measure = "mAP@all, %" if component.fact("problem") == "retrieval" else "target accuracy, %"
    lines += table(["task", measure, "seeds", "published"], rows) if rows else ["Not measured yet."]
    lines += ["", "How each number was made, and how to replay it: [results](../results.md).", ""]
    path = component.module.replace(".", "/")
    lines += [f"The whole method is one file: [`src/{path}.py`](../../src/{path}.py)."]
    return "\n".join(lines) + "\n"


def _sides(method: type[Method]) -> str:
    """Source and target as a user of the method would name them."""
    if method.problem == "retrieval":
        return "--source sketches/ --target photos/"
    if needs.takes_shared_columns(method):
        return "--source old.csv --target new.csv --label-column kind"
    if method.problem == "heterogeneous":
        return "--source words.npz --target pictures.npz"
    if "images" in needs.kinds(method):
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
    lines += label_curves.lines_of(method, families.pop(label_curves.FAMILY, {}))
    for family, pairs in families.items():
        own = [row for rows in pairs.values() for row in rows if row["method"] == method]
        if own:
            mean = f"{100 * float(np.mean([row['mean'] for row in own])):.1f}"
            kind = "tasks by number of labels" if family == "heterogeneous" else "pairs"
            of = f"{len(pairs)} {kind}" if len(own) == len(pairs) else f"{len(own)} of {len(pairs)} {kind}"
            lines.append([f"`{family}`, mean of {of}", mean, str(max(len(row["seeds"]) for row in own)), "–"])
    return lines


def overview(measured: dict[str, list[Result]]) -> list[str]:
    """The same few methods for each task, chosen beforehand and not by their score."""
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
    return table(["task", *SHOWN], rows)


def glance(measured: dict[str, list[Result]]) -> list[str]:
    """What stands before the tables of single tasks: one table for each kind of problem, or where it is."""
    families = split_families(measured)[1]
    return [
        "",
        "## At a glance",
        "",
        "Classes, the same features on both sides: the same network for every method of a task, one to five seeds.",
        "",
        *overview(measured),
        "",
        "Where source and target have different features, three target labels a class (five on text) are given to",
        "every method; the first four use nothing else. [When a source helps](different-features.md).",
        "",
        *heterogeneous_means(families.get("heterogeneous", {})),
        "",
        "Sentiment of product reviews, trained on one kind of product and applied to another, copies left out",
        "([which words told it](pivots.md)):",
        "",
        *text_means(families.get("amazon", {})),
        "",
        "Digits of another script by how many target labels there are: [few labels](few-labels.md). Photos found by",
        "sketch: [retrieval](retrieval.md). Which method is chosen where no label tells: [choice](choice.md). Speed",
        "and memory: [performance](performance.md).",
    ]


def gained(measured: dict[str, list[Result]]) -> str:
    """What the README says of its picture's task."""
    rows = {row["method"]: row for row in measured["demo"]}
    before, after = (f"{100 * rows[name]['mean']:.1f} %" for name in ("source-only", "mcc"))
    seeds = len(rows["mcc"]["seeds"])
    return (
        f"Right on unseen handwriting, mean of {seeds} seeds: {before} without adaptation, {after} with it, and no "
        "label of a handwritten digit used for training ([results](docs/results.md))."
    )


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
    pages = {
        ROOT / "docs" / "methods" / f"{c.name}.md": method_page(c, measured) for c in discovery.methods().values()
    }
    retrieval = ROOT / "docs" / "retrieval.md"
    few_labels = ROOT / "docs" / "few-labels.md"
    audit = ROOT / "docs" / "audit.md"
    choice = ROOT / "docs" / "choice.md"
    test_time = ROOT / "docs" / "test-time.md"
    families = split_families(measured)[1]
    few = families.get(label_curves.FAMILY, {})
    sets = {ROOT / "docs" / f"{name}.md": measured_sets(name, families.get(name, {})) for name in ENDINGS.values()}
    sets[ROOT / "docs" / f"{SEVERAL}.md"] = measured_several(families.get(SEVERAL, {}))
    return {
        readme: fill(readme.read_text(encoding="utf-8"), {"gained": gained(measured)}),
        few_labels: fill(
            few_labels.read_text(encoding="utf-8"),
            {
                "budgets": first_budgets(measured),
                "labels": label_curves.measured_labels(families.get(label_curves.FAMILY, {})),
            },
        ),
        retrieval: fill(retrieval.read_text(encoding="utf-8"), {"searches": found, "curve": curve_of()}),
        audit: fill(audit.read_text(encoding="utf-8"), audit_parts(RESULTS)),
        choice: fill(choice.read_text(encoding="utf-8"), choice_parts(RESULTS)),
        test_time: fill(test_time.read_text(encoding="utf-8"), stream_parts(RESULTS)),
        ROOT / "docs" / "methods" / "index.md": methods_page(overview_lines(measured)),
        ROOT / "docs" / "methods" / "elsewhere.md": elsewhere_page(families),
        COSTS: costs_file(measured),
        label_curves.WORTH: label_curves.worth_file(few),
        ROOT / "docs" / "tasks.md": tasks_page(),
        ROOT / "docs" / "gallery.md": gallery_page(),
        ROOT / "docs" / "results.md": results_page(measured),
        ROOT / "docs" / "performance.md": performance_page(measured),
        ROOT / "docs" / "pivots.md": attention.pivots_page(RESULTS),
        **{page: fill(page.read_text(encoding="utf-8"), {page.stem: told}) for page, told in sets.items()},
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
