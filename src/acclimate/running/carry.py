"""The chosen of several runs, carried into the folder that they lie in, so that whatever reads a run reads that."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from acclimate.data.temporary import remove, temporary_beside
from acclimate.errors import unwritable
from acclimate.running.baselines import ITS_OWN, linked
from acclimate.runs.chosen import CHOICE, DOUBTFUL, Chosen
from acclimate.runs.files import as_json
from acclimate.runs.manifest import Manifest
from acclimate.runs.record import Run


def carry(run: Run, folder: Path, command: str, chosen: Chosen, pictures: np.ndarray | None) -> Run:
    """Make `folder` the run, with the choice beside it; done again after a kill, it does the same.

    The `config.json` comes last: with it the folder is a run, and a finished one. Files are linked where the disk
    can do that; nothing writes into the files of a finished run, they are replaced.

    Args:
        run: the chosen one, finished, in a folder of its own.
        folder: where to.
        command: what was typed.
        chosen: the choice.
        pictures: of the doubtful examples, if they are pictures.

    Raises:
        WorkError: if the disk is full or cannot be written.
    """
    try:
        with temporary_beside(folder / "chosen", Path.mkdir) as part:
            shutil.copytree(run.folder, part, copy_function=linked, ignore=ITS_OWN, dirs_exist_ok=True)
            for path in part.iterdir():
                _move(path, folder / path.name)
    except (OSError, shutil.Error) as error:
        raise unwritable(folder, error) from None
    config = json.loads(run.config_path.read_text(encoding="utf-8")) | {"command": command}
    manifest = Manifest(folder)
    if pictures is not None:
        manifest.write(folder / DOUBTFUL, lambda path: _save(path, pictures))
    for path, value in ((folder / CHOICE, chosen.model_dump(mode="json")), (folder / "config.json", config)):
        text = as_json(value)
        manifest.write(path, lambda to, text=text: _write(to, text))  # type: ignore[misc]
    return Run(folder)


def _move(path: Path, place: Path) -> None:
    if path.name == "config.json":
        return
    if place.is_dir():
        remove(place)
    path.replace(place)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _save(path: Path, pictures: np.ndarray) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, pictures=pictures)
