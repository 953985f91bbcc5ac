"""The vector index: vectors a second to build it, milliseconds to ask it, and how much of the truth it finds.

    python benchmarks/perf/index.py [--vectors 100000] [--queries 200]

Vectors of 1,280 numbers, as the encoder gives, around 1,000 centres: without neighbourhoods there would be nothing to
find. A query is answered by one thread and timed by the clock, as a visitor has it; building counts the CPU seconds
of all threads. Results are written only for the full number of vectors and queries.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from measure import row, write

from acclimate.serving.engine import DType, Kind
from acclimate.serving.index import VectorIndex, recall_against

VECTORS, QUERIES, WIDTH, CENTRES, BLOCK, K = 100_000, 200, 1280, 1000, 4096, 10
CASES: tuple[tuple[Kind, DType], ...] = (("exact", "float32"), ("exact", "float16"), ("usearch", "float16"))


def around(centres: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Vectors scattered around centres about as far as these lie from one another."""
    rng = np.random.default_rng(seed)
    return centres[rng.integers(0, len(centres), count)] + rng.normal(size=(count, WIDTH)).astype(np.float32)


def built(kind: Kind, dtype: DType, vectors: np.ndarray) -> tuple[VectorIndex, list[float]]:
    """The index, and for each block of vectors how many went in per CPU second."""
    index, rates = VectorIndex("benchmark", WIDTH, kind=kind, dtype=dtype), []
    for start in range(0, len(vectors), BLOCK):
        part = vectors[start : start + BLOCK]
        ids = [str(start + i) for i in range(len(part))]
        before = time.process_time()
        index.add(ids, part)
        rates.append(len(part) / (time.process_time() - before))
    return index, rates


def waits(index: VectorIndex, queries: np.ndarray) -> list[float]:
    """Milliseconds from each query, one at a time, to its answer."""
    found = []
    for query in queries:
        start = time.perf_counter()
        index.search(query[None], K)
        found.append(1000 * (time.perf_counter() - start))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=VECTORS)
    parser.add_argument("--queries", type=int, default=QUERIES)
    asked = parser.parse_args()
    centres = np.random.default_rng(0).normal(size=(CENTRES, WIDTH)).astype(np.float32)
    vectors, queries = around(centres, asked.vectors, 1), around(centres, asked.queries, 2)
    rows, exact = [], None
    for kind, dtype in CASES:
        if kind == "usearch" and find_spec("usearch") is None:
            print("usearch is not installed: pip install 'acclimate[index]'")
            continue
        index, rates = built(kind, dtype, vectors)
        case = f"{kind}, {dtype}"
        with tempfile.TemporaryDirectory() as folder:
            index.save(Path(folder))
            # As a server has it: opened from disk.
            index = VectorIndex.open(folder)
            waits(index, queries[:5])
            taken = np.array(waits(index, queries))
            exact = exact or index
            rows += [
                row(f"{case}: building", "vectors / CPU s", rates),
                row(f"{case}: a query, median", "ms", [float(np.percentile(taken, 50))]),
                row(f"{case}: a query, 99 of 100 are quicker", "ms", [float(np.percentile(taken, 99))]),
                row(f"{case}: recall@{K}", "share", [recall_against(index, exact, queries, K)], digits=4),
            ]
    if asked.vectors == VECTORS and asked.queries == QUERIES:
        write(f"{VECTORS:,} vectors of {WIDTH:,} numbers", rows, queries=QUERIES, centres=CENTRES)
    else:
        for found in rows:
            print(f"{found['case']}: {found['median']} {found['unit']}")


if __name__ == "__main__":
    main()
