"""How many 32×32 images a second one CPU thread prepares: our stream, and one image at a time with Pillow.

    python benchmarks/perf/input_stream.py

Both draw from 60,000 random images, shift by up to 4 pixels, mirror half and normalise. Rounds alternate. Times are
the thread's own CPU seconds, so that other work on the machine matters little. Writes benchmarks/results/perf/.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.data.streams import DomainStream
from acclimate.runs.machine import current_commit, machine

OUT = Path(__file__).parents[1] / "results" / "perf" / "input_stream.json"
ROUNDS, BATCH, OURS, PILLOW = 9, 128, 200, 10


def one_by_one(images: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """A batch as a per-image loader makes it."""
    rows = []
    for i in rng.integers(0, len(images), BATCH):
        picture = ImageOps.expand(Image.fromarray(images[i]), 4)
        x, y = rng.integers(0, 9, 2)
        picture = picture.crop((x, y, x + 32, y + 32))
        picture = ImageOps.mirror(picture) if rng.random() < 0.5 else picture
        rows.append(torch.from_numpy(np.array(picture)).permute(2, 0, 1).float().div_(255).sub_(0.5).div_(0.5))
    return torch.stack(rows)


def main() -> None:
    torch.set_num_threads(1)
    images = np.random.default_rng(0).integers(0, 256, (60_000, 32, 32, 3), dtype=np.uint8)
    preprocess = Preprocess(
        kind="images", size=32, stored=32, channels=3, mean=(0.5,) * 3, std=(0.5,) * 3, pad=4, flip=True
    )
    stream = DomainStream(Domain(images), preprocess, BATCH, seed=0, side="source")
    rng = np.random.default_rng(0)
    next(stream)
    one_by_one(images, rng)
    ours, pillow = [], []
    for _ in range(ROUNDS):
        start = time.thread_time()
        for _ in range(OURS):
            next(stream)
        ours.append(OURS * BATCH / (time.thread_time() - start))
        start = time.thread_time()
        for _ in range(PILLOW):
            one_by_one(images, rng)
        pillow.append(PILLOW * BATCH / (time.thread_time() - start))
    found = {
        "what": "32×32×3 images per CPU second, one thread: pad 4, crop, mirror, normalise",
        "command": "python benchmarks/perf/input_stream.py",
        "commit": current_commit(),
        "hardware": machine(),
        "ours": {"median": round(statistics.median(ours)), "range": [round(min(ours)), round(max(ours))]},
        "pillow": {"median": round(statistics.median(pillow)), "range": [round(min(pillow)), round(max(pillow))]},
        "ratio": round(statistics.median(a / b for a, b in zip(ours, pillow, strict=True)), 1),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({k: found[k] for k in ("ours", "pillow", "ratio")}))


if __name__ == "__main__":
    main()
