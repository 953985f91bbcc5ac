"""Kills commands at 200 random moments, goes on as a user would, and holds what is there in the end against no kill.

    python benchmarks/fuzz/kills.py [--seed 0] [--cases 200] [--only report]
    python benchmarks/fuzz/kills.py --seed 0 --replay 57

Each case is a command on tiny data of its own, with a home and a cache of its own. The process group gets SIGKILL at
a moment drawn from the case's stage: so long after it began, or after a file appeared which only this stage writes.
Then the user types what goes on: `resume` where a run was begun, else the same command again; in every fourth case
that is killed too. In the end every file must be there and no other one, a temporary one least of all, and hold what
it holds without a kill: weights, answers, metrics, vectors and labels to the bit, texts but for times. Commands run
in forks of one process that has imported everything, which saves seconds a case. Writes
benchmarks/results/fuzz/kills.json for the full number.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

OUT = Path(__file__).parents[1] / "results" / "fuzz" / "kills.json"
CASES = 200
_MODULES = "modules.txt"
_ADAPT = (
    "adapt --source source.npz --target target.npz --target-test test.npz --method mcd --network tiny --steps 12 "
    "--batch-size 16 --set evaluations=3 --set checkpoint_seconds=0 --device cpu --out run"
)
_STOPPING = (
    "adapt --source source.csv --target target.csv --label-column kind --method dann --epochs 40 --batch-size 16 "
    "--set patience=2 --set checkpoint_seconds=0 --device cpu --no-baseline --out run"
)
_AUDIT = "audit run --items 10 --out to_label.csv"
_COMPARE = (
    "compare --source source.npz --target target.npz --methods source-only,mcd --network tiny --steps 6 --seeds 1 "
    "--batch-size 16 --set evaluations=1 --set checkpoint_seconds=0 --device cpu --out cells"
)


@dataclass(frozen=True)
class Stage:
    """Where in a command it is killed.

    Attributes:
        words: the command.
        cases: how many of 200.
        after: a pattern of files of which one must have appeared; "" for the start.
        until: of which file's appearance the stage ends; "" for the command's end.
        given: a command whose files are there when it begins.
        drawn: whether the report has its figures, which take most of the time; elsewhere their places are empty.
    """

    words: str
    cases: int
    after: str = ""
    until: str = ""
    given: str = ""
    drawn: bool = False


STAGES = {
    "reading": Stage(_ADAPT, 12, until="run/config.json"),
    "training of the baseline": Stage(_ADAPT, 12, "run/baseline/metrics.jsonl", "run/baseline/predictions.parquet"),
    "training": Stage(_ADAPT, 16, "run/metrics.jsonl", "run/predictions.parquet"),
    "checkpoint": Stage(_ADAPT, 16, "run/checkpoints/.step-*.part", "run/predictions.parquet"),
    "early stopping": Stage(_STOPPING, 16, "run/checkpoints/step-00000004*", "run/summary.json"),
    "prediction": Stage(_ADAPT, 14, "run/.predictions.parquet.*.part", "run/report.html"),
    "summary": Stage(_ADAPT, 12, "run/.summary.json.*.part", "run/report.html"),
    "report": Stage(_ADAPT, 12, "run/summary.json", drawn=True),
    "report again": Stage("report run", 8, given=_ADAPT, drawn=True),
    "report's last moment": Stage(_ADAPT, 10, "run/.report.html.*.part"),
    "predict --out, CSV": Stage("predict run test.npz --out answers.csv", 12, given=_ADAPT),
    "predict --out, Parquet": Stage("predict run test.npz --out answers.parquet", 8, ".answers.*.part", given=_ADAPT),
    "index": Stage("index run photos --index photos-index", 16, "photos-index/*", given=_ADAPT),
    "index, whole": Stage("index run photos --index photos-index", 4, given=_ADAPT),
    "compare": Stage(_COMPARE, 14, "cells/*"),
    "compare, whole": Stage(_COMPARE, 4),
    "audit": Stage(_AUDIT, 8, given=_ADAPT),
    "audit --answers": Stage("audit run --answers labelled.csv", 6, given=_AUDIT),
}


_GIVEN = {_AUDIT: _ADAPT}  # what is there before a given command itself


# Commands


def begun(words: str, folder: Path, drawn: bool) -> int:
    """Type a command in a folder, in a process group of its own; its process."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    os.chdir(folder)
    said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.environ |= {"ACCLIMATE_DATA": str(folder / "home"), "ACCLIMATE_CACHE": str(folder / "cache")}
    sys.argv = ["acclimate", *shlex.split(words)]
    code = 70
    try:
        from acclimate.cli.main import main

        if not drawn:
            without_drawings()
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        (folder / _MODULES).write_text("\n".join(sys.modules))
    except Exception:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def ended(process: int) -> int | None:
    """Its exit code, minus the signal that ended it; None while it goes on."""
    done, status = os.waitpid(process, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def killed(process: int, folder: Path, after: str, delay: float) -> bool:
    """Kill it and its group, so many seconds after such a file appeared; False if it had ended before."""
    while after and not any(folder.glob(after)):
        if ended(process) is not None:
            return False
        time.sleep(0.001)
    until = time.monotonic() + delay
    while time.monotonic() < until:
        if ended(process) is not None:
            return False
        time.sleep(min(0.005, max(0.0, until - time.monotonic())))
    if ended(process) is not None:
        return False
    os.killpg(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


def next_words(stage: Stage, folder: Path) -> str:
    """What a user types when a command was killed."""
    is_run = stage.words.startswith("adapt") and (folder / "run" / "config.json").is_file()
    return "resume run" if is_run else stage.words


def without_drawings() -> None:
    """Let figures be empty."""
    import numpy as np

    from acclimate.reports import drawing, embedding, maps

    embedding.tsne = lambda features, seed=0: np.zeros((len(features), 2))
    maps.domains_figure = maps.classes_figure = lambda *content: None  # type: ignore[assignment,misc]
    drawing.standalone_svg = lambda figure: '<svg viewBox="0 0 1 1"></svg>'


def gone_on(stage: Stage, folder: Path) -> str:
    """Type what goes on; what is wrong with how that ended, or nothing."""
    words = next_words(stage, folder)
    process = begun(words, folder, stage.drawn)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    said = (folder / "said.txt").read_text()
    # It had come to its end: there is nothing to resume, and what was to be written is there.
    done = "must be unfinished to be resumed" in said or "must not exist yet" in said
    return "" if code == 0 or (code == 2 and done) else f"{words}: exit code {code}: {said}"


# What there is in the end

_TIMES = {"config.json": ("created", "command"), "summary.json": ("wall_s", "finished")}
_TIMES |= {"asked.json": ("created",), "found.json": ("answered",)}
_OF_TIME = re.compile(r"\d[\d.,]*\s?(?:ms|s|min|h)\b|\d\d? \w+ 20\d\d, \d\d:\d\d|20\d\d-\d\d-\d\d[T ][\d:]+")
_TOKEN = re.compile(r"-[0-9a-f]{16}(?=\.)")
_NOT_COMPARED = {"said.txt", _MODULES, ".lock"}


def everything(folder: Path) -> dict[str, Any]:
    """What every file below a folder says, but for times and for names drawn at random."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in _NOT_COMPARED)
    return {_TOKEN.sub("-*", str(path.relative_to(folder))): _said(path) for path in files}


def _said(path: Path) -> Any:
    content = path.read_bytes()
    if path.name == "manifest.json":
        return [fault for fault in _faults(path) if fault]
    if path.suffix == ".safetensors":
        length = int.from_bytes(content[:8], "little")
        return {**json.loads(content[8 : 8 + length]), "__metadata__": None}, content[8 + length :]
    if path.suffix == ".html":
        return _OF_TIME.sub("…", content.decode())
    if path.name == "gallery.json":  # times of photos, which only save reading them again
        return sorted(json.loads(content))
    if path.name == "index.json":
        return _TOKEN.sub("-*", content.decode()).replace(json.loads(content)["token"], "…")
    if path.suffix == ".json" and path.name in _TIMES:
        return {key: value for key, value in json.loads(content).items() if key not in _TIMES[path.name]}
    if path.suffix == ".npz":
        return _arrays(path)
    return content


def _arrays(path: Path) -> dict[str, tuple[Any, ...]]:
    """An archive has the time in it."""
    import numpy as np

    with np.load(path) as stored:
        return {name: (value.dtype.str, value.shape, value.tobytes()) for name, value in stored.items()}


def _faults(manifest: Path) -> Iterator[str | None]:
    from acclimate.runs.manifest import Manifest

    listed = Manifest(manifest.parent)
    yield from (listed.fault(path) for path in listed.listed())


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> dict[str, list[str]]:
    """Names of files that are lost, that are there beside, and that say something else."""
    same = wanted.keys() & found.keys()
    return {
        "lost": sorted(wanted.keys() - found.keys()),
        "beside": sorted(found.keys() - wanted.keys()),
        "different": sorted(name for name in same if wanted[name] != found[name]),
    }


# Cases


def make_data(folder: Path) -> None:
    """Tiny images, photos and tables, the same every time."""
    import numpy as np
    from PIL import Image

    from acclimate.data.synthetic import dimmed_bars, shifted_blobs

    task, blobs = dimmed_bars(60), shifted_blobs(60, shift=1.0)
    sides = {"source": (task.source, task.source.labels), "target": (task.target, None)}
    sides["test"] = (task.target_test, task.hidden.target_test)
    for name, (domain, labels) in sides.items():
        arrays = {"X": domain.inputs} | ({} if labels is None else {"y": labels})
        np.savez(folder / f"{name}.npz", **arrays)
    (folder / "photos").mkdir()
    for number, picture in enumerate(task.target_test.inputs):
        Image.fromarray(picture[..., 0]).save(folder / "photos" / f"{number:02}.png")
    for name, domain in (("source", blobs.source), ("target", blobs.target)):
        rows = (f"{x:.6f},{y:.6f},{label}" for (x, y), label in zip(domain.inputs, domain.labels, strict=True))
        lines = ["x,y,kind", *rows] if name == "source" else ["x,y", *(row.rpartition(",")[0] for row in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


class Reference:
    """What commands leave behind when nobody kills them, each made when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, bool], tuple[Path, dict[str, Any], dict[str, float], float]] = {}

    def start(self, stage: Stage, folder: Path) -> None:
        """Fill a folder with what is there before the stage's command."""
        if stage.given:
            shutil.copytree(self._made(Stage(stage.given, 0, given=_GIVEN.get(stage.given, "")))[0], folder)
            if stage.given == _AUDIT:
                _label(folder / "to_label.csv", folder / "labelled.csv")
        else:
            folder.mkdir()
            make_data(folder)

    def files(self, stage: Stage) -> dict[str, Any]:
        """What is there after it."""
        return self._made(stage)[1]

    def seconds(self, stage: Stage) -> float:
        """How long the stage takes, from when it begins."""
        _, _, seen, whole = self._made(stage)
        return seen.get(stage.until, whole) - seen.get(stage.after, 0.0)

    def _made(self, stage: Stage) -> tuple[Path, dict[str, Any], dict[str, float], float]:
        key = stage.words, stage.drawn
        if key not in self._known:
            folder = Path(tempfile.mkdtemp(dir=self._folder)) / "whole"
            self.start(stage, folder)
            patterns = {p for s in STAGES.values() if (s.words, s.drawn) == key for p in (s.after, s.until) if p}
            seen, whole = _watched(begun(stage.words, folder, stage.drawn), folder, patterns, stage.words)
            self._known[key] = folder, everything(folder), seen, whole
        return self._known[key]


def _label(sheet: Path, filled: Path) -> None:
    """Answer an audit."""
    with sheet.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with filled.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows({**row, "label": "none of these"} for row in rows)


def _watched(process: int, folder: Path, patterns: set[str], words: str) -> tuple[dict[str, float], float]:
    """When files of each pattern appeared, and how long it took in all."""
    began, seen = time.monotonic(), {}
    while (code := ended(process)) is None:
        for pattern in patterns - seen.keys():
            if any(folder.glob(pattern)):
                seen[pattern] = time.monotonic() - began
        time.sleep(0.001)
    if code:
        sys.exit(f"{words}: exit code {code}: {(folder / 'said.txt').read_text()}")
    for name in (folder / _MODULES).read_text().split():  # what it imported, the next fork finds done
        with suppress(Exception):
            importlib.import_module(name)
    return seen, time.monotonic() - began


def case(number: int, name: str, seed: int, reference: Reference, folder: Path) -> dict[str, Any]:
    """One command, killed once or twice: how often, and what is wrong in the end."""
    stage, random = STAGES[name], Random(f"{seed}:{number}")
    length, kills, temporary = reference.seconds(stage), 0, 0
    while not kills:  # on a quick day it may end before
        shutil.rmtree(folder, ignore_errors=True)
        reference.start(stage, folder)
        kills += killed(begun(stage.words, folder, stage.drawn), folder, stage.after, random.uniform(0, length))
        length *= 0.8
    temporary += any(folder.rglob("*.part"))
    if number % 4 == 3:
        again = begun(next_words(stage, folder), folder, stage.drawn)
        kills += killed(again, folder, "", random.uniform(0, 2 * length))
    wrong = gone_on(stage, folder)
    found = differences(reference.files(stage), everything(folder))
    return {"kills": kills, "temporary": temporary, "wrong": wrong, **found}


def drawn(seed: int, cases: int, only: str | None) -> list[str]:
    """The stage of each case."""
    names = [name for name, stage in STAGES.items() for _ in range(stage.cases)]
    Random(seed).shuffle(names)
    chosen = [name for name in names if only in (None, name)]
    return (chosen * (1 + cases // max(1, len(chosen))))[:cases]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--only", choices=STAGES, help="one stage")
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time")
    parser.add_argument("--replay", type=int, help="one case")
    asked = parser.parse_args()
    warm()
    names = drawn(asked.seed, asked.cases, asked.only)
    numbers = range(len(names)) if asked.replay is None else [asked.replay]
    with tempfile.TemporaryDirectory() as folder:
        found = run({number: names[number] for number in numbers}, asked.seed, Path(folder), asked.jobs)
    if asked.replay is None and asked.only is None and asked.cases == CASES:
        _write(found, asked.seed)
    print(json.dumps(found, indent=2))
    sys.exit(bool(found["faults"]))


def warm() -> None:
    """Import what commands import, and start no thread: a fork would be without it."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ[variable] = "1"


def run(cases: dict[int, str], seed: int, folder: Path, jobs: int) -> dict[str, Any]:
    """All cases, some at a time, and how they ended."""
    reference, began = Reference(folder), time.monotonic()
    for name in dict.fromkeys(cases.values()):
        reference.files(STAGES[name])
    workers = [_worker(part, cases, seed, reference, folder / f"{part}-of-{jobs}") for part in range(jobs)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers]
    if any(codes):
        sys.exit("a worker ended early")
    counts: Counter[str] = Counter()
    by_stage: dict[str, int] = dict.fromkeys(cases.values(), 0)
    faults: dict[str, Any] = {}
    for path in sorted(folder.glob("*-of-*/*.json"), key=lambda path: int(path.stem)):
        name, found = cases[int(path.stem)], json.loads(path.read_text())
        by_stage[name] += found["kills"]
        counts.update({"kills": found["kills"], "inside_a_write": found["temporary"]})
        counts.update({kind: bool(found[kind]) for kind in ("lost", "beside", "different")})
        if found["fault"]:
            faults[f"case {path.stem}, {name}"] = found
    seconds = round(time.monotonic() - began, 1)
    return {"cases": len(cases), "seconds": seconds, **counts, "kills_by_stage": by_stage, "faults": faults}


def _worker(part: int, cases: dict[int, str], seed: int, reference: Reference, folder: Path) -> int:
    """A process for some of the cases, which writes a file of each; its number."""
    if process := os.fork():
        return process
    try:
        folder.mkdir()
        jobs = int(folder.name.rpartition("-")[2])
        for number, name in list(cases.items())[part::jobs]:
            found = case(number, name, seed, reference, folder / "case")
            found["fault"] = any(found[kind] for kind in ("wrong", "lost", "beside", "different"))
            (folder / f"{number}.json").write_text(json.dumps(found))
            print(
                f"case {number}, {name}: {json.dumps(found) if found['fault'] else 'as if never killed'}", flush=True
            )
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _write(found: dict[str, Any], seed: int) -> None:
    from acclimate.runs.machine import current_commit, machine

    OUT.parent.mkdir(parents=True, exist_ok=True)
    facts = {**found, "seed": seed, "command": shlex.join(["python", "benchmarks/fuzz/kills.py", *sys.argv[1:]])}
    facts |= {"commit": current_commit(), "hardware": machine()}
    OUT.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
