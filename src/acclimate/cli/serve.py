"""`acclimate serve`: a run in the browser."""

from __future__ import annotations

import os
import shlex
import signal
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acclimate.cli.console import err, out
from acclimate.cli.numbers import check_names_classes
from acclimate.cli.use import RunArgument, check_run
from acclimate.errors import MissingExtraError, RequestError

if TYPE_CHECKING:
    from acclimate.runs.record import Run
    from acclimate.serving.searching import Ink, Served

_INDEX = "index"
# More threads make a single small picture no quicker, and leave other programs less.
_MOST_THREADS = 4
_INKS = ("auto", "dark", "light")
# Larger pictures are cut and centred by hand, not by whoever collected the data; fainter than this is no ink.
_SMALL, _FAINT = 64, 64


def serve(
    run: RunArgument,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for other machines too.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    index: Annotated[Path | None, typer.Option(help="Folder of the index. [<run>/index]")] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which the server is reached too, such as a proxy's; repeatable."),
    ] = None,
    ink: Annotated[str, typer.Option(help="Drawings as in the run's data: dark on white, light on black.")] = "auto",
    audit: Annotated[
        bool, typer.Option("--audit", help="Label the examples of the run's latest audit instead.")
    ] = False,
) -> None:
    """Open a run in the browser: draw a sketch and see photos, or ask about an example and see the answers.

    Photos are searched where the run has an index. Otherwise pictures, texts or rows of a table are classified,
    before adaptation and after: on the page and, many at once, by POST /api/predict. With --audit, images and texts
    that `acclimate audit` asks about are labelled by keyboard, each answer saved at once.
    """
    check_run(run)
    _check(ink)
    if audit:
        _serve_audit(run, host, port, allow_host or [])
        return
    from acclimate.serving.app import create_app, warm_up
    from acclimate.serving.server import address_of, leave, listening
    from acclimate.serving.server import serve as answer

    # A port that is taken is told before a model is loaded.
    heard = listening(host, port)
    with heard:
        served = _served(run, index, ink)
        warm_up(served)
        said = f"{_in_words(served)}\nOpen {address_of(heard, host)} (Ctrl-C stops it)"
        app = create_app(served, hosts=[host, *(allow_host or [])])
        stopped_by = answer(app, heard, lambda: out.print(said, soft_wrap=True, markup=False))
    err.print("Stopped. Requests that were being answered are done.", markup=False)
    code = 130 if stopped_by == signal.SIGINT else 0
    leave(app, code)
    raise typer.Exit(code)


def _serve_audit(folder: Path, host: str, port: int, names: list[str]) -> None:
    """Answer with the page on which an audit is labelled, until a signal comes; no model is loaded."""
    from acclimate.runs.audits import asked_of, codes, folder_of
    from acclimate.runs.record import Run
    from acclimate.serving.labelling import Labeller, create_label_app
    from acclimate.serving.server import address_of, listening
    from acclimate.serving.server import serve as answer

    run = Run(folder)
    if not (known := codes(run)):
        fix = f"Ask for one with: {shlex.join(['acclimate', 'audit', str(folder)])}"
        raise RequestError("audit", "must be one that was asked for", f"a run without any in {str(folder)!r}", fix)
    path = folder_of(run, known[-1]) / "labelled.csv"
    command = shlex.join(["acclimate", "audit", str(folder), "--answers", str(path)])
    labeller = Labeller(asked_of(run, known[-1]), path, command)
    with listening(host, port) as heard:
        said = f"{len(labeller.asked.items):,} examples to label, saved in {path}\nOpen {address_of(heard, host)}"
        app = create_label_app(labeller, _title(run), hosts=[host, *names])
        stopped_by = answer(app, heard, lambda: out.print(f"{said} (Ctrl-C stops it)", soft_wrap=True, markup=False))
    out.print(f"Stopped. What is labelled is kept; for the accuracy: {command}", soft_wrap=True, markup=False)
    raise typer.Exit(130 if stopped_by == signal.SIGINT else 0)


def _check(ink: str) -> None:
    for package in ("fastapi", "uvicorn", "python_multipart"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "serve")
    if ink not in _INKS:
        raise RequestError("ink", "must be 'auto', 'dark' or 'light'", repr(ink), "Leave --ink out to have it found.")


def _served(folder: Path, index: Path | None, ink: str) -> Served:
    """What the run has to offer; the model is loaded."""
    import torch

    from acclimate.runs.record import Run

    run = Run(folder)
    check_names_classes(run, "be served")
    torch.set_num_threads(min(torch.get_num_threads(), _MOST_THREADS, os.cpu_count() or 1))
    place = index or run.folder / _INDEX
    if index is not None or place.is_dir() or run.config["problem"] == "retrieval":
        return _of_photos(run, place, ink)
    from acclimate.running.example_models import reads_pictures

    return _of_classes(run, ink) if reads_pictures(run) else _of_examples(run)


def _of_photos(run: Run, place: Path, ink: str) -> Served:
    from acclimate.cli.search import check_indexed
    from acclimate.running.adaptation import load
    from acclimate.running.picture_models import RunEncoder
    from acclimate.serving.live import LiveGallery
    from acclimate.serving.searching import Served

    check_indexed(run.folder, place)
    encoder, looks = RunEncoder(load(run.folder)), _looks(run, ink)
    return Served(
        title=_title(run),
        method=run.config["method"]["name"],
        form=encoder.form("source"),
        photos=LiveGallery(place, encoder),
        ink=looks.ink,
        reach=looks.reach,
        index_command=_index_command(run),
    )


def _of_classes(run: Run, ink: str) -> Served:
    from acclimate.running.picture_models import RunClassifier
    from acclimate.serving.searching import Served

    classifier, looks = RunClassifier(run.folder), _looks(run, ink)
    return Served(
        title=_title(run),
        method=run.config["method"]["name"],
        form=classifier.form("target"),
        classifier=classifier,
        ink=looks.ink,
        reach=looks.reach,
        index_command=_index_command(run),
    )


def _of_examples(run: Run) -> Served:
    from acclimate.running.example_models import RunExaminer
    from acclimate.serving.searching import Served

    examiner = RunExaminer(run.folder)
    return Served(title=_title(run), method=run.config["method"]["name"], form=None, examiner=examiner)


def _title(run: Run) -> str:
    config = run.config
    return f"{config['method']['title']} trained on {config['task']['name']}"


def _index_command(run: Run) -> str:
    return f"{shlex.join(['acclimate', 'index', str(run.folder)])} photos/"


def _given(ink: str) -> Ink:
    return "light" if ink == "light" else "dark"


@dataclass(frozen=True, slots=True)
class _Looks:
    """How what is drawn stands in a run's data; see `Served`."""

    ink: Ink = "dark"
    reach: float | None = None


def _looks(run: Run, ink: str) -> _Looks:
    """As the run's own target pictures have it: what runs along their borders is the paper."""
    import numpy as np

    from acclimate.runs.arrays import read_sample

    if not run.sample_path.is_file():
        return _Looks(_given(ink))
    images = read_sample(run.sample_path, len(run.config["task"]["classes"])).get("certain_images")
    if images is None or not len(images):
        return _Looks(_given(ink))
    if images.shape[-1] != 1:
        return _Looks(_given(ink))  # photos have no ink; what is drawn to find them is a sketch
    borders = [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]]
    paper = float(np.median(np.concatenate([part.ravel() for part in borders])))
    drawn = np.abs(images[..., 0].astype(float) - paper) > _FAINT
    reaches = [max(np.ptp(places, axis=0) + 1) / images.shape[1] for one in drawn if len(places := np.argwhere(one))]
    found: Ink = "light" if paper < 128 else "dark"
    reach = float(np.median(reaches)) if reaches and images.shape[1] <= _SMALL else None
    return _Looks(found if ink == "auto" else _given(ink), reach)


def _in_words(served: Served) -> str:
    if served.photos is not None:
        return f"{served.title}: {len(served.photos):,} photos to search"
    judge = served.classifier or served.examiner
    assert judge is not None
    return f"{served.title}: {len(judge.classes):,} classes to tell apart"
