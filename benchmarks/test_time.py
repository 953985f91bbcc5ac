"""How well models do that adapt while they answer, beside themselves as they are.

    python benchmarks/test_time.py train FOLDER     source-only models with batch norm, a few CPU minutes each
    python benchmarks/test_time.py score FOLDER     every method, batch size and order on held-out target examples
    python benchmarks/test_time.py score FOLDER lame    the rows of one method anew

Writes benchmarks/results/test_time/streams.json. Each batch is scored before it is learnt from. `mixed` is drawn of
the official test set, `sorted` the same class after class, `pairs` two classes at a time. Methods have the defaults
of their papers, but for `tent, lr 0.05`, which is there to do harm. The guard was settled on these tasks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.tasks import load_task
from acclimate.methods.online import Online
from acclimate.methods.test_time.bn import BN
from acclimate.methods.test_time.eta import ETA
from acclimate.methods.test_time.lame import LAME
from acclimate.methods.test_time.tent import TENT
from acclimate.running.adaptation import load
from acclimate.runs.machine import current_commit, machine
from acclimate.training.fitted import Fitted
from acclimate.training.online import Adapting, StreamOptions

RESULTS = Path(__file__).parent / "results" / "test_time"
SGD = ["optimizer=sgd", "lr=0.01", "momentum=0.9", "lr_schedule=annealing", "batch_size=64"]
ADAM = ["optimizer=adam", "lr=2e-4", "weight_decay=5e-4", "batch_size=128"]
# Task: network, epochs and options of the model begun with.
MODELS: dict[str, tuple[str, int, list[str]]] = {
    "mnist-mnist_m": ("dann-mnist-bn", 3, SGD),
    "usps-mnist": ("mcd-usps", 30, ADAM),
    "mnist-usps": ("mcd-usps", 30, ADAM),
}
METHODS: dict[str, Online[Any]] = {
    "bn": BN(), "tent": TENT(), "eta": ETA(), "lame": LAME(), "tent, lr 0.05": TENT(lr=0.05)
}  # fmt: skip
STREAMS = (("mixed", 64), ("mixed", 200), ("mixed", 8), ("sorted", 64), ("pairs", 64))
EXAMPLES = 2_000


def train(folder: Path) -> None:
    """The models begun with."""
    for task, (network, epochs, options) in MODELS.items():
        settings = [word for option in options for word in ("--set", option)]
        words = ["--task", task, "-m", "source-only", "--network", network, "--epochs", str(epochs), *settings]
        subprocess.run([sys.executable, "-m", "acclimate", "adapt", *words, "--out", folder / task], check=True)


def order(name: str, labels: np.ndarray) -> np.ndarray:
    """Which example comes when; labels order a stream as the world would, and nothing else sees them."""
    return np.argsort({"mixed": 0 * labels, "sorted": labels, "pairs": labels // 2}[name], kind="stable")


def score(folder: Path, methods: dict[str, Online[Any]]) -> Iterator[dict[str, object]]:
    """Every row of every task, by these methods."""
    for task in MODELS:
        fitted, data = load(folder / task), load_task(task)
        assert data.target_test is not None
        assert data.hidden is not None
        assert data.hidden.target_test is not None
        drawn = np.random.default_rng(0).permutation(len(data.target_test))[:EXAMPLES]
        domain, labels = data.target_test.take(drawn), data.hidden.target_test[drawn]
        as_it_is = right(fitted.outputs(domain, keep_features=False).logits, labels)
        for stream, size in STREAMS:
            at = order(stream, labels)
            for name, online in methods.items():
                row = {"task": task, "stream": stream, "batch_size": size, "method": name, "as_it_is": as_it_is}
                row["commit"] = current_commit()
                row |= streamed(fitted, online, domain.take(at), labels[at], size)
                print(json.dumps(row), flush=True)
                yield row


def streamed(fitted: Fitted, online: Online[Any], domain: Domain, labels: np.ndarray, size: int) -> dict[str, object]:
    """Accuracy with the guard and without, and what the guard did."""
    free, guarded = (Adapting(fitted, online, options).answers(domain) for options in options_of(size))
    return {
        "unguarded": right(free.logits, labels),
        "guarded": right(guarded.logits, labels),
        "resets": len(guarded.resets),
        "stopped": guarded.stopped,
        "adapted": float(guarded.adapted.mean()),
    }


def options_of(size: int) -> tuple[StreamOptions, StreamOptions]:
    """Without the guard and with it."""
    return StreamOptions(batch_size=size, guard=1.0), StreamOptions(batch_size=size)


def right(logits: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy."""
    return float((logits.argmax(axis=1) == labels).mean())


def main() -> None:
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "train":
        train(folder)
        return
    path, anew = RESULTS / "streams.json", {name: METHODS[name] for name in sys.argv[3:] or METHODS}
    kept = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []
    rows = [row for row in kept if row["method"] not in anew] + list(score(folder, anew))
    rows.sort(key=lambda row: (list(MODELS).index(row["task"]), list(METHODS).index(row["method"])))
    found = {"examples": EXAMPLES, "guard": StreamOptions().guard, "rows": rows, "hardware": machine()}
    RESULTS.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
