"""Memory: `acclimate adapt` on 60,000 + 60,000 images, and a folder of 20,000 photos.

    python benchmarks/perf/memory.py

Both are made here, in a temporary folder that needs 6 GB. The photos are JPEGs of 200×150 pixels, stored at 256×256.
Memory that a process holds is its anonymous memory; pages of memory-mapped files, which the system takes back when it
needs them, are shown apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import Row, row, write
from PIL import Image

IMAGES, PHOTOS, BATCH = 60_000, 20_000, 32


def adapt_peak(folder: Path, side: int, channels: int) -> tuple[float, float]:
    """GB of the arrays, and the peak resident GB of a run over them, mapped pages included."""
    rng = np.random.default_rng(0)
    size = 0
    for role in ("source", "target"):
        images = rng.integers(0, 256, (IMAGES, side, side, channels), dtype=np.uint8)
        labels = {"y": rng.integers(0, 10, IMAGES)} if role == "source" else {}
        np.savez(folder / f"{role}.npz", x=images, **labels)
        size += images.nbytes
    words = ["adapt", "--source", "source.npz", "--target", "target.npz", "--steps", "3", "--out", f"run{side}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "acclimate", *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("adapt failed")
    return size / 1e9, usage.ru_maxrss * 1024 / 1e9


def adapt_rows(size: str, found: tuple[float, float]) -> list[Row]:
    """What `adapt_peak` found."""
    data, peak = found
    case = f"`acclimate adapt`, 60,000 + 60,000 images of {size}"
    return [
        row(f"{case}: the arrays", "GB", [data]),
        row(f"{case}: peak resident memory beyond them", "GB", [peak - data], at_most=1.2),
    ]


def make_photos(folder: Path) -> None:
    """Smooth random pictures, ten classes."""
    rng = np.random.default_rng(0)
    for number in range(PHOTOS):
        path = folder / f"class_{number % 10}" / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        coarse.resize((200, 150), Image.Resampling.BILINEAR).save(path, quality=80)


def memory(kind: str) -> float:
    """GB of this process: `RssAnon` or `RssFile`."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) * 1024 / 1e9


def read_seconds(folder: Path) -> float:
    """CPU seconds to read the folder of photos."""
    from acclimate.data.readers import read

    start = time.process_time()
    domain = read(folder)
    assert len(domain) == PHOTOS
    return time.process_time() - start


def streaming(folder: Path) -> tuple[list[float], list[float]]:
    """Anonymous and mapped GB during one pass of random batches, at twenty points."""
    from acclimate.data.preprocess import Preprocess
    from acclimate.data.readers import read
    from acclimate.streams.order import DomainStream

    domain = read(folder)
    preprocess = Preprocess(
        kind="images", size=224, stored=256, channels=3, mean=(0.5,) * 3, std=(0.5,) * 3, flip=True
    )
    stream = DomainStream(preprocess.fit(domain), preprocess, BATCH, seed=0, side="source")
    anonymous, mapped = [], []
    steps = PHOTOS // BATCH
    for step in range(steps):
        next(stream)
        if step % (steps // 20) == steps // 20 - 1:
            anonymous.append(memory("RssAnon"))
            mapped.append(memory("RssFile"))
    return anonymous, mapped


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["ACCLIMATE_CACHE"] = str(folder / "cache")
        small, large = adapt_peak(folder, 28, 1), adapt_peak(folder, 32, 3)
        make_photos(folder / "photos")
        first, again = read_seconds(folder / "photos"), read_seconds(folder / "photos")
        anonymous, mapped = streaming(folder / "photos")
    rows = [
        *adapt_rows("28×28", small),
        *adapt_rows("32×32×3", large),
        row("20,000 photos read for the first time", "CPU s", [first]),
        row("read again: found decoded", "CPU s", [again]),
        row("read again over read first", "×", [again / first]),
        row("streaming 20,000 photos: anonymous memory", "GB", anonymous),
        row("its growth from a quarter of the pass to its end", "GB", [anonymous[-1] - anonymous[4]], at_most=0.05),
        row("mapped pages of the decoded photos", "GB", mapped),
    ]
    write("memory of a run, and of a folder of photos", rows)


if __name__ == "__main__":
    main()
