"""`acclimate serve`: a run in the browser."""

from __future__ import annotations

import os
import shlex
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acclimate.cli.console import err, out
from acclimate.cli.use import RunArgument
from acclimate.errors import MissingExtraError, RequestError

if TYPE_CHECKING:
    from acclimate.runs.record import Run
    from acclimate.serving.searching import Ink, Served

_INDEX = "index"
# More threads make a single small picture no quicker, and leave other programs less.
_MOST_THREADS = 4
_INKS = ("auto", "dark", "light")


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
) -> None:
    """Open a run in the browser: draw a sketch and see photos, or draw an image and see the answers.

    Photos are searched where the run has an index. Otherwise images are classified, before adaptation and after.
    """
    _check(ink)
    from acclimate.serving.app import create_app, warm_up
    from acclimate.serving.server import address_of, listening
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
    if stopped_by == signal.SIGINT:
        raise typer.Exit(130)


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
    torch.set_num_threads(min(torch.get_num_threads(), _MOST_THREADS, os.cpu_count() or 1))
    place = index or run.folder / _INDEX
    if index is not None or place.is_dir():
        return _of_photos(run, place, ink)
    return _of_classes(run, ink)


def _of_photos(run: Run, place: Path, ink: str) -> Served:
    from acclimate.serving.gallery import Gallery
    from acclimate.serving.searching import Served
    from acclimate.training.adaptation import load
    from acclimate.training.encoding import RunEncoder

    encoder = RunEncoder(load(run.folder))
    return Served(
        title=_title(run),
        method=run.config["method"]["name"],
        form=encoder.form("source"),
        photos=Gallery.open(place, encoder),
        ink=_ink_of(run) if ink == "auto" else _given(ink),
        index_command=_index_command(run),
    )


def _of_classes(run: Run, ink: str) -> Served:
    from acclimate.serving.searching import Served
    from acclimate.training.encoding import RunClassifier

    classifier = RunClassifier(run.folder)
    return Served(
        title=_title(run),
        method=run.config["method"]["name"],
        form=classifier.form("target"),
        classifier=classifier,
        ink=_ink_of(run) if ink == "auto" else _given(ink),
        index_command=_index_command(run),
    )


def _title(run: Run) -> str:
    config = run.config
    return f"{config['method']['title']} trained on {config['task']['name']}"


def _index_command(run: Run) -> str:
    return f"{shlex.join(['acclimate', 'index', str(run.folder)])} photos/"


def _given(ink: str) -> Ink:
    return "light" if ink == "light" else "dark"


def _ink_of(run: Run) -> Ink:
    """As the run's own target pictures have it: what runs along their borders is the paper."""
    import numpy as np

    try:
        with np.load(run.sample_path, allow_pickle=False) as sample:
            images = sample["certain_images"]
    except (OSError, ValueError, KeyError):
        return "dark"
    if images.shape[-1] != 1:
        return "dark"  # photos have no ink; what is drawn to find them is a sketch
    borders = [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]]
    return "light" if np.median(np.concatenate([part.ravel() for part in borders])) < 128 else "dark"


def _in_words(served: Served) -> str:
    if served.photos is not None:
        return f"{served.title}: {len(served.photos):,} photos to search"
    assert served.classifier is not None
    return f"{served.title}: {len(served.classifier.classes):,} classes to tell apart"
