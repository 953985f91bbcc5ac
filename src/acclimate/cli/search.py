"""`acclimate search`: the photos that look like a picture."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.console import out, print_json, print_notes, table
from acclimate.cli.index import FOLDER, IndexOption, index_words, run_encoder
from acclimate.cli.paths import check_parent
from acclimate.cli.use import JsonFlag, RunArgument, check_run
from acclimate.errors import DataError, RequestError

if TYPE_CHECKING:
    import numpy as np

    from acclimate.data.readers.pictures import Form
    from acclimate.reports.sheet import Row
    from acclimate.serving.gallery import Gallery, Hit

_OURS = "acclimate search"


def search(
    run: RunArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="What to look for: pictures, sketches.")],
    k: Annotated[int, typer.Option("-k", help="Photos to find for each.")] = 10,
    folder: IndexOption = None,
    expand: Annotated[
        int,
        typer.Option(
            help="Search again, drawn towards so many of the photos found first: for all of a kind, not for one."
        ),
    ] = 0,
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="One PNG for all contact sheets. [<image>-hits.png for each]")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Find the photos that are most like a picture, such as a sketch.

    Prints them, and writes a contact sheet: the picture on the left, the photos on the right.
    """
    check_run(run)
    from acclimate.serving.gallery import Gallery

    if k < 1:
        raise RequestError("k", "must be at least 1", k, "Ask for one photo or more.")
    if expand < 0:
        raise RequestError("expand", "must be at least 0", expand, "Leave it out, or ask for 20.")
    folder = folder or run / FOLDER
    check_indexed(run, folder)
    sheets = _sheet_paths(images, output)
    encoder = run_encoder(run)
    queries = [_query(image, encoder.form("source")) for image in images]
    gallery = Gallery.open(folder, encoder)
    found = _found(gallery, queries, images, k, expand)
    notes = []
    if k > len(gallery):
        notes.append(f"k is {k:,}, and the index holds {len(gallery):,} photos: here are all of them.")
    rows = [_row(gallery, image, hits) for image, hits in zip(images, found, strict=True)]
    if gone := sum(hit.picture is None for row in rows for hit in row.hits):
        notes.append(f"photos that cannot be shown any more: {gone:,}. Bring the index up to date: acclimate index.")
    _write_sheets(sheets, rows)
    if as_json:
        print_json(_hits_as_json(gallery, folder, images, found, sheets, notes))
        return
    print_notes(notes)
    for image, hits in zip(images, found, strict=True):
        _print_hits(image, hits, alone=len(images) == 1)
    for sheet in dict.fromkeys(sheets):
        out.print(f"To look at: {sheet}", soft_wrap=True, markup=False)


def check_indexed(run: Path, folder: Path) -> None:
    """Refuse a folder without an index.

    Raises:
        RequestError: with the command that makes one.
    """
    from acclimate.serving.ledger import has_index

    if has_index(folder):
        return
    command = shlex.join(["acclimate", "index", str(run), "PHOTOS/", *index_words(run, folder)])
    raise RequestError(
        "index",
        "must be a folder where photos have been indexed",
        f"{str(folder)!r}, which has none",
        f"Index your photos first: {command}",
    )


def _query(image: Path, form: Form) -> np.ndarray:
    """A picture to look for, in that form."""
    from acclimate.serving.gallery import is_blank

    picture = _decoded(image, form)
    if is_blank(picture):
        raise DataError(
            str(image),
            "must show something in its middle square",
            "one colour everywhere",
            "Draw a few strokes, or cut the picture so that what you look for is in the middle.",
        )
    return picture


def _decoded(image: Path, form: Form) -> np.ndarray:
    import warnings

    from acclimate.data.readers.pictures import MOST_UNPACKED, SUFFIXES, decode, reason

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata; what counts is whether the pixels are there
            return decode(image, form, MOST_UNPACKED)
    except Exception as error:  # Pillow raises errors of many types on damaged files
        rule = f"must be a picture that opens ({', '.join(SUFFIXES)})"
        raise DataError(str(image), rule, reason(error), "Check the path, or save it as .png.") from None


def _found(
    gallery: Gallery, queries: Sequence[np.ndarray], images: Sequence[Path], k: int, expand: int
) -> list[list[Hit]]:
    """Hits of each picture, one after the other, so that a refusal can name it."""
    found = []
    for query, image in zip(queries, images, strict=True):
        try:
            found += gallery.search(query[None], k, expand=expand)
        except RequestError as error:
            if not error.argument.startswith("picture"):
                raise
            raise DataError(str(image), error.rule, error.got, error.fix) from None
    return found


def _sheet_paths(images: Sequence[Path], output: Path | None) -> list[Path]:
    """Where each image's sheet goes; refuse a name that is somebody else's before any work is done."""
    if output is not None:
        if output.suffix.lower() != ".png":
            raise RequestError("out", "must end in .png", repr(str(output)), "For example: --out hits.png")
        check_parent("out", output)
    paths: list[Path] = []
    for image in images:
        path, number = output or Path(f"{image.stem}-hits.png"), 1
        while output is None and path in paths:
            number += 1
            path = Path(f"{image.stem}-hits-{number}.png")
        paths.append(path)
    for path in paths:
        if path.exists() and not _is_sheet(path):
            fix = "Choose another with --out; only the sheet of an earlier search is replaced."
            raise RequestError("out", "must not exist yet", repr(str(path)), fix)
    return paths


def _is_sheet(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get("Software") == _OURS
    except Exception:  # whatever it is, it is not ours
        return False


def _row(gallery: Gallery, image: Path, hits: Sequence[Hit]) -> Row:
    from acclimate.reports.sheet import MOST, Row, Shown

    shown = [
        Shown(_thumbnail(gallery, hit.id), f"{rank}   {hit.similarity:.3f}", PurePosixPath(hit.id).name)
        for rank, hit in enumerate(hits[:MOST], start=1)
    ]
    return Row(Shown(_decoded(image, _thumbnail_form()), "looked for", image.name), shown)


def _thumbnail_form() -> Form:
    from acclimate.data.readers.pictures import Form
    from acclimate.reports.sheet import SIDE

    return Form(SIDE, 3)


def _thumbnail(gallery: Gallery, name: str) -> np.ndarray | None:
    """The middle square of a photo, which is what the model sees; None if it is gone or broken by now."""
    try:
        return _decoded(gallery.path(name), _thumbnail_form())
    except RequestError:
        return None


def _write_sheets(paths: Sequence[Path], rows: Sequence[Row]) -> None:
    from PIL.PngImagePlugin import PngInfo

    from acclimate.reports.sheet import contact_sheet
    from acclimate.runs.files import write_atomically

    ours = PngInfo()
    ours.add_text("Software", _OURS)
    for path in dict.fromkeys(paths):
        sheet = contact_sheet([row for row, its in zip(rows, paths, strict=True) if its == path])
        write_atomically(path, lambda part, sheet=sheet: sheet.save(part, "PNG", pnginfo=ours))  # type: ignore[misc]


def _print_hits(image: Path, hits: Sequence[Hit], alone: bool) -> None:
    if not alone:
        out.print(f"\n{image}", style="bold", markup=False, soft_wrap=True)
    rows = table("rank", "similarity", "photo", numbers=("rank", "similarity"))
    for rank, hit in enumerate(hits, start=1):
        rows.add_row(f"{rank:,}", f"{hit.similarity:.3f}", _printable(hit.id))
    out.print(rows)


def _printable(name: str) -> str:
    """A file's name, without what a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in name)


def _hits_as_json(
    gallery: Gallery,
    folder: Path,
    images: Sequence[Path],
    found: Sequence[Sequence[Hit]],
    sheets: Sequence[Path],
    notes: list[str],
) -> dict[str, Any]:
    queries = [
        {
            "image": str(image),
            "sheet": str(sheet),
            "hits": [
                {"rank": rank, "id": hit.id, "similarity": hit.similarity, "file": str(gallery.root / hit.id)}
                for rank, hit in enumerate(hits, start=1)
            ],
        }
        for image, hits, sheet in zip(images, found, sheets, strict=True)
    ]
    return {"index": str(folder), "n": len(gallery), "queries": queries, "notes": notes}
