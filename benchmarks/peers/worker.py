"""One library, one method, one network: trains when told to, and says what it cost.

    python benchmarks/peers/worker.py LIBRARY METHOD NETWORK

Runs in the library's own environment, with acclimate's sources on the path for the networks. Each line on standard
input is a number of steps; each is answered by their CPU seconds. A peer is handed one ready batch, which it sees
again in every step; acclimate draws and prepares a new one each time, as its trainer always does.
"""

from __future__ import annotations

import importlib
import json
import sys
import time

import numpy as np

BATCH, N = 128, 4
SIDES = {"dann-mnist": (28, 1), "mcd-usps": (28, 1), "dann-svhn": (32, 3), "mcd-svhn": (32, 3)}


def images(network: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source images `(b, c, h, w)` in [−1, 1], their labels, and target images."""
    rng = np.random.default_rng(0)
    side, channels = SIDES[network]
    x, t = rng.uniform(-1, 1, (2, BATCH, channels, side, side)).astype(np.float32)
    return x, rng.integers(0, 10, BATCH), t


def main() -> None:
    library, method, network = sys.argv[1:]
    step = importlib.import_module(f"with_{library.replace('-', '_')}").make(method, network)
    step()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        # The process's and not the thread's, as TensorFlow works in threads of its own.
        start = time.process_time()
        for _ in range(int(line)):
            step()
        print(json.dumps(time.process_time() - start), flush=True)


if __name__ == "__main__":
    main()
