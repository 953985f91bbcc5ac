"""Changes one thing in a run's folder, 10,000 times; whoever reads it may refuse it in a sentence and nothing else.

    python benchmarks/fuzz/runs.py [--seed 0] [--cases 10000] [--only sample.npz]
    python benchmarks/fuzz/runs.py --seed 0 --replay 1234

A case is one value in one file of a finished run, by a path of keys, taken away or replaced: by another type, an
extreme, many of it, a path that leads elsewhere, an array of another shape or of pickled objects. The manifest gets
the new checksums, as from a stranger who wrote the whole folder. Each case goes through one reader, drawn with it:
`report` (all but its drawings), what the terminal prints, `evaluate` and `predict`, `serve` up to the socket, or
`resume` as far as the first step. Any exception that is not acclimate's own fails, and so does more than ten
seconds of processor time or a gigabyte more than before. Writes benchmarks/results/fuzz/runs.json for the full
number.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import resource
import shlex
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # threads that wait for each other cost more than small tables

import numpy as np
import polars as pl

from acclimate.errors import AcclimateError
from acclimate.running.adaptation import adapt, load
from acclimate.runs.manifest import file_hash
from acclimate.runs.record import Run
from acclimate.runs.request import Request

OUT = Path(__file__).parents[1] / "results" / "fuzz" / "runs.json"
CASES, SECONDS, BYTES = 10_000, 10.0, 10**9
JSON = (
    "config.json",
    "summary.json",
    "metrics.jsonl",
    "baseline/config.json",
    "baseline/summary.json",
    "manifest.json",
)
_OTHERS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 10**6, 10**18, -(10**18), 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x",
    "=SUM(1)", "../../etc/passwd", "/etc/passwd", "\x00", "\ud800", "é", "<script>", "{{ 7 * 7 }}", "%s", "x" * 9_999,
    [], [0], ["x"], [[]], [None], {}, {"x": 1}, {"name": "x"}, {"": {}}, [1, "x", None, {}],
)  # fmt: skip

Path_ = tuple[str | int, ...]


def paths(value: Any, here: Path_ = ()) -> Iterator[Path_]:
    """Every place in a JSON value, itself not counted."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*here, key)
        yield from paths(inner, (*here, key))


def changed(value: Any, random: Random) -> tuple[Any, str]:
    """A copy with one thing changed, and what."""
    value = json.loads(json.dumps(value))
    places = list(paths(value))
    place = random.choice(places) if places else ()
    if not place:
        return random.choice(_OTHERS), "all of it"
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    key, name = place[-1], ".".join(map(str, place))
    kind = random.randrange(5)
    if kind == 0:
        del inner[key]
        return value, f"{name} taken away"
    if kind == 1 and isinstance(inner, dict):
        inner[random.choice(["x", "__class__", "", "model_config", "self"])] = random.choice(_OTHERS)
        return value, f"something beside {name}"
    if kind == 2 and isinstance(inner[key], list):
        inner[key] = inner[key] * random.choice([0, 2, 1000, 100_000 // max(1, len(inner[key]))])
        return value, f"{name} many times"
    if kind == 2 and isinstance(inner[key], int | float) and not isinstance(inner[key], bool):
        inner[key] = inner[key] + random.choice([-1, 1, 0.5, 10**9, -(10**9)])
        return value, f"{name} = {inner[key]}"
    inner[key] = random.choice(_OTHERS)
    return value, f"{name} = {inner[key]!r:.60}"


def change_json(path: Path, random: Random) -> str:
    """Change one value of a JSON file."""
    if path.suffix == ".json":
        value, what = changed(json.loads(path.read_text()), random)
        path.write_text(json.dumps(value), errors="surrogatepass")
        return what
    lines = path.read_text().splitlines()
    row = random.randrange(len(lines))
    value, what = changed(json.loads(lines[row]), random)
    lines[row] = json.dumps(value)
    path.write_text("\n".join(lines) + "\n")
    return f"line {row + 1}: {what}"


class Unpickled:
    """Says so when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return os.mkdir, (str(Path(tempfile.gettempdir()) / "unpickled"),)


def odd_array(array: np.ndarray, random: Random) -> np.ndarray:
    """An array that should not be in its place."""
    flat = np.resize(array, max(1, array.size))
    odd: Sequence[Callable[[], np.ndarray]] = (
        lambda: array[:0],
        lambda: array[: max(0, len(array) - 1)] if array.ndim else array,
        lambda: np.concatenate([array, array]) if array.ndim else flat,
        lambda: array.reshape(-1),
        lambda: array[..., None],
        lambda: np.zeros((), array.dtype),
        lambda: np.zeros(array.shape, "U3"),
        lambda: np.zeros(array.shape, np.complex64),
        lambda: np.zeros(array.shape, "datetime64[s]"),
        lambda: np.full(array.shape, -(2**31), np.int64),
        lambda: np.full(array.shape, 10**9, np.int64),
        lambda: np.full(array.shape, np.nan),
        lambda: np.full(array.shape, np.inf),
        lambda: np.full(array.shape, True),
        lambda: np.array([Unpickled()], dtype=object),
        lambda: np.array([], dtype=object),
        lambda: np.zeros(3_000_000, array.dtype),
        lambda: np.zeros(array.shape, [("x", "f4")]),
    )
    return random.choice(odd)()


def change_arrays(path: Path, random: Random) -> str:
    """Change one array of an archive."""
    with np.load(path) as stored:
        arrays = dict(stored)
    name = random.choice(sorted(arrays))
    kind = random.randrange(8)
    if kind == 0:
        del arrays[name]
        what = "taken away"
    elif kind == 1:
        arrays[f"more_{name}"] = odd_array(arrays[name], random)
        what = f"and more of it, {arrays[f'more_{name}'].dtype} {arrays[f'more_{name}'].shape}"
    else:
        arrays[name] = odd_array(arrays[name], random)
        what = f"as {arrays[name].dtype} {arrays[name].shape}"
    np.savez_compressed(path, **arrays)
    return f"{name} {what}"


def change_table(path: Path, random: Random) -> str:
    """Change one column of the answers."""
    table = pl.read_parquet(path)
    name = random.choice(table.columns)
    odd: Sequence[Callable[[], pl.DataFrame]] = (
        lambda: table.drop(name),
        lambda: table.with_columns(pl.lit(None).alias(name)),
        lambda: table.with_columns(pl.lit("x").alias(name)),
        lambda: table.with_columns(pl.lit(-1).alias(name)),
        lambda: table.with_columns(pl.lit(float("nan")).alias(name)),
        lambda: table.with_columns(pl.Series(name, [[1, 2]] * table.height)),
        lambda: table.head(0),
        lambda: table.head(1),
        lambda: pl.concat([table, table]),
        lambda: table.rename({name: "x"}),
    )
    number = random.randrange(len(odd))
    odd[number]().write_parquet(path)
    return f"{name}, change {number}"


def change_bytes(path: Path, random: Random) -> str:
    """Cut a file, or turn some of its bytes."""
    content = bytearray(path.read_bytes())
    if random.random() < 0.3:
        path.write_bytes(content[: random.randrange(len(content))])
        return "cut"
    for _ in range(random.choice([1, 1, 4, 64])):
        content[random.randrange(len(content))] = random.randrange(256)
    path.write_bytes(content)
    return "bytes turned"


def change(run: Path, random: Random, only: str | None) -> tuple[str, str]:
    """Change one thing; the file and what."""
    choices = [*JSON, *JSON[:1] * 6, "sample.npz", "sample.npz", "predictions.parquet", "weights", "bytes"]
    file = only or random.choice(choices)
    if file == "weights":
        path = max((run / "checkpoints").glob("*.safetensors"))
        what = change_bytes(path, random)
    elif file == "bytes":
        path = random.choice([run / name for name in (*JSON[:3], "sample.npz", "predictions.parquet")])
        what = change_bytes(path, random)
    else:
        path = run / file
        kinds = {".npz": change_arrays, ".parquet": change_table}
        what = kinds.get(path.suffix, change_json)(path, random)
    if path.name != "manifest.json":
        seal(path)
    return str(path.relative_to(run)), what


def seal(path: Path) -> None:
    """Give a file the checksum that it has."""
    manifest = path.parent / "manifest.json"
    entries = json.loads(manifest.read_text())
    entries[path.name] = {"bytes": path.stat().st_size, "sha256": file_hash(path)}
    manifest.write_text(json.dumps(entries))


def read_report(run: Path) -> None:
    """Everything that the page shows, without its drawings."""
    from acclimate.reports.page import _content, render

    record = Run(run)
    for one in (record, record.baseline):
        if one is not None:
            one.check()
    render("page.html.j2", **_content(record))


def read_terminal(run: Path) -> None:
    """What `adapt` and `report` print."""
    from acclimate.cli.finished import print_result, result

    record = Run(run)
    if record.summary is not None:
        json.dumps(result(record))
        print_result(record)


def read_model(run: Path) -> None:
    """What `evaluate` and `predict` do."""
    from acclimate.cli.use import read_like

    fitted = load(run)
    domain = read_like(Run(run), str(run.parent / "data.npz"), None, None)
    fitted.outputs(domain, keep_features=False)


def read_served(run: Path) -> None:
    """What `serve` does before it listens."""
    from acclimate.cli.serve import _served

    _served(run, None, "auto")


def read_resumed(run: Path) -> None:
    """What `resume` does before its first step."""
    from acclimate.running import adaptation

    (run / "summary.json").unlink()
    with contextlib.suppress(_Begun):
        adaptation.resume(run, adaptation.Callbacks(stop=_begin))


class _Begun(Exception):  # noqa: N818  # no error: as far as it is to go
    """The first step would be taken now."""


def _begin() -> bool:
    raise _Begun


READERS = (read_terminal, read_report, read_model, read_served, read_resumed)


def without_drawings() -> Callable[[], None]:
    """Let embeddings, figures of them and their drawing be nothing; what is returned brings them back."""
    from acclimate.reports import drawing, embedding, figures

    kept = embedding.tsne, embedding.mixing, drawing.standalone_svg
    dots = figures.domains_figure, figures.classes_figure
    embedding.tsne = lambda features, seed=0: np.zeros((len(features), 2))
    embedding.mixing = lambda features, is_target: (0.5, 0.5)
    figures.domains_figure = figures.classes_figure = lambda *content: None
    drawing.standalone_svg = lambda figure: '<svg viewBox="0 0 1 1"></svg>'

    def back() -> None:
        embedding.tsne, embedding.mixing, drawing.standalone_svg = kept
        figures.domains_figure, figures.classes_figure = dots

    return back


def attempt(read: Callable[[Path], None], run: Path) -> str:
    """How a reader took it: `read`, `refused`, or what is wrong with that."""
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            read(run)
        found = "read"
    except AcclimateError as error:
        found = "refused" if str(error) and "\n\n" not in str(error) else "refused without a sentence"
    except Exception:
        found = traceback.format_exc(limit=-3)
    if time.process_time() - start > SECONDS:
        return f"{time.process_time() - start:.0f} s of processor time"
    more = 1000 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return f"{more / 10**6:.0f} MB" if more > BYTES else found


def made_run(folder: Path) -> Path:
    """A small finished run on images, with a baseline and held-out scores, and data like its own."""
    from acclimate.data.synthetic import dimmed_bars

    task = dimmed_bars(60)
    sides = {"source": (task.source, task.source.labels), "target": (task.target, task.hidden.target)}
    sides["test"] = (task.target_test, task.hidden.target_test)
    for name, (domain, labels) in sides.items():
        np.savez(folder / f"{name}.npz", X=domain.inputs, y=labels)
    np.savez(folder / "data.npz", X=task.target.inputs[:8])
    request = Request(
        source=str(folder / "source.npz"), target=str(folder / "target.npz"), target_test=str(folder / "test.npz"),
        method="mcd", network="tiny", training={"steps": 4, "batch_size": 16, "evaluations": 2, "device": "cpu"},
    )  # fmt: skip
    return adapt(request, folder / "run").folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time")
    parser.add_argument("--only", help="one file of the folder")
    parser.add_argument("--replay", type=int, help="one case, with its traceback")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
    asked = parser.parse_args()
    numbers = [asked.replay] if asked.replay is not None else range(asked.cases)
    began, parts = time.monotonic(), [numbers[part :: asked.jobs] for part in range(asked.jobs)]
    if asked.jobs == 1:
        found = part_of(asked, numbers)
    else:
        with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
            found = merged(pool.starmap(part_of, [(asked, part) for part in parts]))
    found["seconds"] = round(time.monotonic() - began, 1)
    if found["cases"] == CASES and asked.only is None:
        _write(found)
    print(json.dumps({k: v for k, v in found.items() if k != "faults"}, indent=2))
    sys.exit(bool(found["faults"]))


def part_of(asked: argparse.Namespace, numbers: Sequence[int]) -> dict[str, Any]:
    """Some of the cases, on a run of their own."""
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        run = made_run(Path(folder))
        for _ in (1, 2):
            for read in READERS:  # what they import and keep is not a case's
                copy = copied(run)
                if (found := attempt(read, copy)) != "read":
                    sys.exit(f"{read.__name__} of the untouched run: {found}")
        return fuzzed(run, asked, numbers)


def merged(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What all parts found."""
    went = sum((Counter(part["went"]) for part in parts), Counter())
    faults = {last: where for part in reversed(parts) for last, where in part["faults"].items()}
    cases = sum(part["cases"] for part in parts)
    return {"cases": cases, "seed": parts[0]["seed"], "went": dict(sorted(went.items())), "faults": faults}


def _write(found: dict[str, Any]) -> None:
    from acclimate.runs.machine import current_commit, machine

    OUT.parent.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "benchmarks/fuzz/runs.py", *sys.argv[1:]])
    facts = {**found, "command": command, "commit": current_commit(), "hardware": machine()}
    OUT.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def copied(run: Path) -> Path:
    """A copy that a case may change."""
    copy = run.with_name("case")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run, copy)
    return copy


def fuzzed(run: Path, asked: argparse.Namespace, numbers: Sequence[int]) -> dict[str, Any]:
    """All cases, and how they went."""
    back = without_drawings()
    went: Counter[str] = Counter()
    faults: dict[str, str] = {}
    began, done = time.monotonic(), 0
    for number in numbers:
        if time.monotonic() > began + asked.seconds:
            break
        done += 1
        random = Random(f"{asked.seed}:{number}")
        copy = copied(run)
        file, what = change(copy, random, asked.only)
        for read in [random.choice(READERS)] if asked.replay is None else READERS:
            found = attempt(read, copy)
            went[f"{read.__name__.removeprefix('read_')}: {found if found in ('read', 'refused') else 'fault'}"] += 1
            if found not in ("read", "refused"):
                last = found.strip().splitlines()[-1]
                if last not in faults or asked.replay is not None:
                    print(f"--- case {number}, {file}: {what}; {read.__name__}\n{found}", flush=True)
                faults.setdefault(last, f"case {number}, {file}: {what}; {read.__name__}")
        if (Path(tempfile.gettempdir()) / "unpickled").exists():
            faults["unpickled"] = f"case {number}, {file}: {what}"
            print("UNPICKLED", number, file, what, flush=True)
            (Path(tempfile.gettempdir()) / "unpickled").rmdir()
    back()
    return {"cases": done, "seed": asked.seed, "went": dict(sorted(went.items())), "faults": faults}


if __name__ == "__main__":
    main()
