"""`acclimate demo`: from nothing to a report in a minute or two, offline."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.adapt import JsonFlag
from acclimate.cli.console import out, percent, print_json, table
from acclimate.cli.work import carry_out, free_folder
from acclimate.errors import RequestError

if TYPE_CHECKING:
    from acclimate.runs.record import Run
    from acclimate.runs.request import Request

# The recipe of benchmarks/recipes/demo.toml. Only the first method brings a baseline: it is everybody's.
_TRAINING = {"epochs": 10, "batch_size": 128, "optimizer": "adam", "lr": 1e-3, "weight_decay": 5e-4}
_METHODS: dict[str, dict[str, Any]] = {
    "mcc": _TRAINING,
    "dann": {"epochs": 10},
    "mcd-one-step": _TRAINING,
    "dan": _TRAINING,
    "train-on-target": _TRAINING,
}
_STORY = (
    "\n“source-only” is what a model trained on the rendered digits alone gets right of handwriting; "
    "“train-on-target” is what the handwriting's own labels would have given. The methods between saw those images, "
    "never their labels, which were used for scoring alone. With your own data: "
    "[bold]acclimate adapt --source labelled/ --target photos/[/]"
)


def demo(
    output: Annotated[Path | None, typer.Option("--out", "-o", help="New folder for the runs. [runs/demo]")] = None,
    seed: Annotated[int, typer.Option(help="Fixes everything that is drawn.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Adapt from rendered digits to real handwriting, offline."""
    from acclimate.reports.page import write_report

    folder = output or free_folder("demo")
    again = shlex.join(["acclimate", "demo", "--out", str(folder), "--seed", str(seed)])
    runs = {}
    with _one_thread():
        for name in _METHODS:
            runs[name] = _carried_out(name, seed, folder / name, again, quiet=as_json)
    first = runs["mcc"]
    write_report(first)
    scores = {"source-only": _score(first.baseline), **{name: _score(run) for name, run in runs.items()}}
    if as_json:
        print_json({"scores": scores, "report": str(first.report_path)})
        return
    rows = table("method", "right on unseen handwriting", numbers=("right on unseen handwriting",))
    for name, score in scores.items():
        rows.add_row(name, percent(score))
    out.print("\nFrom rendered digits (labelled) to handwriting (labels hidden)\n", style="bold")
    out.print(rows)
    out.print(_STORY)
    out.print(f"\nReport: {first.report_path}", soft_wrap=True, markup=False)


def _carried_out(method: str, seed: int, folder: Path, again: str, quiet: bool) -> Run:
    """A method's run: as it is if an earlier demo finished it, taken up where it stopped, or from the start."""
    from acclimate.running import adaptation
    from acclimate.runs.record import Run
    from acclimate.runs.request import Request

    if not (folder / "config.json").is_file():
        return carry_out(partial(adaptation.adapt, _request(method, seed), folder), again, quiet)
    run = Run(folder)
    if Request(**run.config["request"]) != _request(method, seed):
        raise RequestError(
            "out",
            "must be a new folder, or that of the same demo",
            repr(str(folder.parent)),
            "Choose another with --out, or give the --seed of the demo that is in it.",
        )
    return run if run.summary else carry_out(partial(adaptation.resume, folder), again, quiet)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one core: a network this small spends more on keeping two in step, far more if one is busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _request(method: str, seed: int) -> Request:
    from acclimate.runs.request import Request

    training = {**_METHODS[method], "seed": seed, "precision": "fp32", "evaluations": 10}
    return Request(task="demo", method=method, training=training, baseline=method == "mcc")


def _score(run: Run | None) -> float | None:
    summary = run.summary if run else None
    return summary["scores"]["target_test_accuracy"] if summary else None
