"""Pages that list what there is: the methods, and the public tasks with the data sets behind them."""

from __future__ import annotations

from acclimate import discovery
from acclimate.cli.lists import by_pattern
from acclimate.data.catalog.base import Dataset
from acclimate.data.tasks import task_specs
from acclimate.methods import needs
from cells import left_table


def methods_page(overview: list[str]) -> str:
    """docs/methods/index.md.

    Args:
        overview: the table of what all methods gain, cost and are for.
    """
    rows = [
        [f"[`{c.name}`]({c.name}.md)", needs.inputs(c), needs.target_labels(c), c.fact("paper", ""), c.summary]
        for c in discovery.methods().values()
    ]
    lines = [
        "# Methods",
        "",
        "Each has a page with its equations, its options and what was measured of it; `acclimate methods NAME` shows",
        "the same. Which one to begin with: [a table](../start.md#which-method). A new one is one new file:",
        "[CONTRIBUTING](../../CONTRIBUTING.md).",
        "",
        *left_table(["method", "input", "target labels", "source", "idea"], rows),
        "",
        "## What they gain and cost",
        "",
        "Gain: points of accuracy over `source-only` (where there is none, over the target's few labels alone, or",
        "`tfidf` for texts), worst and best task, and how many tasks it was measured on: tasks differ by method, so",
        "read across with care. Cost: computing time of a run over that of `source-only` on the same numbers",
        "(`python benchmarks/costs.py`); for what takes no numbers, seconds in the rows of the",
        "[results](../results.md).",
        "`acclimate methods --kind features --setting adaptation --max-cost 2` lists those that fit.",
        "What methods of other libraries are called here: [elsewhere](elsewhere.md).",
        "",
        *overview,
    ]
    return "\n".join(lines) + "\n"


def tasks_page() -> str:
    """docs/tasks.md."""
    tasks = [
        [f"`{pattern}`", specs[0].summary, str(len(specs))] for pattern, specs in by_pattern(task_specs()).items()
    ]
    lines = [
        "# Public tasks",
        "",
        "`acclimate adapt --task NAME` and `acclimate compare --task NAME` read public data by a fixed protocol;",
        "`acclimate tasks` lists every name. What was measured on them stands in [results](results.md).",
        "",
        *left_table(["task", "protocol", "tasks"], tasks),
        "",
        "## Data sets",
        "",
        "`acclimate data get mnist` downloads a data set's official files and checks them.",
        "`acclimate data info mnist` tells where they come from and what their traps are, `acclimate data list`",
        "which are here.",
        "",
        *left_table(["data set", "what", "licence"], [_dataset(c.load()()) for c in discovery.datasets().values()]),
    ]
    return "\n".join(lines) + "\n"


def _dataset(dataset: Dataset) -> list[str]:
    return [f"`{dataset.name}`", dataset.title, dataset.licence]
