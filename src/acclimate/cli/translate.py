"""`acclimate translate`: images of one side turned into the other's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acclimate.cli.console import out, print_json, print_notes
from acclimate.cli.paths import check_new_folder
from acclimate.cli.use import JsonFlag, RunArgument, check_run, notes_on, read_like
from acclimate.errors import DataError, RequestError, unwritable

if TYPE_CHECKING:
    import numpy as np

    from acclimate.data.domain import Domain
    from acclimate.training.fitted import Fitted
    from acclimate.types import Side

_GRID = "grid.png"
_COLUMNS, _IN_GRID = 8, 64
_LONGEST = 180  # bytes of a name; file systems take 255


def translate(
    run: RunArgument,
    data: Annotated[str, typer.Argument(help="Images to translate: a folder, or an .npz.")],
    to: Annotated[str, typer.Option(help="The side they are to look like: source or target.")] = "source",
    output: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="New or empty folder for the pictures. [<data>-as-<side>]"),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Turn images of one side into the other's with a run's model.

    Writes a PNG for each image, by the image's own name, and grid.png with the first 64 above their translations.
    """
    check_run(run)
    from acclimate.running.adaptation import load
    from acclimate.runs.record import Run
    from acclimate.types import other_side

    side = _side(to)
    output = output or Path(f"{Path(data).stem}-as-{side}")
    check_new_folder("out", output)
    fitted = load(run)
    fitted.check_translates("run")
    origin = other_side(side)
    domain = read_like(Run(run), data, side=origin)
    if domain.kind != "images":
        fix = "Give a folder of pictures, or an .npz with images (n, h, w) or (n, h, w, c)."
        raise DataError("data", "must hold images to be translated", domain.in_words, fix)
    notes = notes_on(fitted, domain, origin)
    translated = fitted.decoded(fitted.codes(domain, origin), side)
    names = file_names(domain.ids or [f"{i:06d}" for i in range(len(domain))])
    _write(output, names, translated, _first(fitted, domain, origin))
    grid = output / _GRID
    if as_json:
        files = [str(output / name) for name in names]
        print_json(
            {"out": str(output), "n": len(domain), "to": side, "grid": str(grid), "files": files, "notes": notes}
        )
        return
    print_notes(notes)
    shown = f"the first {_IN_GRID} of them" if len(domain) > _IN_GRID else "all of them"
    out.print(f"Wrote {len(domain):,} images as {side} to {output}.", soft_wrap=True, markup=False)
    out.print(f"To look at: {grid}, {shown} with the input above.", soft_wrap=True, markup=False)


def _side(to: str) -> Side:
    if to not in ("source", "target"):
        raise RequestError("to", "must be 'source' or 'target'", repr(to), "Leave --to out for the source.")
    return to  # type: ignore[return-value]


def file_names(ids: Sequence[str]) -> list[str]:
    """A name for each image's PNG: its own, without what a file name cannot have; no two are the same in any case.

    Args:
        ids: names of the examples, such as paths of files.
    """
    taken, names = {_GRID}, []
    for name in ids:
        stem = re.sub(r"\.(png|jpe?g|bmp|gif|tiff?|webp)$", "", name, flags=re.IGNORECASE)
        stem = re.sub(r"[^\w.-]+", "_", stem).lstrip(".") or "_"
        stem = stem.encode()[:_LONGEST].decode(errors="ignore")
        found, number = f"{stem}.png", 1
        while found.casefold() in taken:
            number += 1
            found = f"{stem}-{number}.png"
        taken.add(found.casefold())
        names.append(found)
    return names


def _first(fitted: Fitted, domain: Domain, side: Side) -> np.ndarray:
    """The first images as the networks see them."""
    return fitted.translated(domain.take(slice(_IN_GRID)), side).inputs


def _write(folder: Path, names: Sequence[str], pictures: np.ndarray, inputs: np.ndarray) -> None:
    from PIL import Image

    from acclimate.runs.mosaic import mosaic

    parts = [slice(start, start + _COLUMNS) for start in range(0, len(inputs), _COLUMNS)]
    grid = mosaic([row for part in parts for row in (inputs[part], pictures[: len(inputs)][part])], group=2)
    path = folder
    try:
        folder.mkdir(exist_ok=True)
        for name, picture in zip(names, pictures, strict=True):
            path = folder / name
            Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(path)
        path = folder / _GRID
        grid.save(path)
    except OSError as error:
        raise unwritable(path, error) from None
