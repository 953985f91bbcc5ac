"""How well each side's images can be encoded at all: a plain auto-encoder's loss, on trained and on unseen images.

    python benchmarks/vae_curves.py [STEPS]

SEMIT's own experiment on MNIST and Kannada digits, with its networks and its loss (sum of absolute differences plus
divergence, nats an image). It trained for 100,000 steps; that is the default, and a day of one core. Writes
benchmarks/results/curves/vae.json after every point; `python docs/pictures.py` draws it. The last step counts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from acclimate.data.tasks import load_task
from acclimate.methods.translation.vae import VAE
from acclimate.problems.fitting import make_trainer
from acclimate.problems.planning import make_plan
from acclimate.running.adaptation import thinned
from acclimate.runs.files import write_json
from acclimate.runs.machine import current_commit, machine
from acclimate.training.hooks import Hooks

OUT = Path(__file__).parent / "results" / "curves" / "vae.json"
POINTS, SHOWN, SEED = 20, 1_000, 0


def main(steps: int) -> None:
    task = load_task("mnist-kannada", SEED)
    options = {"steps": steps, "seed": SEED, "evaluations": POINTS}
    plan = make_plan(VAE(), task.source, task.target, options=options)
    points: list[dict[str, float]] = []

    def record(row: Mapping[str, object]) -> None:
        if row["kind"] != "evaluation":
            return
        names = sorted(name.rsplit("_", 1)[0] for name in row if name.endswith("_kl"))
        losses = {name: round(row[f"{name}_kl"] + row[f"{name}_reconstruction"], 2) for name in names}  # type: ignore[operator]
        points.append({"step": row["step"], **losses})  # type: ignore[dict-item]
        print(points[-1], flush=True)
        write_json(
            OUT,
            {
                "command": f"python benchmarks/vae_curves.py {steps}",
                "commit": current_commit(),
                "hardware": machine(),
                "loss": "KL + L1 summed over pixels, mean over images, at the codes' means",
                "images": SHOWN,
                "published": {
                    "value": {"source": 92.5, "source_test": 93.4, "target": 92.0, "target_test": 93.0},
                    "source": "github.com/ast0414/semit, loss curves after 100,000 steps, read off the figures",
                },
                "points": points,
            },
        )

    monitored = {
        role: plan.preprocess.of(role).fit(thinned(domain, SHOWN))
        for role, domain in task.domains().items()
        if role in ("source", "source_test", "target", "target_test")
    }
    make_trainer(plan, task.source, task.target, Hooks(monitor=monitored, record=record)).train()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
