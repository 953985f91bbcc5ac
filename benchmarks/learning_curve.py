"""How much more training data would help retrieval: mAP by share of the sketches, and by number of categories.

    python benchmarks/learning_curve.py [SEEDS]

Writes benchmarks/results/curves/retrieval.json. Shared prototypes on frozen features; every run as the recipes of
sketchy_features.toml have it, but for the training data that are taken away; a tenth of what is left chooses the
weights.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from acclimate.data.sketches import own_photo
from acclimate.data.task import Task
from acclimate.data.tasks import load_task
from acclimate.methods.retrieval.shared_prototypes import SharedPrototypes
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.problems.retrieval.searches import retrieval_scores
from acclimate.runs.files import write_json
from acclimate.runs.machine import current_commit, machine

OUT = Path(__file__).parent / "results" / "curves" / "retrieval.json"
SHARES, CATEGORIES = (0.25, 0.5, 0.75, 1.0), (25, 50, 75, 100)


def with_share(share: float, seed: int) -> Task:
    """Of the photos that have sketches, that share with all their sketches; the other photos stay."""
    task = load_task("sketchy_features", seed).with_label_budget("all")
    owners = np.array(own_photo(task.source.ids))
    names = np.random.default_rng([seed, 1]).permutation(np.unique(owners))
    return replace(task, source=task.source.take(np.isin(owners, names[: round(share * len(names))])))


def with_categories(number: int, seed: int) -> Task:
    """So many of the categories that are not held out."""
    task = load_task("sketchy_features-unseen", seed).with_label_budget("all")
    kept = np.random.default_rng([seed, 2]).permutation(np.unique(task.source.labels))[:number]
    source, target = (domain.take(np.isin(domain.labels, kept)) for domain in (task.source, task.target))
    return replace(task, source=source, target=target)


def score(task: Task, method: SharedPrototypes, seed: int) -> dict[str, float]:
    plan = make_plan(method, task.source, task.target, options={"seed": seed})
    return retrieval_scores(fit(plan, task.source, task.target), task)


def main(seeds: int) -> None:
    rows = []
    worlds = [("share", share, with_share, SharedPrototypes()) for share in SHARES]
    keep = SharedPrototypes(posterior=0.0, keep=1.0, noise=0.5)
    worlds += [("categories", number, with_categories, keep) for number in CATEGORIES]  # type: ignore[list-item]
    for kind, amount, make, method in worlds:
        found = [score(make(amount, seed), method, seed) for seed in range(seeds)]
        row = {name: [round(one[f"search_{name}"], 5) for one in found] for name in ("map", "precision_at_1")}
        rows.append({"kind": kind, "amount": amount, **row})
        print(rows[-1], flush=True)
        OUT.parent.mkdir(parents=True, exist_ok=True)
        write_json(
            OUT,
            {
                "command": f"python benchmarks/learning_curve.py {seeds}",
                "commit": current_commit(),
                "hardware": machine(),
                "selection": "validation-map",
                "seeds": list(range(seeds)),
                "rows": rows,
            },
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
