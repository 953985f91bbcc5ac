"""How many 32×32 images a second one CPU thread prepares: our stream, and one image at a time with Pillow.

    python benchmarks/perf/input_stream.py

Both draw from 60,000 random images, shift by up to 4 pixels, mirror half and normalise.
"""

from __future__ import annotations

import numpy as np
import torch
from measure import interleaved, ratios, row, write
from PIL import Image, ImageOps

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.streams.order import DomainStream

ROUNDS, BATCH, OURS, PILLOW = 15, 128, 100, 10


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
    images = np.random.default_rng(0).integers(0, 256, (60_000, 32, 32, 3), dtype=np.uint8)
    preprocess = Preprocess(
        kind="images", size=32, stored=32, channels=3, mean=(0.5,) * 3, std=(0.5,) * 3, pad=4, flip=True
    )
    stream = DomainStream(Domain(images), preprocess, BATCH, seed=0, side="source")
    rng = np.random.default_rng(0)
    taken = interleaved(
        {
            "ours": lambda: [next(stream) for _ in range(OURS)],
            "pillow": lambda: [one_by_one(images, rng) for _ in range(PILLOW)],
        },
        ROUNDS,
    )
    ours = [OURS * BATCH / t for t in taken["ours"]]
    pillow = [PILLOW * BATCH / t for t in taken["pillow"]]
    rows = [
        row("acclimate's stream", "images / CPU s", ours, at_least=80_000),
        row("one image at a time, Pillow", "images / CPU s", pillow),
        row("the first over the second", "×", ratios(ours, pillow)),
    ]
    write("32×32×3 images: pad 4, crop, mirror, normalise", rows)


if __name__ == "__main__":
    main()
