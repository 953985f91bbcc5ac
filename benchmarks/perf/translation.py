"""What a training step of the translators costs, over the time its arithmetic needs at a matrix product's rate.

    python benchmarks/perf/translation.py

The published sizes: batches of 64 for each side, 32 feature maps in the VAE-GAN's first convolution, and the 8 that
long trainings on a processor have; UNIT's generator of 96 maps is measured at 24. Mutual views has batches of 128.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from measure import gflop, interleaved, ratios, row, write

from acclimate.data.tasks import load_task
from acclimate.methods.base import Method
from acclimate.methods.classification.mutual_views import MutualViews
from acclimate.methods.translation.unit import UNIT
from acclimate.methods.translation.vae_gan import SharedLatentVAEGAN
from acclimate.problems.fitting import make_trainer
from acclimate.problems.planning import make_plan
from acclimate.training.allocator import keep_freed_memory
from acclimate.training.hooks import Hooks

ROUNDS, SIDE = 5, 1024
METHODS: dict[str, Method] = {
    "vae-gan": SharedLatentVAEGAN(),
    "vae-gan, a quarter of the maps": SharedLatentVAEGAN(maps=8),
    "unit, a quarter of the maps": UNIT(maps=24, critic_maps=16),
    "mutual-views": MutualViews(),
}


def main() -> None:
    keep_freed_memory()
    torch.set_num_threads(1)
    task = load_task("mnist-kannada").with_label_budget("all")
    contenders: dict[str, Callable[[], object]] = {}
    counts: dict[str, float] = {}
    for precision in ("fp32", "bf16"):
        contenders[f"matrix product, {precision}"] = product(precision)
        for name, method in METHODS.items():
            plan = make_plan(method, task.source, task.target, options={"precision": precision, "steps": 10**6})
            contenders[f"{name}, {precision}"] = make_trainer(plan, task.source, task.target, Hooks()).train_step
    for name in METHODS:
        counts[name] = gflop(contenders[f"{name}, fp32"])
    taken = interleaved(contenders, ROUNDS)
    rows = [row(f"a step of {name}", "GFLOP", [count]) for name, count in counts.items()]
    for precision in ("fp32", "bf16"):
        product_seconds = taken[f"matrix product, {precision}"]
        rates = [2 * SIDE**3 / 1e9 / s for s in product_seconds]
        rows.append(row(f"matrix product of {SIDE}×{SIDE}, {precision}", "GFLOP/s", rates))
        for name, count in counts.items():
            own = taken[f"{name}, {precision}"]
            floor = [count / rate for rate in rates]
            rows.append(row(f"a step of {name}, {precision}", "CPU s", own))
            rows.append(row(f"a step of {name} over its floor, {precision}", "×", ratios(own, floor)))
    notes = (
        "The floor is the step's arithmetic, as torch counts it, at the rate of one large matrix product. "
        "Convolutions of small images cannot reach it: their weights are as large as what they are applied to.",
    )
    write("a training step of each translator, over the time its arithmetic needs", rows, notes=notes)


def product(precision: str) -> Callable[[], object]:
    """One large matrix product in that precision."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    return functools.partial(torch.mm, *(torch.randn(SIDE, SIDE).to(kind) for _ in range(2)))


if __name__ == "__main__":
    main()
