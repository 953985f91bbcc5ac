"""Columns that two tables have by one name: what they give alone, few labels alone, and both.

    python benchmarks/shared_columns.py [splits]

Real data, each split as two tables would come: a third of the columns stand on both sides, a third on each side only;
every column of the target is in a unit of its own, from another zero; three labels a class. The rows of
scikit-learn's data sets are halved at random, or drawn so that the sides differ along their first principal component
("shifted"); Office-Caltech-10's are photos of two domains, as 60 of their MobileNetV2 features.

The method's constants were settled on wine, digits and two pairs of Office (amazon → webcam, caltech → amazon), whose
rows are marked; the other rows were measured once, afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from sklearn import datasets

from acclimate.data import catalog
from acclimate.data.domain import Domain
from acclimate.data.schema import Column, TableSchema
from acclimate.data.task import Task
from acclimate.errors import AbsentError
from acclimate.metrics.classification import accuracy
from acclimate.metrics.intervals import mean_ci95
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_method, make_plan

METHODS = ("shared-columns", "svmt", "cgt", "bridge")
SETTLED_ON = ("wine", "wine, shifted", "digits", "digits, shifted", "office amazon-webcam", "office caltech-amazon")
_COLUMNS, _ROWS = 60, 400


def bundled(name: str, shift: float, seed: int) -> tuple[np.ndarray, ...]:
    """Rows and labels of both sides of one of scikit-learn's data sets."""
    rng = np.random.default_rng([seed, 1])
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    chosen = rng.permutation(len(x))[: 2 * _ROWS]
    x, y = x[chosen], y[chosen]
    x = x[:, x.std(axis=0) > 0]
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    along = z @ np.linalg.svd(z, full_matrices=False)[2][0]
    is_source = rng.random(len(x)) < 1 / (1 + np.exp(-shift * along / along.std()))
    return x[is_source], y[is_source], x[~is_source], y[~is_source]


def photos(source: str, target: str, seed: int) -> tuple[np.ndarray, ...]:
    """The same of two domains of photos."""
    rng = np.random.default_rng([seed, 2])
    columns = rng.permutation(1280)[:_COLUMNS]
    found: list[np.ndarray] = []
    for split in (source, target):
        domain = catalog.load("office_caltech10_mobilenetv2", split)
        rows = rng.permutation(len(domain))[:_ROWS]
        found += [domain.array[rows][:, columns].astype(np.float64), domain.labels[rows]]
    return tuple(found)


def as_tables(sides: tuple[np.ndarray, ...], seed: int) -> Task:
    """Two tables with overlapping columns, the target's in other units."""
    rng = np.random.default_rng([seed, 3])
    x, y, u, v = sides
    width = x.shape[1]
    order, third = rng.permutation(width), max(2, width // 3)
    shared, ours, theirs = order[:third], order[third : 2 * third], order[2 * third :]
    unit = 10 ** rng.uniform(-2, 2, width)
    other = (u + rng.normal(size=width) * x.std(axis=0)) * unit
    classes = tuple(str(c) for c in range(int(y.max()) + 1))

    def table(rows: np.ndarray, columns: np.ndarray, labels: np.ndarray, name: str) -> Domain:
        schema = TableSchema(columns=tuple(Column(name=f"column {c}", kind="numeric") for c in columns))
        return Domain(rows[:, columns].astype(np.float32), labels, classes, name, schema=schema)

    source = table(x, np.concatenate([shared, ours]), y, "source")
    target = table(other, np.concatenate([shared, theirs]), v, "target")
    return Task(source, target).with_label_budget(3, seed)


def worlds(seed: int) -> Iterator[tuple[str, Task]]:
    """Every row of the table."""
    for name in ("wine", "digits", "breast_cancer", "iris"):
        for suffix, shift in (("", 0.0), (", shifted", 1.0)):
            yield f"{name}{suffix}", as_tables(bundled(name, shift, seed), seed)
    for pair in ("amazon-webcam", "caltech-amazon", "webcam-caltech", "dslr-amazon", "amazon-caltech"):
        try:
            yield f"office {pair}", as_tables(photos(*pair.split("-"), seed=seed), seed)
        except AbsentError:
            continue


def scored(name: str, task: Task) -> float:
    """Accuracy on the target rows whose labels were not given."""
    fitted = fit(make_plan(make_method(name, {}), task.source, task.target), task.source, task.target)
    hidden = task.target.labels < 0
    assert task.hidden is not None
    assert task.hidden.target is not None
    return accuracy(fitted.outputs(task.target).logits[hidden], task.hidden.target[hidden])


def main(splits: int) -> None:
    """Print a table."""
    found: dict[str, dict[str, list[float]]] = {}
    for seed in range(splits):
        for world, task in worlds(seed):
            row = found.setdefault(world, {name: [] for name in METHODS})
            for name in METHODS:
                row[name].append(scored(name, task))
    print(f"| tables, {splits} splits | " + " | ".join(f"`{name}`" for name in METHODS) + " |")
    print("| --- |" + " ---: |" * len(METHODS))
    for world, row in sorted(found.items(), key=lambda item: item[0] not in SETTLED_ON):
        cells = (f"{100 * np.mean(each):.1f} ± {100 * mean_ci95(each):.1f}" for each in row.values())
        print(f"| {world}{' (settled on)' * (world in SETTLED_ON)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
