"""What `acclimate adapt --dry-run` says of memory against what `acclimate adapt` then takes.

    python benchmarks/perf/step_memory.py

Both are commands in processes of their own, on inputs that are made here. Measured is the peak of resident memory
from start to end, report included. Photos are trained on in both forms: what the network computes is kept for the
backward pass, or computed again there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import Row, row, write

# Options, and the inputs' shape.
CASES: dict[str, tuple[str, tuple[int, ...]]] = {
    "MLP, 300 features": ("-m dann", (300,)),
    "digits network, MCD": ("-m mcd --network mcd-usps", (28, 28, 1)),
    "digits network of 25 million weights, MCD": ("-m mcd --network mcd-svhn", (32, 32, 3)),
    "VAE-GAN": ("-m vae-gan", (32, 32, 3)),
    "MobileNetV2 at 96×96, MCC": ("-m mcc --network mobilenetv2-scratch --image-size 96", (100, 100, 3)),
    "MobileNetV2 at 96×96, MCD": ("-m mcd --network mobilenetv2-scratch --image-size 96", (100, 100, 3)),
    "MobileNetV2 at 224×224, DANN": ("-m dann --network mobilenetv2-scratch", (100, 100, 3)),
}
AGAIN = {name: f"{words} --set activations=recompute" for name, (words, _) in CASES.items() if "MobileNet" in name}
EXAMPLES = 160


def make_inputs(folder: Path, shape: tuple[int, ...]) -> None:
    """Five classes on either side, at random."""
    rng = np.random.default_rng(0)
    for side in ("source", "target"):
        x = rng.integers(0, 256, (EXAMPLES, *shape))
        inputs = x.astype(np.uint8) if len(shape) > 1 else x.astype(np.float32)
        np.savez(folder / f"{side}.npz", x=inputs, **({"y": np.arange(EXAMPLES) % 5} if side == "source" else {}))


def told_and_taken(folder: Path, words: str) -> tuple[float, float]:
    """GB that the dry run tells, and that the run of three steps takes."""
    command = [sys.executable, "-m", "acclimate", "adapt", "--source", "source.npz", "--target", "target.npz"]
    command += [*words.split(), "--steps", "3"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    told = subprocess.run(
        [*command, "--dry-run", "--json"], cwd=folder, env=environment, capture_output=True, check=True
    )
    process = subprocess.Popen(
        [*command, "--no-baseline", "--out", "run"], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"adapt {words} failed")
    return json.loads(told.stdout)["memory_bytes"] / 1e9, usage.ru_maxrss * 1024 / 1e9


def rows_of(case: str, words: str, shape: tuple[int, ...]) -> list[Row]:
    """Told, taken, and how far they lie apart."""
    with tempfile.TemporaryDirectory() as name:
        make_inputs(Path(name), shape)
        told, taken = told_and_taken(Path(name), words)
    print(f"{case}: told {told:.2f} GB, taken {taken:.2f} GB", flush=True)
    return [
        row(f"{case}: told", "GB", [told]),
        row(f"{case}: taken", "GB", [taken]),
        row(f"{case}: told beside taken, off by", "%", [100 * abs(told / taken - 1)], at_most=25),
    ]


def main() -> None:
    rows: list[Row] = []
    for case, (words, shape) in CASES.items():
        rows += rows_of(case, words, shape)
        if case in AGAIN:
            rows += rows_of(f"{case}, computed again", AGAIN[case], shape)
    write("memory that a dry run tells, and that the run takes", rows)


if __name__ == "__main__":
    main()
