"""DANN and MCD steps on a GPU: how far from what it can do, and whether compiling pays.

    python benchmarks/perf/gpu.py

A step's floor is the time its operations take at the rate of a large matrix product, or its optimizers' traffic at
the rate of a large copy, whichever is longer; both rates are measured here. Times are the GPU's own, by events.
"Compiled" is the option `compile`; "CUDA graphs" is torch.compile's mode `reduce-overhead`, which acclimate does not
offer.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

import numpy as np
import torch
from measure import Row, gflop, row, write

from acclimate.data.domain import Domain
from acclimate.methods.base import Method
from acclimate.methods.classification.dann import DANN
from acclimate.methods.classification.mcd import MCD
from acclimate.problems.fitting import make_trainer
from acclimate.problems.planning import make_plan
from acclimate.training.hooks import Hooks
from acclimate.training.trainer import Trainer

BATCH, ROUNDS, STEPS = 128, 9, 10
CASES = ((DANN(), "dann-svhn"), (MCD(n=4), "mcd-svhn"))
# An Adam step reads weight, gradient and both moments, and writes all but the gradient.
ADAM_BYTES = 7 * 4


def milliseconds(work: Callable[[], object], repeats: int) -> list[float]:
    """Milliseconds of GPU time a call, in each of `ROUNDS` rounds after three to warm up."""
    found = []
    for _ in range(3 + ROUNDS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(repeats):
            work()
        end.record()
        torch.cuda.synchronize()
        found.append(start.elapsed_time(end) / repeats)
    return found[3:]


def matmul_rate(dtype: torch.dtype) -> list[float]:
    """Operations of a large matrix product, in 10¹² a second."""
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=dtype) for _ in range(2))
    return [2 * 8192**3 / (ms * 1e9) for ms in milliseconds(lambda: a @ b, 5)]


def copy_rate() -> list[float]:
    """Bytes that a large copy reads and writes, in 10⁹ a second."""
    a = torch.empty(2**30, device="cuda", dtype=torch.uint8)
    b = torch.empty_like(a)
    return [2 * 2**30 / (ms * 1e6) for ms in milliseconds(lambda: b.copy_(a), 5)]


def trainer_of(method: Method, network: str, precision: str) -> Trainer:
    """A trainer over random 32×32 images on the GPU."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 4_000, 32, 32, 3), dtype=np.uint8)
    classes = tuple("0123456789")
    source, target = Domain(images[0], rng.integers(0, 10, 4_000), classes), Domain(images[1], classes=classes)
    options = {"precision": precision, "optimizer": "adam", "batch_size": BATCH, "steps": 100_000, "device": "cuda"}
    return make_trainer(make_plan(method, source, target, network=network, options=options), source, target, Hooks())


def optimizer_bytes(trainer: Trainer) -> int:
    """What the optimizers move through memory in one step."""
    batch = trainer.streams.batch(0.0, trainer.device)
    moved = 0
    for update in trainer.method.updates(trainer.nets, batch):
        moved += sum(p.numel() for name in update.trains for p in trainer.nets[name].parameters()) * ADAM_BYTES
        update.loss.backward()
    return moved


def measured(method: Method, network: str, precision: str, tflop_s: float, gb_s: float) -> list[Row]:
    """Step time plain, compiled and with CUDA graphs, and the plain one's distance to its floor."""
    case, rows = f"{method.title}, {network}, {precision}", []
    plain = trainer_of(method, network, precision)
    taken = milliseconds(plain.train_step, STEPS)
    floor = max(gflop(plain.train_step) / tflop_s, optimizer_bytes(plain) / gb_s / 1e6)
    rows += [
        row(f"{case}: a step", "ms", taken),
        row(f"{case}: its floor", "ms", [floor]),
        row(f"{case}: a step over its floor", "×", [t / floor for t in taken]),
    ]
    for name, mode in (("compiled", "default"), ("CUDA graphs", "reduce-overhead")):
        trainer = trainer_of(method, network, precision)
        for net in trainer.nets.values():
            net.compile(mode=mode)
        try:
            other = milliseconds(trainer.train_step, STEPS)
        except RuntimeError as error:
            print(f"{case}, {name}: {str(error).splitlines()[0]}")
            continue
        rows.append(row(f"{case}: plain over {name}", "×", [statistics.median(taken) / t for t in other]))
    return rows


def main() -> None:
    if not torch.cuda.is_available():
        sys.exit("There is no GPU here.")
    copied = copy_rate()
    rows = [row("copy", "GB/s", copied)]
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        products = matmul_rate(dtype)
        rows.append(row(f"matrix product, {precision}", "TFLOP/s", products))
        for method, network in CASES:
            rows += measured(method, network, precision, statistics.median(products), statistics.median(copied))
    write("training steps on a GPU", rows, gpu=torch.cuda.get_device_name())


if __name__ == "__main__":
    main()
