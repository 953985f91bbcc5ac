"""What a run of each method that takes numbers costs beside one of the source alone: computing time, not the clock's.

    python benchmarks/costs.py [METHOD…]    # writes benchmarks/results/checks/costs.json; of some, what is new in it

958 examples of 800 numbers against 295, drawn here, so that nothing has to be at hand; the recipe of Office features:
1,000 steps of 64 examples a side. What is trained by steps does 100 of them, and 20, and the difference is scaled to
1,000: set-up counts once, what follows training too. What is computed at once is run as it is. For methods of
several sources, thirds of the source are three.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.sources import joined
from acclimate.errors import RequestError
from acclimate.methods import needs
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan

OUT = Path(__file__).parent / "results" / "checks" / "costs.json"
STEPS, MANY, FEW = 1_000, 100, 20
PROBLEMS = ("adaptation", "partial", "open-set", "several-sources")
RECIPE = {"batch_size": 64, "optimizer": "sgd", "lr": 0.01, "precision": "fp32", "device": "cpu", "evaluations": 1}


def sides() -> tuple[Domain, Domain]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, 800))

    def drawn(n: int, moved: float) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(n) % 10
        return (centres[labels] + 3 * rng.normal(size=(n, 800)) + moved).astype(np.float32), labels

    classes = tuple("abcdefghij")
    x, y = drawn(958, 0.0)
    return Domain(x, y, classes, "source"), Domain(drawn(295, 0.5)[0], classes=classes, name="target")


def seconds(method: str, steps: int | None) -> float:
    source, target = sides()
    own = discovery.methods()[method].load()()
    if own.problem == "several-sources":
        source = joined([source.take(slice(i, None, 3), f"source {i}") for i in range(3)])
    plan = make_plan(own, source, target, options={**RECIPE, **({} if steps is None else {"steps": steps})})
    start = time.process_time()
    fit(plan, source, target)
    return time.process_time() - start


def cost(component: discovery.Component) -> float:
    """Seconds of a whole run."""
    if component.base == "ClosedForm":
        return seconds(component.name, None)
    few, many = seconds(component.name, FEW), seconds(component.name, MANY)
    return few + (many - few) / (MANY - FEW) * (STEPS - FEW)


def main() -> None:
    torch.set_num_threads(1)
    found = {}
    for warming in ("source-only", "tca"):  # what is loaded once counts for nobody
        seconds(warming, None if warming == "tca" else FEW)
    for name, component in discovery.methods().items():
        plain = component.fact("problem", "adaptation") in PROBLEMS and "features" in needs.kinds(component)
        asked = name in ("source-only", *sys.argv[1:]) or not sys.argv[1:]
        if not plain or not asked or needs.takes_target_labels(component):
            continue
        try:
            found[name] = cost(component)
        except RequestError as error:
            print(name, error)
            continue
        print(f"{name:16} {found[name]:.2f} s", flush=True)
    alone = found["source-only"]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    rows = {name: {"seconds": round(spent, 3), "cost": round(spent / alone, 3)} for name, spent in found.items()}
    before = json.loads(OUT.read_text(encoding="utf-8"))["methods"] if sys.argv[1:] and OUT.is_file() else {}
    rows = dict(sorted(({name: row for name, row in before.items() if name in discovery.methods()} | rows).items()))
    OUT.write_text(json.dumps({"command": "python benchmarks/costs.py", "methods": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
