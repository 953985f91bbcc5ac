"""DANN and MCD steps of other libraries and of ours: same network, batch and thread, in processes that take turns.

    python benchmarks/perf/peers.py [FOLDER]

Each library gets an environment of its own in FOLDER (by default in the user's cache folder), with what
benchmarks/peers/<name>.txt asks for and the torch that runs here. One that cannot be installed is left out, and the
result says why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pooch
import torch
from measure import ROOT, Row, ratios, row, write

PEERS = ROOT / "benchmarks" / "peers"
# Which of its methods a library is measured on.
METHODS = {"pytorch-adapt": ("dann", "mcd"), "skada": ("dann",), "adapt": ("dann",)}
OURS = ("acclimate", "acclimate-bf16")
# Method, network, rounds, steps in a round.
CASES = (
    ("dann", "dann-mnist", 11, 5),
    ("mcd", "mcd-usps", 11, 2),
    ("dann", "dann-svhn", 5, 1),
    ("mcd", "mcd-svhn", 5, 1),
)
AIMS = {"dann": (1.15, 2.2), "mcd": (1.25, 2.4)}
NOTES = (
    "acclimate trains as its commands do: fused optimizers, channels-last memory, freed memory kept. The others "
    "train as their documentation has it, with torch's Adam or TensorFlow's.",
    "Only acclimate draws and prepares new images in every step; the others are handed the same ready ones.",
    "skada has no MCD, and adapt's has another schedule: no step A, one gradient for steps B and C.",
    "adapt is built on TensorFlow, with the layers of the same network rebuilt in Keras.",
)


def environment(peer: str, folder: Path) -> str | None:
    """Make the environment of a library unless it is there; say what pip said if that fails."""
    if (folder / "ready").is_file():
        return None
    venv.create(folder, with_pip=True, clear=True)
    constraint = folder / "constraint.txt"
    constraint.write_text(f"torch=={torch.__version__.partition('+')[0]}\n", encoding="utf-8")
    command = [folder / "bin" / "pip", "install", "--quiet", "--constraint", constraint, "-r", PEERS / f"{peer}.txt"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return "pip: " + (done.stderr.strip().splitlines() or ["no word"])[-1]
    (folder / "ready").touch()
    return None


class Worker:
    """A process that trains one library's network when told to."""

    def __init__(self, python: Path | str, library: str, method: str, network: str) -> None:
        own = {
            "PYTHONPATH": str(ROOT / "src"),
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        self.process = subprocess.Popen(
            [python, PEERS / "worker.py", library, method, network],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **own},
        )

    def answer(self) -> object:
        """The next line it writes.

        Raises:
            RuntimeError: with the last line of its errors if it ended instead.
        """
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError((self.process.stderr.read().strip().splitlines() or ["no word"])[-1])
        return json.loads(line)

    def train(self, steps: int) -> float:
        """CPU seconds a step."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return float(self.answer()) / steps

    def close(self) -> None:
        """Let the process end."""
        self.process.stdin.close()
        self.process.wait()


def started(pythons: dict[str, Path | str], method: str, network: str, failed: list[str]) -> dict[str, Worker]:
    """Workers that are ready; the others' last words go to `failed`."""
    workers = {}
    for library, python in pythons.items():
        worker = Worker(python, library, method, network)
        try:
            worker.answer()
            workers[library] = worker
        except RuntimeError as error:
            failed.append(f"{library} could not be run on {network}: {error}.")
    return workers


def measured(workers: dict[str, Worker], rounds: int, steps: int) -> dict[str, list[float]]:
    """CPU seconds a step of each library, in turns that begin with another one each round."""
    for worker in workers.values():
        worker.train(steps)
    names, taken = list(workers), {name: [] for name in workers}
    for _ in range(rounds):
        for name in names:
            taken[name].append(workers[name].train(steps))
        names = [*names[1:], names[0]]
    return taken


def rows_of(method: str, network: str, taken: dict[str, list[float]]) -> list[Row]:
    """Seconds of every library, and how much longer each peer's are than ours."""
    case = f"{method.upper()}, {network}"
    rows = [row(f"{case}: a step of {name}", "CPU s", values) for name, values in taken.items()]
    for name in (n for n in taken if n not in OURS):
        for ours, aim in zip(OURS, AIMS[method], strict=True):
            rows.append(row(f"{case}: {name} over {ours}", "×", ratios(taken[name], taken[ours]), at_least=aim))
    return rows


def versions(python: Path, peer: str) -> dict[str, str]:
    """The installed versions that matter."""
    done = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True, check=True
    )
    wanted = {peer, "torch", "tensorflow", "skorch", "numpy"}
    return {p["name"]: p["version"] for p in json.loads(done.stdout) if p["name"] in wanted}


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else pooch.os_cache("acclimate") / "peers").resolve()
    notes, pythons = list(NOTES), dict.fromkeys(OURS, sys.executable)
    for peer in METHODS:
        problem = environment(peer, folder / peer)
        if problem is None:
            pythons[peer] = folder / peer / "bin" / "python"
        else:
            notes.append(f"{peer} could not be installed: {problem}.")
    rows = []
    for method, network, rounds, steps in CASES:
        usable = {name: p for name, p in pythons.items() if method in METHODS.get(name, (method,))}
        workers = started(usable, method, network, notes)
        rows += rows_of(method, network, measured(workers, rounds, steps))
        for worker in workers.values():
            worker.close()
    installed = {peer: versions(pythons[peer], peer) for peer in METHODS if peer in pythons}
    write(
        "training steps of 128 + 128 images, Adam, one thread, MCD with n = 4", rows, notes=notes, installed=installed
    )


if __name__ == "__main__":
    main()
